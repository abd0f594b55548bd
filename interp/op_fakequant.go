package interp

import (
	"fmt"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/q8"
	"github.com/goqat/goqat/quant"
)

// fakeQuant rounds to the codes of the node's quantizer and back. Ranges are
// read in every run: training and calibration change them.
func fakeQuant(s site) (kernel, error) {
	if err := s.floatOnly(); err != nil {
		return nil, err
	}
	q, rounding := s.Op.(graph.FakeQuant).Quantizer, s.graph.RoundingOf(s.Node)
	switch q.Source {
	case graph.Fixed, graph.MovingAverage:
		return func(in []*value, out *value) error {
			if !q.Known() {
				copy(out.floats(), in[graph.InputX].floats())
				return nil
			}
			p, err := q.Params()
			if err != nil {
				return err
			}
			return roundTrip(p, rounding.Grid(), in[graph.InputX], out)
		}, nil
	case graph.LastValue:
		return func(in []*value, out *value) error {
			p, err := q.ParamsOf(in[graph.InputX].floats(), out.shape)
			if err != nil {
				return err
			}
			return roundTrip(p, rounding.Grid(), in[graph.InputX], out)
		}, nil
	case graph.Dynamic:
		return fakeQuantRows(q, len(s.Output.Shape))
	}
	return nil, fmt.Errorf("quantizer of tensor %q: no rule for source %v", q.Name, q.Source)
}

// roundTrip writes the values of the codes of x.
func roundTrip(p quant.Params, g quant.Grid, x, out *value) error {
	if err := x.checkFinite(); err != nil {
		return err
	}
	from, to := x.floats(), out.floats()
	if p.PerChannel() {
		return p.FakeQuantize(to, from, nil, out.shape, g)
	}
	if err := p.Check(out.shape); err != nil {
		return err
	}
	f32.FakeQuantize(to, from, nil, p.Scale[0], p.ZeroPoint[0], g)
	return nil
}

// fakeQuantRows prepares the rule of hybrid kernels: each row, an index tuple of
// the axes up to q.Axis, has parameters of its own, computed from its values.
func fakeQuantRows(q *graph.Quantizer, rank int) (kernel, error) {
	if q.Bits != 8 {
		return nil, fmt.Errorf("quantizer of tensor %q: dynamic codes have 8 bits, not %d", q.Name, q.Bits)
	}
	if q.Axis >= rank {
		return nil, fmt.Errorf("quantizer of tensor %q: axis %d of %d", q.Name, q.Axis, rank)
	}
	return func(in []*value, out *value) error {
		if err := in[graph.InputX].checkFinite(); err != nil {
			return err
		}
		x, y := in[graph.InputX].floats(), out.floats()
		rows := graph.Elements(out.shape[:q.Axis+1])
		size := len(x) / rows
		split(rows, size, func(lo, hi int) {
			codes := make([]int8, size)
			for r := lo; r < hi; r++ {
				from, to := x[r*size:][:size], y[r*size:][:size]
				var scale float32
				var zero int32
				if q.Symmetric {
					scale = q8.QuantizeSymmetric(codes, from)
				} else {
					scale, zero = q8.QuantizeAsymmetric(codes, from)
				}
				q8.Dequantize(to, codes, quant.PerTensor(scale, zero))
			}
		})
		return nil
	}, nil
}
