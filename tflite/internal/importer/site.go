package importer

import (
	"errors"
	"fmt"
	"slices"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/format"
	"github.com/goqat/goqat/tflite/internal/operators"
)

// site is an operator of a file on its way into a graph. Whatever understands it
// adds nodes; where nothing does, it becomes a [graph.Foreign].
type site struct {
	b      *builder
	index  int
	name   string
	o      *format.Operator
	inputs []*graph.Tensor
	opts   []graph.Option // nil until asked for
	start  int            // nodes of the graph before this operator
}

// where says which operator it is, for errors.
func (s *site) where() string {
	return fmt.Sprintf("operator %d, %s (byte %d)", s.index, s.name, s.o.At)
}

// operator adds the nodes of operator i, and of those behind it that it is a unit
// with. It returns how many operators that was.
func (b *builder) operator(i int) int {
	o := &b.s.Operators[i]
	if o.Code < 0 || o.Code >= len(b.f.Codes) {
		b.fault("operator %d (byte %d): names operator code %d, there are %d", i, o.At, o.Code, len(b.f.Codes))
		return 1
	}
	s := &site{b: b, index: i, name: b.f.Codes[o.Code].OperatorName(), o: o, start: len(b.g.Nodes)}
	var ok bool
	if s.inputs, ok = b.list(s.where()+": inputs", o.Inputs); !ok {
		return 1
	}
	for k, index := range o.Outputs {
		if index < 0 || index >= len(b.tensors) {
			b.fault("%s: outputs: entry %d names tensor %d, there are %d", s.where(), k, index, len(b.tensors))
			return 1
		}
	}
	count, err := 1, error(nil)
	damaged := format.Guard(func() { count, err = s.understand() })
	if err = errors.Join(damaged, err); err != nil {
		b.g.Nodes = b.g.Nodes[:s.start]
		count = 1
		why := err
		damaged := format.Guard(func() { err = s.foreign(why) })
		if err = errors.Join(damaged, err); err != nil {
			b.fault("%s: %w", s.where(), err)
		}
	}
	for len(b.origins) < len(b.g.Nodes) {
		b.origins = append(b.origins, i)
	}
	return count
}

// errUnknown says that the package has no row for an operator.
var errUnknown = errors.New("this operator is not supported")

// understand adds the nodes of an operator, and of count-1 operators behind it.
func (s *site) understand() (count int, err error) {
	if s.b.keep {
		return 1, errUnknown
	}
	tensors := slices.Clone(s.inputs)
	for _, i := range s.o.Outputs {
		tensors = append(tensors, s.b.tensor(i, true))
	}
	for _, t := range tensors {
		if t != nil && t.Kept != nil {
			return 1, fmt.Errorf("tensor %q: %s", short(t.Name), t.Kept.Refusal())
		}
	}
	if s.name == dilationStart {
		return s.dilation()
	}
	if s.fold() {
		return 1, nil
	}
	if is, err := s.exchanging(); is {
		return 1, err
	}
	if l, ok := lowerings[s.name]; ok {
		return 1, s.lower(l)
	}
	row := operators.ByName(s.name)
	if row == nil {
		return 1, errUnknown
	}
	if len(s.o.Outputs) != 1 {
		return 1, fmt.Errorf("%d outputs, want one", len(s.o.Outputs))
	}
	op, inputs, err := row.Read(operators.Source{Inputs: s.inputs, Kind: s.o.Kind, Table: s.o.Options})
	if err != nil {
		return 1, err
	}
	if err := s.end(0, op, inputs...); err != nil {
		return 1, err
	}
	n := *s.b.g.Nodes[len(s.b.g.Nodes)-1]
	n.Inputs = s.inputs
	_, err = row.VersionOf(&n)
	return 1, err
}

// add adds a node whose output is not in the file. It has the type and codes of
// the first input.
func (s *site) add(op graph.Op, inputs ...*graph.Tensor) (*graph.Tensor, error) {
	if len(s.b.g.Nodes) > len(s.b.f.Data)/8+1024 {
		return nil, errors.New("the file makes too many nodes for its size")
	}
	t := &graph.Tensor{Type: inputs[0].Type, Quant: inputs[0].Quant}
	t.Name = s.b.names.Unique(short(s.b.s.Tensors[s.o.Outputs[0]].Name) + "/part")
	var err error
	if t.Shape, err = infer(op, inputs); err != nil {
		return nil, err
	}
	s.b.g.Nodes = append(s.b.g.Nodes, &graph.Node{Name: t.Name, Op: op, Inputs: inputs, Output: t})
	return t, nil
}

// short bounds a name that others are made from.
func short(name string) string { return name[:min(len(name), 200)] }

// end adds the node whose output is output k of the operator.
func (s *site) end(k int, op graph.Op, inputs ...*graph.Tensor) error {
	shape, err := infer(op, inputs)
	if err != nil {
		return err
	}
	y, err := s.output(k)
	if err != nil {
		return err
	}
	if f := &s.b.s.Tensors[s.o.Outputs[k]]; !f.Agrees(shape) {
		return fmt.Errorf("output has shape %v, but %s gives %v", f.Shape, op.Name(), shape)
	}
	y.Shape = shape
	s.b.g.Nodes = append(s.b.g.Nodes, &graph.Node{Name: y.Name, Op: op, Inputs: inputs, Output: y})
	return nil
}

// output returns the tensor of output k.
func (s *site) output(k int) (*graph.Tensor, error) {
	y := s.b.tensor(s.o.Outputs[k], true)
	if y == nil || y.Role != graph.Activation {
		return nil, fmt.Errorf("output %d must be a tensor that holds no data", k)
	}
	return y, nil
}

// infer returns the shape of an operator's output.
func infer(op graph.Op, inputs []*graph.Tensor) ([]int, error) {
	shapes := make([][]int, len(inputs))
	for i, t := range inputs {
		if t != nil {
			shapes[i] = append([]int{}, t.Shape...)
		}
	}
	shape, err := op.Infer(shapes)
	if se := (*graph.ShapeError)(nil); errors.As(err, &se) {
		return nil, fmt.Errorf("input %d has shape %v, want %s", se.Index, se.Got, se.Want)
	}
	return shape, err
}

// input returns an input, nil if it is omitted.
func (s *site) input(i int) *graph.Tensor {
	if i < len(s.inputs) {
		return s.inputs[i]
	}
	return nil
}
