package interp

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/q8"
)

func fullyConnected(s site) (kernel, error) {
	switch {
	case s.anchor() == allFloat:
		return fullyConnectedFloat(s), nil
	case s.anchor() == allInt8:
		return fullyConnectedInt8(s)
	case s.anchor() == hybrid && s.Profile == LiteRT:
		return fullyConnectedHybrid(s)
	}
	return nil, s.unsupported()
}

func fullyConnectedFloat(s site) kernel {
	w := s.Input(graph.InputWeights).Shape
	outputs, inputs := w[0], w[1]
	act := s.Op.(graph.FullyConnected).Activate
	return func(in []*value, out *value) error {
		x := in[graph.InputX].floats()
		f32.FullyConnected(s.ws, len(x)/inputs, inputs, outputs, out.floats(), x, in[graph.InputWeights].floats(), bias(in), act)
		return nil
	}
}

func fullyConnectedInt8(s site) (kernel, error) {
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
	w := s.Input(graph.InputWeights).Shape
	outputs, inputs := w[0], w[1]
	fc, err := q8.NewFullyConnected(q8.FullyConnectedSpec{
		Inputs: inputs, Outputs: outputs,
		Input: in, Output: out, Weight: params,
		Activation: s.Op.(graph.FullyConnected).Activate,
		Profile:    s.Profile.kernels(), Kernel: s.kernel(),
	}, weights, bias)
	if err != nil {
		return nil, err
	}
	return func(in []*value, out *value) error {
		x := elements[int8](in[graph.InputX])
		fc.Run(elements[int8](out), x, len(x)/inputs)
		return nil
	}, nil
}

func fullyConnectedHybrid(s site) (kernel, error) {
	weights, params, err := s.weights()
	if err != nil {
		return nil, err
	}
	bias, err := data[float32](s.Input(graph.InputBias))
	if err != nil {
		return nil, err
	}
	w, op := s.Input(graph.InputWeights).Shape, s.Op.(graph.FullyConnected)
	outputs, inputs := w[0], w[1]
	fc, err := q8.NewHybridFullyConnected(q8.HybridFullyConnectedSpec{
		Inputs: inputs, Outputs: outputs, Weight: params, Asymmetric: op.AsymmetricInputs,
		Activation: op.Activate, Kernel: s.kernel(),
	}, weights, bias)
	if err != nil {
		return nil, err
	}
	return func(in []*value, out *value) error {
		if err := in[graph.InputX].checkFinite(); err != nil {
			return err
		}
		x := in[graph.InputX].floats()
		fc.Run(out.floats(), x, len(x)/inputs)
		return nil
	}, nil
}
