package interp

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/q16"
	"github.com/goqat/goqat/internal/kernels/q8"
	"github.com/goqat/goqat/quant"
)

// relu prepares every activation that an anchor can fuse, standing alone.
func relu(s site) (kernel, error) {
	kind := s.Op.(graph.Fusable).Fused()
	return s.elementwise(
		func(y, x []float32) { f32.Activate(kind, y, x) },
		func(in, out quant.Params) (*q8.Table[int8, int8], error) {
			return q8.NewRelu(kind, in, out, s.Profile.kernels())
		},
		func(in, out quant.Params) (*q16.Table, error) {
			return q16.NewRelu(kind, in, out, s.Profile.kernels())
		})
}

func softmax(s site) (kernel, error) {
	shape := s.Output.Shape
	depth := shape[len(shape)-1]
	switch s.unary() {
	case allFloat:
		return func(in []*value, out *value) error {
			x := in[graph.InputX].floats()
			f32.Softmax(len(x)/depth, depth, out.floats(), x)
			return nil
		}, nil
	case allInt8:
		in, out, err := s.activationParams()
		if err != nil {
			return nil, err
		}
		const beta = 1 // the graph's Softmax has no other
		soft, err := q8.NewSoftmax(in, out, beta, depth, s.Profile.kernels())
		return byRow(soft, depth), err
	case allInt16:
		in, out, err := s.activationParams()
		if err != nil {
			return nil, err
		}
		soft, err := q16.NewSoftmax(in, out, depth, s.Profile.kernels())
		return byRow(soft, depth), err
	}
	return nil, s.unsupported()
}

// tabulated is the kernel of an operator on single codes.
func tabulated[In, Out q8.Code](table *q8.Table[In, Out]) kernel {
	return func(in []*value, out *value) error {
		table.Run(elements[Out](out), elements[In](in[graph.InputX]))
		return nil
	}
}
