package f32

// A Norm is a batch normalization and the tail behind it, of a multiple of eight channels, whose work is done in pieces by
// the layers beside it ([Layer]), so that whole batches are not read again and again:
//
//	forward:   the layer in front computes X and its moments; the layer behind normalizes what it reads
//	backward:  the layer behind computes DY, DGamma and DBeta; the layer in front the gradient of X
//
// Begin comes between the two layers of the forward pass. Where there is no such layer, a method does its work.
type Norm struct {
	Channels       int
	Epsilon        float32
	X              []float32 // [rows, Channels]
	Mean, Variance []float32 // of X
	InvStd         []float32 // of the statistics in use
	Tail           *Tail     // nil for none
	Mask           []uint8   // what passes the tail; nil without a tail or a gradient

	DY            []float32 // gradient of the tail's output
	DGamma, DBeta []float32

	// Found are the bounds of what the tail limited in the forward pass. It need not be set unless Observe is true.
	Observe bool
	Found   struct {
		Lo, Hi float32
		NaN    bool
	}

	frozen            bool
	mean, gamma, beta []float32 // in use
	// What kernels read in the forward and in the backward pass: one parameter behind the other, and repeated.
	forward, backward []float32
	wide              [5][]float32
	ws                Workspace
}

// NewNorm returns a normalization of so many channels, without X, tail and mask.
func NewNorm(channels int, epsilon float32) *Norm {
	s := make([]float32, 14*channels)
	next := func(n int) []float32 {
		v := s[: n*channels : n*channels]
		s = s[n*channels:]
		return v
	}
	return &Norm{
		Channels: channels, Epsilon: epsilon, Mean: next(1), Variance: next(1), InvStd: next(1), DGamma: next(1), DBeta: next(1),
		forward: next(4), backward: next(5),
	}
}

// Begin takes the statistics to normalize by and the parameters. Frozen statistics are constants to the gradient of X.
func (n *Norm) Begin(mean, variance, gamma, beta []float32, frozen bool) {
	n.frozen, n.mean, n.gamma, n.beta = frozen, mean, gamma, beta
	InvStd(n.InvStd, variance, n.Epsilon)
	for i, p := range [][]float32{mean, n.InvStd, gamma, beta} {
		copy(n.forward[i*n.Channels:][:n.Channels], p)
	}
	n.widen(n.forward)
}

// widen repeats parameters.
func (n *Norm) widen(params []float32) {
	for i := range len(params) / n.Channels {
		n.wide[i] = n.ws.repeated(i, n.rows(), params[i*n.Channels:][:n.Channels])
	}
}

func (n *Norm) rows() int { return len(n.X) / n.Channels }

// run writes what the rows lo to hi-1 are behind the tail. If observe is true, it keeps their bounds, where they are asked
// for, and bits.
func (n *Norm) run(part int, to plane, lo, hi int, observe bool) {
	w, t := &n.wide, n.Tail
	if t != nil && t.rectified && n.rectify(part, to, lo, hi, observe) {
		return
	}
	for i, j := n.pieces(&to, lo, hi); i < hi*n.Channels; i += j {
		dst, x := to.data[:j], n.X[i:i+j]
		var mask []uint8
		if observe && n.Mask != nil {
			mask = n.Mask[i/8 : (i+j)/8]
		}
		switch {
		case t == nil:
			level.normalize(dst, x, w[0], w[1], w[2], w[3])
		case t.rounds == 0 && !(observe && n.Observe):
			level.clampNormalized(dst, x, w[0], w[1], w[2], w[3], mask, &t.k)
		case !observe:
			level.restoreNormalized(dst, x, w[0], w[1], w[2], w[3], &t.k)
		case t.rounds != 0 && mask != nil:
			t.found[part].add(level.roundNormalized(dst, x, w[0], w[1], w[2], w[3], mask, &t.k))
		default:
			level.normalize(dst, x, w[0], w[1], w[2], w[3])
			t.found[part].add(level.tail(dst, dst, mask, &t.k, t.rounds))
		}
		to.advance()
	}
}

// rectify is run by the routines for activations that are not below zero, if it returns true.
func (n *Norm) rectify(part int, to plane, lo, hi int, observe bool) bool {
	t, p, x := n.Tail, n.patch(&to, lo, hi), n.X[lo*n.Channels:hi*n.Channels]
	var mask []uint8
	if observe && n.Mask != nil {
		mask = n.Mask[lo*n.Channels/8 : hi*n.Channels/8]
	}
	switch {
	case t.rounds == 0 && !(observe && n.Observe):
		level.rectify(to.data, x, mask, n.forward, &t.k, p)
	case t.rounds == 0:
		return false
	case !observe:
		return !level.restoreRectified(to.data, x, n.forward, &t.k, p)
	case mask == nil:
		return false
	default:
		least, most, nan := level.roundRectified(to.data, x, mask, n.forward, &t.k, p)
		if nan {
			return false
		}
		t.found[part].add(least, most, false)
	}
	return true
}

// patch is where the rows lo to hi-1 are in p.
func (n *Norm) patch(p *plane, lo, hi int) patch {
	if p.width == p.line {
		return patch{1, hi - lo, 0, n.Channels}
	}
	pixels := p.width / n.Channels
	return patch{(hi - lo) / pixels, pixels, p.line - p.width, n.Channels}
}

// pieces returns where the elements of the rows lo to hi-1 begin and how many lie together in p.
func (n *Norm) pieces(p *plane, lo, hi int) (first, length int) {
	if p.width == p.line {
		return lo * n.Channels, (hi - lo) * n.Channels
	}
	return lo * n.Channels, p.width
}

