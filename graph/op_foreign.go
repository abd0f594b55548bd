package graph

import (
	"fmt"
	"slices"
)

// Foreign is an operator of a file that this program does not know, or not in the
// form that it has there. It can be shown, and written back as it was; it cannot
// be run, trained or calibrated. The weights of anchors elsewhere in its graph
// can be quantized.
//
// Shapes: Shape is that of the output at batch 1. Where Follows says so, its first
// size is the batch of the first input.
//
// Quantized: never.
type Foreign struct {
	// Operator is the name in TensorFlow Lite's spelling, or that of a custom
	// operator.
	Operator string
	Custom   bool
	Version  int
	// Table names the kind of options, such as "Reducer"; empty for none.
	Table   string
	Options []Option
	// Raw is what a custom operator has in the place of options.
	Raw     []byte
	Shape   []int
	Follows bool
	// Extra is the number of outputs behind the first, each of which a
	// [ForeignOutput] gives; -1 for an operator without outputs, whose node's output
	// stands for its having run.
	Extra int
	// Mutates says of which inputs, that are state, the operator changes the value.
	Mutates []bool
	// Unwritable names what else the operator has that cannot be written back.
	Unwritable string
	// Reason says why a known operator is kept like an unknown one; empty for
	// others.
	Reason string
}

// ForeignOutput gives output Index, 1 or more, of the [Foreign] operator that makes
// its only input. Shapes are as there.
type ForeignOutput struct {
	Index   int   `json:"index"`
	Shape   []int `json:"-"`
	Follows bool  `json:"-"`
}

// Name is never that of an operator that programs know.
func (ForeignOutput) Name() string { return "FOREIGN OUTPUT" }
func (ForeignOutput) Class() Class { return Opaque }

// Infer implements [Op]. The first output of the operator has the batch, or none has.
func (o ForeignOutput) Infer(in [][]int) ([]int, error) {
	return Foreign{Shape: o.Shape, Follows: o.Follows}.Infer(in)
}

// Refusal is why the output cannot be computed.
func (o ForeignOutput) Refusal() string {
	return fmt.Sprintf("it is output %d of an operator that this program does not know", o.Index)
}

// Option is an option of a [Foreign] operator that is not at its default: a bool,
// int, float32, string, []int or []float32.
type Option struct {
	Name  string
	Value any
}

// Name is the operator's name behind the word FOREIGN: it is never that of an
// operator that programs know.
func (o Foreign) Name() string { return "FOREIGN " + o.Operator }
func (Foreign) Class() Class   { return Opaque }

// Infer implements [Op].
func (o Foreign) Infer(in [][]int) ([]int, error) {
	y := slices.Clone(o.Shape)
	if o.Follows {
		if len(in) == 0 || len(in[0]) == 0 || len(y) == 0 {
			return nil, fmt.Errorf("no batch to follow")
		}
		y[0] = in[0][0]
	}
	return y, nil
}

// Refusal is why the operator cannot be run, or trained, or quantized.
func (o Foreign) Refusal() string {
	if o.Reason == "" {
		return fmt.Sprintf("operator %s is not one that this program knows", o.Operator)
	}
	return fmt.Sprintf("operator %s is not supported in this form: %s", o.Operator, o.Reason)
}

// optionTexts are the options as [Graph.WriteText] shows them.
func (o Foreign) optionTexts() []string {
	list := []string{fmt.Sprintf("version %d", o.Version)}
	for _, p := range o.Options {
		list = append(list, fmt.Sprintf("%s %v", p.Name, p.Value))
	}
	if len(o.Raw) > 0 {
		list = append(list, fmt.Sprintf("%d bytes of options", len(o.Raw)))
	}
	return list
}
