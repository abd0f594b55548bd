package nodes

import (
	"fmt"
	"sync/atomic"

	"gorgonia.org/gorgonia"

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
	o := &operator{out: y, run: func(in [][]float32) error { return f.forward(in[0]) }}
	if f.straight() {
		o.symbolic = func(_ gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			return gorgonia.Nodes{grad}, nil
		}
	} else if c.trained[n.Inputs[0]] {
		f.mask = make([]uint8, f32.MaskLen(len(y.data)))
	}
	if op.Observe && op.Quantizer.Source == graph.MovingAverage && c.config.Training {
		f.observe = true
		c.step.observer(op.Quantizer, &f.seen)
	}
	if err := f.prepare(); err != nil {
		return nil, err
	}
	o.derive = func() derivative {
		dx := c.gradient(n.Inputs[0])
		return derivative{grads: []*value{dx}, run: func(in [][]float32) error {
			if f.passes {
				copy(dx.data, in[2])
			} else {
				f32.FakeQuantizeGrad(dx.data, in[2], f.mask)
			}
			return nil
		}}
	}
	return o, nil
}

// straight says whether no element saturates, whatever the values.
func (f *rounding) straight() bool {
	q := f.quantizer
	return q.Source == graph.Dynamic || q.Source == graph.LastValue && q.Symmetric
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

	rows  int            // with parameters of their own: of Dynamic, and of LastValue
	codes []int8         // of Dynamic
	part  func(part int) // rounds some rows
	byRow []float32      // where rows are put together; nil where they are in one piece
	bad   atomic.Bool    // some row holds NaN or an infinite value

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
		f.part = f.dynamicIn
	case q.Source == graph.LastValue && q.Symmetric:
		f.rows, f.part = 1, f.symmetricIn
		if q.Axis >= 0 {
			f.rows = f.shape[q.Axis]
		}
		if q.Axis > 0 {
			f.byRow = make([]float32, len(f.y))
		}
	}
	return nil
}

// forward rounds x to y.
func (f *rounding) forward(x []float32) (err error) {
	f.x, f.passes = x, f.straight()
	if f.observe {
		f.seen.lo, f.seen.hi, f.seen.nan = f32.MinMax(x)
	}
	switch q := f.quantizer; {
	case q.Source == graph.Dynamic:
		parallel.For(f.parts(), f.part)
		return nil
	case q.Source == graph.LastValue && f.rows > 0 && f.rule.Grid() == q.Grid():
		return f.forwardRows()
	case q.Source == graph.LastValue:
		p, err := q.ParamsOf(x, f.shape)
		if err != nil {
			return err
		}
		return f.round(p)
	case !q.Known():
		f.passes = true
		copy(f.y, x)
		return nil
	}
	if q := f.quantizer; q.Source == graph.Fixed && q.FixedParams.PerChannel() {
		return f.round(*q.FixedParams)
	}
	scale, zero, err := f.quantizer.Scale()
	if err != nil {
		return err
	}
	f32.FakeQuantize(f.y, x, f.mask, scale, zero, f.rule.Grid())
	return nil
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

// forwardRows rounds each row by a symmetric scale of its own values.
func (f *rounding) forwardRows() error {
	q := f.quantizer
	f.bad.Store(q.MinScale != nil && len(q.MinScale) != f.rows)
	x, y := f.x, f.y
	if f.byRow != nil {
		f.gather(f.byRow, x)
		f.x, f.y = f.byRow, f.byRow
	}
	if !f.bad.Load() {
		parallel.For(f.parts(), f.part)
	}
	f.x, f.y = x, y
	if f.byRow != nil {
		f.scatter(y, f.byRow)
	}
	if f.bad.Load() {
		_, err := q.ParamsOf(f.x, f.shape) // reports it
		return err
	}
	return nil
}

// gather puts the rows of x, slices along the quantizer's axis, together.
func (f *rounding) gather(rows, x []float32) {
	f.eachRun(func(row, value int, n int) { copy(rows[row:row+n], x[value:]) })
}

// scatter is the inverse of gather.
func (f *rounding) scatter(x, rows []float32) {
	f.eachRun(func(row, value int, n int) { copy(x[value:value+n], rows[row:]) })
}

// eachRun calls do for all runs of n elements that lie together, both by row and in the tensor.
func (f *rounding) eachRun(do func(row, value, n int)) {
	n := graph.Inner(f.shape, f.quantizer.Axis)
	for value := 0; value < len(f.y); value += n {
		run := value / n
		do(run%f.rows*(len(f.y)/f.rows)+run/f.rows*n, value, n)
	}
}

// symmetricIn rounds some rows, each while its values are at hand.
func (f *rounding) symmetricIn(part int) {
	size := len(f.x) / f.rows
	first, end := parallel.Range(f.rows, f.parts(), part)
	for r := first; r < end; r++ {
		x, y := f.x[r*size:][:size], f.y[r*size:][:size]
		lo, hi, nan := f32.MinMax(x)
		scale, err := f.quantizer.ScaleIn(r, lo, hi)
		if nan || err != nil {
			f.bad.Store(true)
			return
		}
		f32.FakeQuantize(y, x, nil, scale, 0, f.quantizer.Grid())
	}
}

// parts is the number of parts that rows are divided into.
func (f *rounding) parts() int {
	return min(parallel.Parts(len(f.y), partElements, parallel.MaxParts), f.rows)
}

// dynamicIn rounds some rows of x, each by the scale of its own values.
func (f *rounding) dynamicIn(part int) {
	size := len(f.x) / f.rows
	first, end := parallel.Range(f.rows, f.parts(), part)
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
