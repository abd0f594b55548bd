package f32

// transforms says whether a training step's forward pass may use Winograd's algorithm, y = A' [(G w G') * (B d B')] A:
// blocks of rows must be rows of whole tiles.
func (l *PooledConv) transforms() bool {
	return l.Training && l.Winograd() && l.Pool.Kernel[0]%2 == 0 && l.Pool.Pad[0] == 0
}

// winogradForward is the forward pass in blocks of some rows.
type winogradForward struct {
	g          Conv
	windows    Conv // the images d, padded to whole tiles
	rows, cols int  // of tiles
	v, m       int  // elements between the values of one transformed d, and of one product
	edge       int  // elements of a copy of an image with its padding, or of a row of tiles
}

func newWinogradForward(g Conv, rows int) winogradForward {
	w := winogradForward{g: g, windows: g, rows: (rows + 1) / 2, cols: (g.Output[1] + 1) / 2}
	w.windows.Output = [2]int{(g.Output[0] + 1) &^ 1, 2 * w.cols}
	w.v, w.m = apart(w.rows*w.cols*g.InC), apart(w.rows*w.cols*g.OutC)
	w.edge = max(w.windows.paddedLen(2*w.rows), 4*w.cols*g.OutC)
	return w
}

// scratch is the length of compute's scratch memory.
func (w *winogradForward) scratch() int { return points*(w.v+w.m) + w.edge }

// compute computes n rows of output pixels from row top of image b on, with transformed weights [points, InC, OutC].
func (w *winogradForward) compute(d, s, x, weights []float32, b, top, n int) {
	g := &w.g
	v, s := s[:points*w.v], s[points*w.v:]
	m, edge := s[:points*w.m], s[points*w.m:]
	rows := (n + 1) / 2
	a, line := w.windows.padded(edge, x, b*w.windows.Output[0]+top, 2*rows)
	for i := range rows {
		level.winogradWindow(v[i*w.cols*g.InC:], a[2*i*line:], tiling{apart: w.v, line: line, channels: g.InC, count: w.cols})
	}
	for p := range points {
		gemm(rows*w.cols, g.OutC, g.InC, m[p*w.m:], g.OutC, matrix{data: v[p*w.v:], row: g.InC, step: 1}, weights[p*g.InC*g.OutC:], g.OutC, false)
	}
	line = g.Output[1] * g.OutC
	for i := range rows {
		gather(d[2*i*line:], line, n-2*i, m[i*w.cols*g.OutC:], edge, tiling{apart: w.m, channels: g.OutC, count: w.cols})
	}
}
