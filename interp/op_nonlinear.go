package interp

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/q8"
	"github.com/goqat/goqat/quant"
)

func leakyRelu(s site) (kernel, error) {
	alpha := s.Op.(graph.LeakyRelu).Alpha
	return s.elementwise(
		func(y, x []float32) { f32.LeakyReluTo(alpha, y, x) },
		func(in, out quant.Params) (*q8.Table[int8, int8], error) { return q8.NewLeakyRelu(alpha, in, out) })
}

func elu(s site) (kernel, error) { return s.elementwise(f32.EluTo, q8.NewElu) }

func hardSwish(s site) (kernel, error) { return s.elementwise(f32.HardSwishTo, q8.NewHardSwish) }

func logistic(s site) (kernel, error) {
	return s.elementwise(f32.SigmoidTo, func(in, out quant.Params) (*q8.Table[int8, int8], error) {
		return q8.NewLogistic(in, out, s.Profile.kernels())
	})
}

func tanh(s site) (kernel, error) {
	return s.elementwise(f32.TanhTo, func(in, out quant.Params) (*q8.Table[int8, int8], error) {
		return q8.NewTanh(in, out, s.Profile.kernels())
	})
}

// elementwise prepares an operator on single elements, given its kernel for each
// type.
func (s site) elementwise(float func(y, x []float32), code func(in, out quant.Params) (*q8.Table[int8, int8], error)) (kernel, error) {
	switch s.unary() {
	case allFloat:
		return func(in []*value, out *value) error {
			float(out.floats(), in[graph.InputX].floats())
			return nil
		}, nil
	case allInt8:
		in, out, err := s.activationParams()
		if err != nil {
			return nil, err
		}
		table, err := code(in, out)
		if err != nil {
			return nil, err
		}
		return tabulated(table), nil
	}
	return nil, s.unsupported()
}

func prelu(s site) (kernel, error) {
	alpha, paired := s.Input(graph.InputAlpha), pairing()
	switch (signature{s.Input(graph.InputX).Type, alpha.Type, s.Output.Type}) {
	case allFloat:
		return func(in []*value, out *value) error {
			f32.Prelu(paired(in), out.floats(), in[graph.InputX].floats(), in[graph.InputAlpha].floats())
			return nil
		}, nil
	case allInt8:
		in, out, err := s.activationParams()
		if err != nil {
			return nil, err
		}
		slopes, err := perTensor(alpha)
		if err != nil {
			return nil, err
		}
		op, err := q8.NewPrelu(q8.PreluSpec{Input: in, Alpha: slopes, Output: out, Profile: s.Profile.kernels()})
		return func(in []*value, out *value) error {
			op.Run(paired(in), elements[int8](out), elements[int8](in[graph.InputX]), elements[int8](in[graph.InputAlpha]))
			return nil
		}, err
	}
	return nil, s.unsupported()
}
