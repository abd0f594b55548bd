package importer

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/format"
	"github.com/goqat/goqat/tflite/internal/operators"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// A lowering says how to write an operator of files by others that graphs have.
// These make the same numbers, of floats and of codes alike, and the batch stays
// the first axis.
type lowering struct {
	options schema.BuiltinOptions // NONE where they do not matter
	do      func(s *site) error
}

var lowerings = map[string]lowering{
	"EXPAND_DIMS":   {do: expandDims},
	"FILL":          {do: fill},
	"GATHER":        {schema.BuiltinOptionsGatherOptions, gather},
	"PACK":          {schema.BuiltinOptionsPackOptions, pack},
	"PADV2":         {do: padV2},
	"SLICE":         {do: slice},
	"SPLIT":         {do: split},
	"SPLIT_V":       {do: splitV},
	"SQUEEZE":       {schema.BuiltinOptionsSqueezeOptions, squeeze},
	"STRIDED_SLICE": {schema.BuiltinOptionsStridedSliceOptions, readStridedSlice},
	"TILE":          {do: tile},
	"UNPACK":        {schema.BuiltinOptionsUnpackOptions, unpack},
}

// lower adds the nodes that an operator means.
func (s *site) lower(l lowering) error {
	if s.input(0) == nil || len(s.o.Outputs) == 0 {
		return errors.New("no inputs or no outputs")
	}
	if l.options != schema.BuiltinOptionsNONE {
		if err := (operators.Source{Kind: s.o.Kind}).Require(l.options); err != nil {
			return err
		}
	}
	if err := l.do(s); err != nil {
		return err
	}
	for _, n := range s.b.g.Nodes[s.start:] {
		x := n.Inputs[0].Type
		if !slices.ContainsFunc(operators.ByName(n.Op.Name()).Kinds, func(k operators.Kind) bool { return k.In[0] == x && k.Out == n.Output.Type }) {
			return fmt.Errorf("no runtime takes %v with output %v", x, n.Output.Type)
		}
	}
	return nil
}

// ints is input i as a constant list of integers; see [operators.Source.Ints].
func (s *site) ints(i int, what string, ranks ...int) ([]int, error) {
	return operators.Source{Inputs: s.inputs}.Ints(i, what, ranks...)
}

// axis returns one of rank axes, none of which is the batch. Negative numbers
// count from the end.
func axis(a, rank int) (int, error) {
	if a < 0 {
		a += rank
	}
	if a < 1 || a >= rank {
		return 0, fmt.Errorf("axis %d of %d, which is the batch or none", a, rank)
	}
	return a, nil
}

// axisInput is [axis] of a number in input i.
func (s *site) axisInput(i, rank int) (int, error) {
	list, err := s.ints(i, "axis", 0, 1)
	if err != nil {
		return 0, err
	}
	if len(list) != 1 {
		return 0, fmt.Errorf("%d axes, want one", len(list))
	}
	return axis(list[0], rank)
}

// reshaped is the operator to a shape of batch 1 that fits any batch.
func reshaped(shape []int) graph.Reshape {
	return graph.Reshape{Shape: append([]int{-1}, shape[1:]...)}
}

// without returns a shape without one axis.
func without(shape []int, axis int) []int { return slices.Delete(slices.Clone(shape), axis, axis+1) }

// part is the operator that takes size elements from begin on along an axis.
func part(shape []int, axis, begin, size int) graph.StridedSlice {
	op := whole(shape)
	op.Begin[axis], op.End[axis] = begin, begin+size
	op.BeginMask, op.EndMask = op.BeginMask&^(1<<axis), op.EndMask&^(1<<axis)
	return op
}

// whole is the operator that takes everything.
func whole(shape []int) graph.StridedSlice {
	all := 1<<len(shape) - 1
	return graph.StridedSlice{
		Begin: make([]int, len(shape)), End: slices.Clone(shape), Strides: slices.Repeat([]int{1}, len(shape)),
		BeginMask: all, EndMask: all,
	}
}

// inside reports sizes that are not within a shape.
func inside(shape []int, axis, begin, size int) error {
	if begin < 0 || size < 1 || begin > shape[axis]-size {
		return fmt.Errorf("%d elements from %d on of an axis of %d", size, begin, shape[axis])
	}
	return nil
}

func expandDims(s *site) error {
	x := s.inputs[0]
	a, err := s.axisInput(1, len(x.Shape)+1)
	if err != nil || len(x.Shape) == 0 {
		return fmt.Errorf("shape %v: %w", x.Shape, err)
	}
	return s.end(0, reshaped(slices.Insert(slices.Clone(x.Shape), a, 1)), x)
}

