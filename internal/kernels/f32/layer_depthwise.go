package f32

import "github.com/goqat/goqat/internal/kernels/window"

// Layer returns the convolution, which must have a multiplier of 1, as a layer.
func (g Depthwise) Layer() *Layer {
	image := g.conv()
	image.Batch = 1
	k := &depthwiseBlocks{g: image, whole: g.Stride[0] <= g.Kernel[0] && g.Stride[1] <= g.Kernel[1] && g.Dilation == one}
	l := &Layer{
		kernel: k, weights: g.WeightsLen(), batch: g.Batch, perImage: 1, unit: 1,
		groups: split(g.Batch, g.Output[0]*g.rowCost()+layerMoves*g.Positions()*g.OutC()),
	}
	l.in.pixels, l.in.channels = g.Pixels(), g.Channels
	l.out.pixels, l.out.channels = g.Positions(), g.Channels
	k.x = newFrame(g.Input, g.Channels, g.Window)
	var windows []window.Window
	at := 0
	for p := range g.Phases() {
		if p.Taps() == 0 {
			continue
		}
		windows = append(windows, p.Window)
		q := Conv{Window: p.Window, Batch: 1, InC: g.Channels, OutC: g.Channels}
		k.phases = append(k.phases, convPhase{p, q, at})
		at += p.Taps() * g.Channels
	}
	k.dy = newFrame(g.Output, g.Channels, windows...)
	l.x, l.dy = k.x, k.dy
	return l
}

// newFrame returns the room around an image of the given size that makes all taps of some windows lie inside.
func newFrame(size [2]int, channels int, windows ...window.Window) frame {
	f := frame{size: size, height: size[0], width: size[1], channels: channels}
	for _, w := range windows {
		for axis := range 2 {
			f.before[axis] = max(f.before[axis], w.Pad[axis])
		}
	}
	for axis := range 2 {
		f.size[axis] += f.before[axis]
		for _, w := range windows {
			last := (w.Output[axis]-1)*w.Stride[axis] - w.Pad[axis] + (w.Kernel[axis]-1)*w.Dilation[axis]
			f.size[axis] = max(f.size[axis], f.before[axis]+last+1)
		}
	}
	return f
}

// depthwiseBlocks are depthwise convolutions of single images.
type depthwiseBlocks struct {
	g      Conv // of one image
	x, dy  frame
	phases []convPhase // those that have taps
	whole  bool        // together they reach every pixel
}

func (k *depthwiseBlocks) pack(packed, w []float32) { copy(packed, w[:len(packed)]) }

func (k *depthwiseBlocks) turn(turned, w []float32) {
	c := k.g.InC
	for i := range k.phases {
		p := &k.phases[i]
		for t := range p.Taps() {
			copy(turned[p.first+t*c:][:c], w[p.Tap(t)*c:])
		}
	}
}

func (k *depthwiseBlocks) unpack(dw, sum []float32) { copy(dw, sum[:k.g.Taps()*k.g.InC]) }

// first returns the first tap of the first pixel of a window on a block that lies in f.
func (f *frame) first(block plane, w *window.Window) []float32 {
	// The block begins behind the frame's edge, which its slice no longer shows: see newFrame.
	return block.frame[(f.before[0]-w.Pad[0])*block.line+(f.before[1]-w.Pad[1])*f.channels:]
}

func (k *depthwiseBlocks) forward(y []float32, x plane, w, _ []float32, e epilogue, n int) {
	g := &k.g
	s := g.strips(g.Output[0], x.line, g.OutC)
	level.depthwise(y, k.x.first(x, &g.Window), w, nil, limits{}, s)
	e.finish(y[:n*g.OutC], y[:n*g.OutC])
}

func (k *depthwiseBlocks) gradWeights(sum []float32, x, dy plane, _ []float32, _ int, _ bool) {
	g := &k.g
	s := g.strips(g.Output[0], x.line, g.OutC)
	s.gap = dy.line - dy.width
	level.depthwiseGrad(sum, k.x.first(x, &g.Window), dy.data, s)
}

func (k *depthwiseBlocks) gradInput(dx []float32, dy plane, turned, _ []float32, _ int) {
	g := &k.g
	if !k.whole {
		clear(dx) // there are pixels that nothing reaches
	}
	for i := range k.phases {
		p := &k.phases[i]
		q := &p.q
		taps, s := k.dy.first(dy, &q.Window), q.strip(dy.line, g.Stride[1]*g.InC)
		if g.Stride == one { // rows adjoin
			s.lines, s.below = q.Output[0], dy.line-s.count*s.step
		}
		for row := 0; row < q.Output[0]; row += s.lines {
			level.depthwise(dx[p.Pixel(row*q.Output[1])*g.InC:], taps[row*dy.line:], turned[p.first:], nil, limits{}, s)
		}
	}
}

func (k *depthwiseBlocks) scratchLen() int { return 0 }
