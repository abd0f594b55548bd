package interp

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/q16"
	"github.com/goqat/goqat/internal/kernels/q8"
	"github.com/goqat/goqat/quant"
)

func leakyRelu(s site) (kernel, error) {
	alpha := s.Op.(graph.LeakyRelu).Alpha
	return s.elementwise(
		func(y, x []float32) { f32.LeakyReluTo(alpha, y, x) },
		func(in, out quant.Params) (*q8.Table[int8, int8], error) {
			return q8.NewLeakyRelu(alpha, in, out, s.Profile.kernels())
		},
		func(in, out quant.Params) (*q16.Table, error) { return q16.NewLeakyRelu(alpha, in, out) })
}

func elu(s site) (kernel, error) {
	return s.elementwise(f32.EluTo, func(in, out quant.Params) (*q8.Table[int8, int8], error) {
		return q8.NewElu(in, out, s.Profile.kernels())
	}, nil)
}

func hardSwish(s site) (kernel, error) { return s.elementwise(f32.HardSwishTo, q8.NewHardSwish, nil) }

func logistic(s site) (kernel, error) {
	return s.elementwise(f32.SigmoidTo,
		func(in, out quant.Params) (*q8.Table[int8, int8], error) {
			return q8.NewLogistic(in, out, s.Profile.kernels())
		},
		func(in, _ quant.Params) (*q16.Table, error) { return q16.NewLogistic(in.Scale[0]) })
}

func tanh(s site) (kernel, error) {
	return s.elementwise(f32.TanhTo,
		func(in, out quant.Params) (*q8.Table[int8, int8], error) {
			return q8.NewTanh(in, out, s.Profile.kernels())
		},
		func(in, _ quant.Params) (*q16.Table, error) { return q16.NewTanh(in.Scale[0]) })
}

// elementwise prepares an operator on single elements, given its kernel for each
// type; wide is nil where int16 has none.
func (s site) elementwise(float func(y, x []float32), narrow func(in, out quant.Params) (*q8.Table[int8, int8], error), wide func(in, out quant.Params) (*q16.Table, error)) (kernel, error) {
	sig := s.unary()
	if sig == allFloat {
		return func(in []*value, out *value) error {
			float(out.floats(), in[graph.InputX].floats())
			return nil
		}, nil
	}
	if sig != allInt8 && (sig != allInt16 || wide == nil) {
		return nil, s.unsupported()
	}
	in, out, err := s.activationParams()
	if err != nil {
		return nil, err
	}
	if sig == allInt16 {
		table, err := wide(in, out)
		return mapped(table), err
	}
	table, err := narrow(in, out)
	return tabulated(table), err
}

// mapped is the kernel of an operator on single codes of int16.
func mapped(table *q16.Table) kernel {
	return func(in []*value, out *value) error {
		table.Run(elements[int16](out), elements[int16](in[graph.InputX]))
		return nil
	}
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