func squeeze(s *site) error {
	x := s.inputs[0]
	var dims []int
	for _, o := range s.options() {
		if list, ok := o.Value.([]int); ok {
			dims = list
		}
	}
	if len(dims) == 0 {
		for a, d := range x.Shape {
			if d == 1 {
				dims = append(dims, a)
			}
		}
	}
	drop := make([]bool, len(x.Shape))
	for _, d := range dims {
		a, err := axis(d, len(x.Shape))
		if err != nil {
			return err
		}
		if x.Shape[a] != 1 {
			return fmt.Errorf("axis %d of shape %v is not 1", a, x.Shape)
		}
		drop[a] = true
	}
	var shape []int
	for a, d := range x.Shape {
		if !drop[a] {
			shape = append(shape, d)
		}
	}
	return s.end(0, reshaped(shape), x)
}

// pack joins its inputs along a new axis.
func pack(s *site) error {
	if slices.Contains(s.inputs, nil) {
		return errors.New("an input is missing")
	}
	shape := s.inputs[0].Shape
	a, err := axis(s.option("axis"), len(shape)+1)
	if err != nil {
		return err
	}
	parts, err := s.widened(a)
	if err != nil {
		return err
	}
	return s.end(0, graph.Concat{Axis: a}, parts...)
}

// packed returns what [pack] along an axis makes, for further use.
func (s *site) packed(axis int) (*graph.Tensor, error) {
	parts, err := s.widened(axis)
	if err != nil {
		return nil, err
	}
	return s.add(graph.Concat{Axis: axis}, parts...)
}

