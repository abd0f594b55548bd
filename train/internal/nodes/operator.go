package nodes

import (
	"errors"
	"fmt"
	"hash"
	"hash/fnv"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// operator is every operator of the expression graph: a function on slices, the
// value it writes, and how to differentiate it. It implements [gorgonia.SDOp].
type operator struct {
	label string // for messages
	out   *value // owned; the same in every step
	// run computes out. The argument is valid during the call.
	run func(in [][]float32) error
	// differentiable has one entry per input. All are false outside training.
	differentiable []bool
	// derive makes the gradient operator; nil if nothing is differentiable.
	derive func() derivative
	// symbolic replaces the usual construction by derive.
	symbolic func(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error)

	compiler *compiler
	fault    *error // where a failure is kept
	identity []byte // unique in its graph: Gorgonia merges operators of equal hash
	typ      hm.Type
	in       [][]float32
}

// derivative computes the gradients of an operator's inputs.
type derivative struct {
	// grads has one entry per input of the operator, nil where there is none.
	grads []*value
	// run fills grads. Its arguments are the operator's inputs, its output, and
	// the gradient of its output.
	run func(in [][]float32) error
}

// value is a tensor with the slice behind it.
type value struct {
	data  []float32
	shape []int
	boxed gorgonia.Value
}

// newValue returns zeros of the given shape.
func newValue(shape []int) *value {
	n := 1
	for _, d := range shape {
		n *= d
	}
	data := make([]float32, n)
	largePages(data)
	return view(data, shape)
}

// view returns a value over data.
func view(data []float32, shape []int) *value {
	return &value{data: data, shape: shape, boxed: tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data))}
}

// floats returns the slice behind v; scalars are put into scratch.
func floats(v gorgonia.Value, scratch []float32) ([]float32, error) {
	switch v := v.(type) {
	case *tensor.Dense:
		return v.Float32s(), nil
	case *gorgonia.F32:
		return append(scratch[:0], float32(*v)), nil
	}
	return nil, fmt.Errorf("argument is a %T", v)
}

// Do runs the operator. Panics of kernels end here: Gorgonia's tape machine
// calls Do in a goroutine of its own, where nothing else could catch them.
func (o *operator) Do(in ...gorgonia.Value) (_ gorgonia.Value, err error) {
	defer o.keep(&err)
	defer rescue(o.label, &err)
	for i, v := range in {
		if o.in[i], err = floats(v, o.in[i]); err != nil {
			return nil, fmt.Errorf("nodes: %s: %w", o.label, err)
		}
	}
	if err := o.run(o.in); err != nil {
		return nil, fmt.Errorf("nodes: %s: %w", o.label, err)
	}
	return o.out.boxed, nil
}

// keep remembers a failure as it is, before a machine wraps it.
func (o *operator) keep(err *error) {
	if *err != nil {
		*o.fault = *err
	}
}

// rescue turns a panic into an error.
func rescue(where string, err *error) {
	switch r := recover().(type) {
	case nil:
	case error:
		*err = fmt.Errorf("nodes: %s: panic: %w", where, r)
	default:
		*err = fmt.Errorf("nodes: %s: panic: %v", where, r)
	}
}

// errCollision reports two nodes that Gorgonia takes for one, because it knows
// them by a 32-bit hash.
var errCollision = errors.New("nodes: two operators have one hash")

// apply adds a node that applies o to the given nodes.
func (c *compiler) apply(o *operator, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	o.compiler, o.fault = c, &c.step.fault
	o.identity = []byte(c.unique(o.label))
	o.in = make([][]float32, len(in))
	if o.differentiable == nil {
		o.differentiable = make([]bool, len(in))
	}
	types := make([]hm.Type, 0, len(in)+1)
	for _, n := range in {
		types = append(types, n.Type())
	}
	o.typ = hm.NewFnType(append(types, typeOf(o.out.shape))...)
	n, err := gorgonia.ApplyOp(o, in...)
	if err != nil {
		return nil, fmt.Errorf("nodes: %s: %w", o.label, err)
	}
	if n.Op() != gorgonia.Op(o) {
		return nil, errCollision
	}
	return n, nil
}

// typeOf returns Gorgonia's type for a shape.
func typeOf(shape []int) hm.Type {
	if len(shape) == 0 {
		return tensor.Float32
	}
	return gorgonia.TensorType{Dims: len(shape), Of: tensor.Float32}
}

// DiffWRT says which inputs have a gradient.
func (o *operator) DiffWRT(int) []bool { return o.differentiable }

// SymDiff adds the operator's derivative to the expression graph: one node that
// computes all gradients and has the first of them as its value, and one node
// for each further gradient that hands it out.
func (o *operator) SymDiff(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	if o.symbolic != nil {
		return o.symbolic(in, out, grad)
	}
	d := o.derive()
	grads := make(gorgonia.Nodes, len(in))
	var all *gorgonia.Node
	for i, g := range d.grads {
		if g == nil {
			continue
		}
		var err error
		if all == nil {
			arguments := append(append(gorgonia.Nodes{}, in...), out, grad)
			all, err = o.compiler.apply(&operator{label: "gradient of " + o.label, out: g, run: d.run}, arguments...)
			grads[i] = all
		} else {
			grads[i], err = o.compiler.apply(&operator{label: "pick of " + o.label, out: g, run: handOut}, all)
		}
		if err != nil {
			return nil, err
		}
	}
	return grads, nil
}

// handOut is the work of operators whose value is there already.
func handOut([][]float32) error { return nil }

func (o *operator) Arity() int    { return len(o.in) }
func (o *operator) Type() hm.Type { return o.typ }
func (o *operator) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return append(tensor.Shape{}, o.out.shape...), nil
}
func (o *operator) ReturnsPtr() bool      { return false } // the machine must not reuse out
func (o *operator) CallsExtern() bool     { return false }
func (o *operator) OverwritesInput() int  { return -1 }
func (o *operator) WriteHash(h hash.Hash) { h.Write(o.identity) }
func (o *operator) String() string        { return o.label }
func (o *operator) Hashcode() uint32 {
	h := fnv.New32a()
	h.Write(o.identity)
	return h.Sum32()
}