// begin prepares for so many parts of a forward pass, end merges what they found.
func (n *Norm) begin(parts int) {
	if n.Tail != nil {
		n.Tail.begin(parts)
	}
}

func (n *Norm) end(parts int) {
	if n.Tail != nil {
		n.Found.Lo, n.Found.Hi, n.Found.NaN = n.Tail.end(parts)
	}
}

// Run writes the output of the tail to y.
func (n *Norm) Run(ws *Workspace, y []float32) {
	if n.Tail == nil {
		Normalize(ws, n.rows(), n.Channels, y, n.X, n.mean, n.InvStd, n.gamma, n.beta)
		return
	}
	n.Found.Lo, n.Found.Hi, n.Found.NaN = NormalizeTail(ws, n.rows(), n.Channels, y, n.X, n.mean, n.InvStd, n.gamma, n.beta, n.Tail, n.Mask)
}

// ParamGrads computes DGamma and DBeta from DY, as [NormalizeParamGrads].
func (n *Norm) ParamGrads(ws *Workspace) {
	NormalizeParamGrads(ws, n.rows(), n.Channels, n.DGamma, n.DBeta, n.DY, n.Mask, n.X, n.mean, n.InvStd)
}

// addParamGrads adds what the rows lo to hi-1 contribute.
func (n *Norm) addParamGrads(dbeta, dgamma []float32, lo, hi int) {
	i, j := lo*n.Channels, hi*n.Channels
	if n.Mask == nil {
		level.sumNormalized(hi-lo, dbeta, dgamma, n.DY[i:j], n.X[i:j], n.mean, n.InvStd)
		return
	}
	level.sumMaskedNormalized(hi-lo, dbeta, dgamma, n.DY[i:j], n.Mask[i/8:j/8], n.X[i:j], n.mean, n.InvStd, n.Channels)
}

// beginGrad prepares for the gradient of X.
func (n *Norm) beginGrad() {
	gradParams(n.backward, n.rows(), n.mean, n.InvStd, n.DBeta, n.DGamma, n.gamma)
	if n.frozen {
		clear(n.backward[2*n.Channels : 4*n.Channels])
	}
	n.widen(n.backward)
}

// grad writes the gradient of the rows lo to hi-1 of X.
func (n *Norm) grad(to plane, lo, hi int) {
	if n.Mask != nil {
		i, j := lo*n.Channels, hi*n.Channels
		level.normalizeMaskedGrad(to.data, n.DY[i:j], n.Mask[i/8:j/8], n.X[i:j], n.backward, n.Channels, n.patch(&to, lo, hi))
		return
	}
	w := &n.wide
	for i, j := n.pieces(&to, lo, hi); i < hi*n.Channels; i += j {
		level.normalizeGrad(to.data[:j], n.DY[i:i+j], n.X[i:i+j], w[0], w[1], w[2], w[3], w[4])
		to.advance()
	}
}

// GradInput computes the gradient of X from DY, DGamma and DBeta. dx may be DY.
func (n *Norm) GradInput(dx []float32) {
	n.beginGrad()
	type args struct {
		n  *Norm
		dx []float32
	}
	each(n.rows(), n.Channels*costMove, args{n, dx}, func(a args, from, to int) {
		a.n.grad(plane{data: a.dx[from*a.n.Channels:]}, from, to)
	})
}

// A plane is where rows of pixels lie: width elements each, line elements apart. Where both are 0 they are in one piece.
type plane struct {
	data        []float32
	width, line int
	frame       []float32 // with what is around them
}

// advance goes on to the next row.
func (p *plane) advance() { p.data = p.data[min(p.line, len(p.data)):] }

// gradParams writes what the gradient of a normalization needs, one behind the other: mean, invStd, what is subtracted from
// gradients and from them for each xhat, and what they are multiplied by.
func gradParams(params []float32, rows int, mean, invStd, dbeta, dgamma, gamma []float32) {
	channels := len(params) / 5
	copy(params[:channels], mean)
	copy(params[channels:2*channels], invStd)
	meanB, meanG, factor := params[2*channels:3*channels], params[3*channels:4*channels], params[4*channels:5*channels]
	for c := range factor {
		meanB[c], meanG[c] = dbeta[c]/float32(rows), dgamma[c]/float32(rows)
		factor[c] = gamma[c] * invStd[c]
	}
}

// moments computes a chunk's sums, its own means, and the sums of squared distances from those: [3, channels].
func moments(s []float32, rows, channels int, x []float32) {
	sum, squares, mean := s[:channels], s[channels:2*channels], s[2*channels:3*channels]
	clear(s[:2*channels])
	if rows == 0 {
		return
	}
	level.sumRows(rows, sum, x)
	for c, v := range sum {
		mean[c] = v / float32(rows)
	}
	level.sumSquares(rows, squares, x, mean)
}

// mergeMoments computes mean and variance from those of chunks that divide items of so many rows each.
func mergeMoments(mean, variance, s []float32, items, unit, chunks int) {
	channels, rows := len(mean), float32(items*unit)
	copy(mean, s[:channels])
	for k := 1; k < chunks; k++ {
		level.add(mean, mean, s[3*k*channels:][:channels])
	}
	for c := range mean {
		mean[c] /= rows
		sum := float32(0)
		for k := range chunks {
			lo, hi := items*k/chunks, items*(k+1)/chunks
			d := s[(3*k+2)*channels+c] - mean[c]
			term := s[(3*k+1)*channels+c] + float32(float32((hi-lo)*unit)*float32(d*d))
			if k == 0 {
				sum = term
			} else {
				sum += term
			}
		}
		variance[c] = sum / rows
	}
}
