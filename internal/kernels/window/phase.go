package window

import "iter"

// A Phase is the part of a transposed convolution that computes every Stride-th pixel of the larger image, the input of
// the window that is transposed. Those pixels see the same taps at the same distances: they are the output of a
// convolution of the smaller image with stride 1, whose kernel holds these taps in reverse order. The embedded window
// is that convolution. Its Kernel is zero along an axis where no tap falls on the pixels: then nothing reaches them.
type Phase struct {
	Window
	first, step [2]int // pixels of the larger image: first + i*step
	last, taps  [2]int // taps of the whole kernel: last - i*taps
	kernelWidth int    // of the whole kernel
	imageWidth  int    // of the larger image
}

// Phases are the parts of the transposed convolution, from images of size Output to images of size Input. Between them
// they compute every pixel once.
func (w Window) Phases() iter.Seq[Phase] {
	return func(yield func(Phase) bool) {
		for ry := range min(w.Stride[0], w.Input[0]) {
			for rx := range min(w.Stride[1], w.Input[1]) {
				p := Phase{Window: Window{Input: w.Output, Stride: [2]int{1, 1}}, kernelWidth: w.Kernel[1], imageWidth: w.Input[1]}
				p.axis(&w, 0, ry)
				p.axis(&w, 1, rx)
				if !yield(p) {
					return
				}
			}
		}
	}
}

// axis describes, along one axis, the pixels first, first+stride, first+2*stride ... and the taps that fall on them. Tap
// k joins pixel i to the position (i+pad-k*dilation)/stride of the smaller image where that is whole.
func (p *Phase) axis(w *Window, axis, first int) {
	stride, dilation := w.Stride[axis], w.Dilation[axis]
	p.first[axis], p.step[axis] = first, stride
	p.Output[axis] = (w.Input[axis] - first + stride - 1) / stride
	p.Dilation[axis] = 1
	for k := w.Kernel[axis] - 1; k >= 0; k-- {
		at := first + w.Pad[axis] - k*dilation
		if at%stride != 0 {
			continue
		}
		switch p.Kernel[axis]++; p.Kernel[axis] {
		case 1:
			p.last[axis], p.Pad[axis] = k, -at/stride
		case 2:
			p.taps[axis] = p.last[axis] - k
			p.Dilation[axis] = p.taps[axis] * dilation / stride
		}
	}
}

// Tap returns the tap of the whole kernel that stands at tap t of the phase.
func (p *Phase) Tap(t int) int {
	ky, kx := t/p.Kernel[1], t%p.Kernel[1]
	return (p.last[0]-ky*p.taps[0])*p.kernelWidth + p.last[1] - kx*p.taps[1]
}

// Pixel returns the pixel of the larger image that a position of the phase is.
func (p *Phase) Pixel(position int) int {
	y, x := position/p.Output[1], position%p.Output[1]
	return (p.first[0]+y*p.step[0])*p.imageWidth + p.first[1] + x*p.step[1]
}
