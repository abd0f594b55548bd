package interp

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/q16"
	"github.com/goqat/goqat/internal/kernels/q8"
	"github.com/goqat/goqat/internal/kernels/window"
)

// mean is in float32 an average pool whose window is all that is reduced; its
// integers have a rule of their own.
func mean(s site) (kernel, error) {
	w, float := s.reduction(s.Op.(graph.Mean).Reducer, f32.AveragePool2D)
	switch s.unary() {
	case allFloat:
		return float, nil
	case allInt8:
		in, out, err := s.activationParams()
		if err != nil {
			return nil, err
		}
		op, err := q8.NewMean(q8.MeanSpec{Count: w.Pixels(), Inner: w.Channels, Input: in, Output: out, Profile: s.Profile.kernels()})
		return byRow(op, w.Pixels()*w.Channels), err
	case allInt16:
		in, out, err := s.activationParams()
		if err != nil {
			return nil, err
		}
		op, err := q16.NewMean(q8.MeanSpec{Count: w.Pixels(), Inner: w.Channels, Input: in, Output: out})
		return byRow(op, w.Pixels()*w.Channels), err
	}
	return nil, s.unsupported()
}

// reduceMax is a max pool whose window is all that is reduced.
func reduceMax(s site) (kernel, error) {
	w, float := s.reduction(s.Op.(graph.ReduceMax).Reducer, func(g f32.Pool, y, x []float32) { f32.MaxPool2D(g, y, x, nil) })
	switch s.unary() {
	case allFloat:
		return float, nil
	case allInt8:
		p, err := s.sharedParams()
		if err != nil {
			return nil, err
		}
		op, err := q8.NewMaxPool2D(q8.PoolSpec{Window: w, Quantized: p})
		return byRow(op, w.Pixels()*w.Channels), err
	case allInt16:
		p, err := s.sharedParams()
		if err != nil {
			return nil, err
		}
		op, err := q16.NewMaxPool2D(q8.PoolSpec{Window: w, Quantized: p})
		return byRow(op, w.Pixels()*w.Channels), err
	}
	return nil, s.unsupported()
}

// reduction returns the window that covers all that r makes one of, and the
// kernel that a pool is on it.
func (s site) reduction(r graph.Reducer, pool func(g f32.Pool, y, x []float32)) (q8.Window, kernel) {
	_, count, inner := r.Fold(s.Input(graph.InputX).Shape)
	w := q8.Window{Window: window.Whole(count), Channels: inner}
	return w, func(in []*value, out *value) error {
		x := in[graph.InputX].floats()
		pool(f32.Pool{Window: w.Window, Batch: len(x) / (count * inner), Channels: inner}, out.floats(), x)
		return nil
	}
}