// widened returns the inputs with another axis of size 1.
func (s *site) widened(axis int) ([]*graph.Tensor, error) {
	parts := make([]*graph.Tensor, len(s.inputs))
	for i, x := range s.inputs {
		if len(x.Shape) < axis {
			return nil, fmt.Errorf("shape %v has no axis %d", x.Shape, axis-1)
		}
		var err error
		if parts[i], err = s.add(reshaped(slices.Insert(slices.Clone(x.Shape), axis, 1)), x); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// unpack takes an axis apart.
func unpack(s *site) error {
	x := s.inputs[0]
	a, err := axis(s.option("axis"), len(x.Shape))
	if err != nil {
		return err
	}
	return s.unpacked(x, a)
}

func (s *site) unpacked(x *graph.Tensor, axis int) error {
	if n := len(s.o.Outputs); n != x.Shape[axis] {
		return fmt.Errorf("%d outputs of an axis of %d", n, x.Shape[axis])
	}
	for k := range s.o.Outputs {
		y, err := s.add(part(x.Shape, axis, k, 1), x)
		if err != nil {
			return err
		}
		if err := s.end(k, reshaped(without(x.Shape, axis)), y); err != nil {
			return err
		}
	}
	return nil
}

// split takes an axis apart into equal parts; the axis is its first input.
func split(s *site) error {
	x := s.input(1)
	if x == nil {
		return errors.New("no input")
	}
	a, err := s.axisInput(0, len(x.Shape))
	if err != nil {
		return err
	}
	n := len(s.o.Outputs)
	return s.parts(x, a, slices.Repeat([]int{x.Shape[a] / n}, n))
}

func splitV(s *site) error {
	x := s.inputs[0]
	a, err := s.axisInput(2, len(x.Shape))
	if err != nil {
		return err
	}
	sizes, err := s.ints(1, "sizes", 1)
	if err != nil {
		return err
	}
	rest, free := x.Shape[a], -1
	for k, size := range sizes {
		if size < 0 {
			free = k
		} else {
			rest -= min(size, x.Shape[a])
		}
	}
	if free >= 0 {
		sizes[free] = rest
	}
	return s.parts(x, a, sizes)
}

// parts makes the outputs neighbouring parts of x, which fill the axis.
func (s *site) parts(x *graph.Tensor, axis int, sizes []int) error {
	begin := 0
	for k, size := range sizes {
		if err := inside(x.Shape, axis, begin, size); err != nil {
			return err
		}
		if k < len(s.o.Outputs) {
			if err := s.end(k, part(x.Shape, axis, begin, size), x); err != nil {
				return err
			}
		}
		begin += size
	}
	if len(sizes) != len(s.o.Outputs) || begin != x.Shape[axis] {
		return fmt.Errorf("parts %v of an axis of %d, for %d outputs", sizes, x.Shape[axis], len(s.o.Outputs))
	}
	return nil
}

// tile repeats a tensor along its axes.
func tile(s *site) error {
	x := s.inputs[0]
	times, err := s.ints(1, "multiples", 1)
	if err != nil {
		return err
	}
	if len(times) != len(x.Shape) || len(times) == 0 || times[0] != 1 {
		return fmt.Errorf("multiples %v of a tensor of shape %v, whose batch cannot be repeated", times, x.Shape)
	}
	const most = 64 // copies
	var axes []int
	for a, n := range times {
		if n < 1 || n > most {
			return fmt.Errorf("multiples %v must be between 1 and %d", times, most)
		}
		if n > 1 {
			axes = append(axes, a)
		}
	}
	for i, a := range axes {
		copies := slices.Repeat([]*graph.Tensor{x}, times[a])
		if i == len(axes)-1 {
			return s.end(0, graph.Concat{Axis: a}, copies...)
		}
		if x, err = s.add(graph.Concat{Axis: a}, copies...); err != nil {
			return err
		}
	}
	return s.end(0, reshaped(x.Shape), x)
}

// gather takes one place of an axis, or neighbouring ones.
func gather(s *site) error {
	x := s.inputs[0]
	at, err := s.ints(1, "indices", 0, 1)
	if err != nil {
		return err
	}
	a, err := axis(s.option("axis"), len(x.Shape))
	if err != nil {
		return err
	}
	if s.option("batch_dims") != 0 || len(at) == 0 {
		return fmt.Errorf("%d indices with batch_dims %d", len(at), s.option("batch_dims"))
	}
	for i := range at {
		if at[i] != at[0]+i {
			return fmt.Errorf("indices %v are not neighbours", at)
		}
	}
	if len(s.inputs[1].Shape) == 0 {
		return s.place(x, a, at[0])
	}
	if err := inside(x.Shape, a, at[0], len(at)); err != nil {
		return err
	}
	return s.end(0, part(x.Shape, a, at[0], len(at)), x)
}

// place makes the output what x holds at one place of an axis.
func (s *site) place(x *graph.Tensor, axis, at int) error {
	if err := inside(x.Shape, axis, at, 1); err != nil {
		return err
	}
	y, err := s.add(part(x.Shape, axis, at, 1), x)
	if err != nil {
		return err
	}
	return s.end(0, reshaped(without(x.Shape, axis)), y)
}

// maxFilled is the most elements of a constant that a file describes by its shape.
const maxFilled = 1 << 12

// fill is a constant whose elements are all the same.
func fill(s *site) error {
	shape, err := s.ints(0, "shape", 1)
	if err != nil {
		return err
	}
	y, err := s.output(0)
	if err != nil {
		return err
	}
	value := s.input(1)
	if value == nil || y.Type != graph.Float32 || len(value.Float32s()) != 1 {
		return errors.New("the value is not a constant of float32")
	}
	if f := &s.b.s.Tensors[s.o.Outputs[0]]; !f.Agrees(shape) || len(shape) > format.MaxRank {
		return fmt.Errorf("output has shape %v, want %v", f.Shape, shape)
	}
	elements := 1
	for _, d := range shape {
		if d < 1 || d > maxFilled/elements {
			return fmt.Errorf("shape %v: want at most %d elements", shape, maxFilled)
		}
		elements *= d
	}
	y.Role, y.Shape, y.Data = graph.Constant, shape, slices.Repeat(value.Float32s(), elements)
	return nil
}

// padV2 pads with a number, of which only 0 is known here: for codes, the zero
// point.
func padV2(s *site) error {
	x, value := s.inputs[0], s.input(2)
	var v float64 = math.NaN()
	if value != nil && value.Elements() == 1 {
		switch d := value.Data.(type) {
		case []float32:
			v = float64(d[0])
		case []int8:
			if x.Quant != nil {
				v = float64(int32(d[0]) - x.Quant.ZeroPoint[0])
			}
		}
	}
	if v != 0 {
		return errors.New("pads with what is not known to be 0")
	}
	op, _, err := operators.ByName("PAD").Read(operators.Source{Inputs: s.inputs})
	if err != nil {
		return err
	}
	return s.end(0, op, x)
}

// option returns a number among the options: 0 for one that is not there.
func (s *site) option(name string) int {
	for _, o := range s.options() {
		if o.Name == name {
			if v, ok := o.Value.(int); ok {
				return v
			}
			return 1 // a bool that is not at its default of false
		}
	}
	return 0
}

// options returns the options of the operator.
func (s *site) options() []graph.Option {
	if s.opts == nil {
		_, list := s.b.p.Options(s.o)
		s.opts = append([]graph.Option{}, list...)
	}
	return s.opts
}
