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
// never does for Dynamic.
func fakeQuantize(c *compiler, n *graph.Node) (*operator, error) {
	op := n.Op.(graph.FakeQuant)
	y := newValue(c.shapes[n.Output])
	f := &rounding{
		quantizer: op.Quantizer,
		rule:      c.net.RoundingOf(n),
		shape:     y.shape,
		y:         y.data,
		parts:     parallel.Parts(len(y.data), partElements, parallel.MaxParts),
	}
	if c.trained[n.Inputs[0]] {
		f.mask = make([]bool, len(y.data))
	}
	if op.Observe && op.Quantizer.Source == graph.MovingAverage && c.config.Training {
		f.observe = true
		c.step.observer(op.Quantizer, &f.seen)
	}
	if err := f.prepare(); err != nil {
		return nil, err
	}
	back := f.backPart
	return &operator{
		out: y,
		run: func(in [][]float32) error { return f.forward(in[0]) },
		derive: func() derivative {
			dx := c.gradient(n.Inputs[0])
			return derivative{grads: []*value{dx}, run: func(in [][]float32) error {
				if f.passes {
					copy(dx.data, in[2])
					return nil
				}
				f.dx, f.dy = dx.data, in[2]
				parallel.For(f.parts, back)
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

	parts   int
	lengths [][]int // the shape of each part
	faults  []error // by part
	codes   []int8  // of Dynamic
	rows    int     // of Dynamic

	x, y   []float32
	params quant.Params
	grid   quant.Grid
	mask   []bool // nil without a gradient
	passes bool   // the gradient passes everywhere: mask is not set
	dx, dy []float32

	roundPart, dynamicPart func(part int) // made once: a method value allocates
}

// prepare allocates what the steps need.
func (f *rounding) prepare() error {
	f.faults = make([]error, f.parts)
	for p := range f.parts {
		lo, hi := parallel.Range(len(f.y), f.parts, p)
		f.lengths = append(f.lengths, []int{hi - lo})
	}
	f.roundPart, f.dynamicPart = f.roundIn, f.dynamicIn
	if q := f.quantizer; q.Source == graph.Dynamic {
		if q.Bits != 8 || q.Axis < 0 || q.Axis >= len(f.shape) {
			return fmt.Errorf("dynamic quantizer of tensor %q has %d bits and rows up to axis %d of shape %v, want 8 bits and an axis of the shape", q.Name, q.Bits, q.Axis, f.shape)
		}
		f.rows = graph.Elements(f.shape[:q.Axis+1])
		f.codes = make([]int8, len(f.y))
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
		parallel.For(min(f.parts, f.rows), f.dynamicPart)
		return nil
	case q.Source == graph.LastValue:
		if f.params, err = q.ParamsOf(x, f.shape); err != nil {
			return err
		}
	case !q.Known():
		f.passes = true
		copy(f.y, x)
		return nil
	default:
		if f.params, err = q.Params(); err != nil {
			return err
		}
	}
	f.grid = f.rule.Grid()
	if f.params.PerChannel() {
		return f.params.FakeQuantize(f.y, x, f.mask, f.shape, f.grid)
	}
	parallel.For(f.parts, f.roundPart)
	for _, err := range f.faults {
		if err != nil {
			return err
		}
	}
	return nil
}

// roundIn rounds one part of x by the one scale of the tensor.
func (f *rounding) roundIn(part int) {
	lo, hi := parallel.Range(len(f.x), f.parts, part)
	var mask []bool
	if f.mask != nil {
		mask = f.mask[lo:hi]
	}
	f.faults[part] = f.params.FakeQuantize(f.y[lo:hi], f.x[lo:hi], mask, f.lengths[part], f.grid)
}

// dynamicIn rounds some rows of x, each by the scale of its own values.
func (f *rounding) dynamicIn(part int) {
	size := len(f.x) / f.rows
	first, end := parallel.Range(f.rows, min(f.parts, f.rows), part)
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

// backPart computes one part of dx = dy*mask.
func (f *rounding) backPart(part int) {
	lo, hi := parallel.Range(len(f.dx), f.parts, part)
	dx, dy := f.dx[lo:hi], f.dy[lo:hi]
	for i, inside := range f.mask[lo:hi] {
		v := float32(0)
		if inside {
			v = dy[i]
		}
		dx[i] = v
	}
}
