package interp

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/q8"
	"github.com/goqat/goqat/internal/kernels/window"
)

func conv2D(s site) (kernel, error) {
	switch {
	case s.anchor() == allFloat:
		return conv2DFloat(s)
	case s.anchor() == allInt8:
		return conv2DInt8(s)
	case s.anchor() == hybrid && s.Profile == LiteRT:
		return conv2DHybrid(s)
	}
	return nil, s.unsupported()
}

func conv2DFloat(s site) (kernel, error) {
	op, window := s.Op.(graph.Conv2D), s.convWindow()
	g := f32.Conv{Window: window.Window, Batch: 1, InC: window.Channels, OutC: s.Output.Shape[3]}
	act, image := op.Activate, g.InputLen()
	return func(in []*value, out *value) error {
		x := in[graph.InputX].floats()
		g := g
		g.Batch = len(x) / image
		f32.Conv2D(s.ws, g, out.floats(), x, in[graph.InputWeights].floats(), bias(in), act)
		return nil
	}, nil
}

func conv2DInt8(s site) (kernel, error) {
	in, out, err := s.activationParams()
	if err != nil {
		return nil, err
	}
	weights, params, err := s.weights()
	if err != nil {
		return nil, err
	}
	bias, err := data[int32](s.Input(graph.InputBias))
	if err != nil {
		return nil, err
	}
	op, window := s.Op.(graph.Conv2D), s.convWindow()
	conv, err := q8.NewConv2D(q8.Conv2DSpec{
		Window: window, Outputs: s.Output.Shape[3],
		Input: in, Output: out, Weight: params,
		Activation: op.Activate, Kernel: s.kernel(),
	}, weights, bias)
	if err != nil {
		return nil, err
	}
	image := window.Input[0] * window.Input[1] * window.Channels
	return func(in []*value, out *value) error {
		x := elements[int8](in[graph.InputX])
		conv.Run(elements[int8](out), x, len(x)/image)
		return nil
	}, nil
}

func conv2DHybrid(s site) (kernel, error) {
	weights, params, err := s.weights()
	if err != nil {
		return nil, err
	}
	bias, err := data[float32](s.Input(graph.InputBias))
	if err != nil {
		return nil, err
	}
	op, window := s.Op.(graph.Conv2D), s.convWindow()
	conv, err := q8.NewHybridConv2D(q8.HybridConv2DSpec{
		Window: window, Outputs: s.Output.Shape[3], Weight: params,
		Activation: op.Activate, Kernel: s.kernel(),
	}, weights, bias)
	if err != nil {
		return nil, err
	}
	image := window.Input[0] * window.Input[1] * window.Channels
	return func(in []*value, out *value) error {
		if err := in[graph.InputX].checkFinite(); err != nil {
			return err
		}
		x := in[graph.InputX].floats()
		conv.Run(out.floats(), x, len(x)/image)
		return nil
	}, nil
}

// convWindow returns the geometry of a convolution.
func (s site) convWindow() q8.Window {
	op, w := s.Op.(graph.Conv2D), s.Input(graph.InputWeights).Shape
	return s.window(op.Padding, [2]int{w[1], w[2]}, [2]int{op.StrideH, op.StrideW}, [2]int{op.DilationH, op.DilationW})
}

// window returns the geometry of an operator on images.
func (s site) window(p graph.Padding, kernel, stride, dilation [2]int) q8.Window {
	x := s.Input(graph.InputX).Shape
	return q8.Window{Window: window.Window{
		Input: [2]int{x[1], x[2]}, Kernel: kernel, Stride: stride, Dilation: dilation,
	}.Complete(p.Window), Channels: x[3]}
}

// bias returns the bias of a float32 anchor; nil where it is omitted.
func bias(in []*value) []float32 {
	if len(in) <= graph.InputBias {
		return nil
	}
	return in[graph.InputBias].floats()
}
