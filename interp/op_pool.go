package interp

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/q16"
	"github.com/goqat/goqat/internal/kernels/q8"
)

func maxPool(s site) (kernel, error) {
	return pool(s, s.Op.(graph.MaxPool2D).Pool,
		func(g f32.Pool, y, x []float32) { f32.MaxPool2D(g, y, x, nil) }, q8.NewMaxPool2D, q16.NewMaxPool2D)
}

func averagePool(s site) (kernel, error) {
	return pool(s, s.Op.(graph.AveragePool2D).Pool, f32.AveragePool2D, q8.NewAveragePool2D, q16.NewAveragePool2D)
}

// pool prepares either operator, given its kernel for each type.
func pool(s site, op graph.Pool, float func(g f32.Pool, y, x []float32), narrow func(q8.PoolSpec) (*q8.Pool[int8], error), wide func(q8.PoolSpec) (*q16.Pool, error)) (kernel, error) {
	window := s.window(op.Padding, [2]int{op.FilterH, op.FilterW}, [2]int{op.StrideH, op.StrideW}, [2]int{1, 1})
	image := window.Pixels() * window.Channels
	switch s.unary() {
	case allFloat:
		return func(in []*value, out *value) error {
			x := in[graph.InputX].floats()
			float(f32.Pool{Window: window.Window, Batch: len(x) / image, Channels: window.Channels}, out.floats(), x)
			return nil
		}, nil
	case allInt8:
		p, err := s.sharedParams()
		if err != nil {
			return nil, err
		}
		pool, err := narrow(q8.PoolSpec{Window: window, Quantized: p})
		return byRow(pool, image), err
	case allInt16:
		p, err := s.sharedParams()
		if err != nil {
			return nil, err
		}
		pool, err := wide(q8.PoolSpec{Window: window, Quantized: p, Kernel: s.kernel()})
		return byRow(pool, image), err
	}
	return nil, s.unsupported()
}
