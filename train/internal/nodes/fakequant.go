package nodes

import (
	"fmt"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/q8"
	"github.com/goqat/goqat/internal/parallel"
	"github.com/goqat/goqat/quant"
)

// fakeQuantize builds [graph.FakeQuant]. Where its parameters come from is the
// quantizer's Source:
//
//   - LastValue: the values of this step;
//   - MovingAverage: the range as of the last Commit, while unknown the identity;
//   - Fixed: the quantizer;
//   - Dynamic: each row by itself, by the rule of the hybrid kernels.
//
// Gradient: passes straight through where the code did not saturate, which it
// never does for Dynamic, nor for the symmetric scales of LastValue: the largest
// value has the largest code.
func fakeQuantize(c *compiler, n *graph.Node) (*operator, error) {
	op := n.Op.(graph.FakeQuant)
	y := newValue(c.shapes[n.Output])
	f := &rounding{
		quantizer: op.Quantizer,
		rule:      c.net.RoundingOf(n),
		shape:     y.shape,
		y:         y.data,
	}
	if c.trained[n.Inputs[0]] {
		f.mask = make([]uint8, f32.MaskLen(len(y.data)))
	}
	if op.Observe && op.Quantizer.Source == graph.MovingAverage && c.config.Training {
		f.observe = true
		c.step.observer(op.Quantizer, &f.seen)
	}
	if err := f.prepare(); err != nil {
		return nil, err
	}
	return &operator{
		out: y,
		run: func(in [][]float32) error { return f.forward(in[0]) },
		derive: func() derivative {
			dx := c.gradient(n.Inputs[0])
			return derivative{grads: []*value{dx}, run: func(in [][]float32) error {
				if f.passes {
					copy(dx.data, in[2])
				} else {
					f32.FakeQuantizeGrad(dx.data, in[2], f.mask)
				}
				return nil
			}}
		},
	}, nil
}

// observer adds what a node sees to what its quantizer sees.
func (s *Step) observer(q *graph.Quantizer, seen *extent) {
	for _, o := range s.observations {
		if o.quantizer == q {
			o.nodes = append(o.nodes, seen)
			return
		}
	}
	s.observations = append(s.observations, &observation{quantizer: q, nodes: []*extent{seen}})
}

// rounding is a FakeQuant node and its state during a step.
type rounding struct {
	quantizer *graph.Quantizer
	rule      graph.Rounding
	shape     []int
	observe   bool
	seen      extent

	rows          int       // with parameters of their own: of Dynamic, and of LastValue with scales along axis 0
	codes         []int8    // of Dynamic
	scale, lo, hi []float32 // of LastValue, by row
	dynamicPart   func(part int)

	x, y   []float32
	mask   []uint8 // nil without a gradient
	passes bool    // the gradient passes everywhere: mask is not set
}

// prepare allocates what the steps need.
func (f *rounding) prepare() error {
	switch q := f.quantizer; {
	case q.Source == graph.Dynamic:
		if q.Bits != 8 || q.Axis < 0 || q.Axis >= len(f.shape) {
			return fmt.Errorf("dynamic quantizer of tensor %q has %d bits and rows up to axis %d of shape %v, want 8 bits and an axis of the shape", q.Name, q.Bits, q.Axis, f.shape)
		}
		f.rows = graph.Elements(f.shape[:q.Axis+1])
		f.codes = make([]int8, len(f.y))
		f.dynamicPart = f.dynamicIn
	case q.Source == graph.LastValue && q.Symmetric && q.Axis <= 0:
		f.rows = 1
		if q.Axis == 0 {
			f.rows = f.shape[0]
		}
		f.scale, f.lo, f.hi = make([]float32, f.rows), make([]float32, f.rows), make([]float32, f.rows)
	}
	return nil
}

// forward rounds x to y.
func (f *rounding) forward(x []float32) (err error) {
	f.x, f.passes = x, false
	if f.observe {
		f.seen.lo, f.seen.hi, f.seen.nan = f32.MinMax(x)
	}
	switch q := f.quantizer; {
	case q.Source == graph.Dynamic:
		f.passes = true
		parallel.For(f.dynamicParts(), f.dynamicPart)
		return nil
	case f.scale != nil && f.rule.Grid() == q.Grid():
		f.passes = true
		return f.forwardRows(x)
	case q.Source == graph.LastValue:
		p, err := q.ParamsOf(x, f.shape)
		if err != nil {
			return err
		}
		f.passes = q.Symmetric
		return f.round(p)
	case !q.Known():
		f.passes = true
		copy(f.y, x)
		return nil
	}
	p, err := f.quantizer.Params()
	if err != nil {
		return err
	}
	return f.round(p)
}

// round rounds x by the given parameters.
func (f *rounding) round(p quant.Params) error {
	if err := p.Check(f.shape); err != nil {
		return err
	}
	g := f.rule.Grid()
	if !p.PerChannel() {
		f32.FakeQuantize(f.y, f.x, f.mask, p.Scale[0], p.ZeroPoint[0], g)
		return nil
	}
	if f.passes || f.mask == nil {
		return p.FakeQuantize(f.y, f.x, nil, f.shape, g)
	}
	inside := make([]bool, len(f.y))
	err := p.FakeQuantize(f.y, f.x, inside, f.shape, g)
	f32.PackMask(f.mask, inside)
	return err
}

// forwardRows rounds each row of x by a symmetric scale of its own values.
func (f *rounding) forwardRows(x []float32) error {
	size := len(x) / f.rows
	for r := range f.rows {
		lo, hi, nan := f32.MinMax(x[r*size:][:size])
		if nan || lo-lo != 0 || hi-hi != 0 { // NaN or an infinite value, which ParamsOf reports
			_, err := f.quantizer.ParamsOf(x, f.shape)
			return err
		}
		f.lo[r], f.hi[r] = lo, hi
	}
	if err := f.quantizer.ScalesIn(f.scale, f.lo, f.hi); err != nil {
		return err
	}
	f32.FakeQuantizeRows(f.y, x, f.scale, f.quantizer.Grid())
	return nil
}

// dynamicParts is the number of parts that Dynamic rows are divided into.
func (f *rounding) dynamicParts() int {
	return min(parallel.Parts(len(f.y), partElements, parallel.MaxParts), f.rows)
}

// dynamicIn rounds some rows of x, each by the scale of its own values.
func (f *rounding) dynamicIn(part int) {
	size := len(f.x) / f.rows
	first, end := parallel.Range(f.rows, f.dynamicParts(), part)
	for r := first; r < end; r++ {
		x, y, codes := f.x[r*size:][:size], f.y[r*size:][:size], f.codes[r*size:][:size]
		var scale float32
		var zero int32
		if f.quantizer.Symmetric {
			scale = q8.QuantizeSymmetric(codes, x)
		} else {
			scale, zero = q8.QuantizeAsymmetric(codes, x)
		}
		for i, code := range codes {
			y[i] = quant.Value(int32(code), scale, zero)
		}
	}
}
