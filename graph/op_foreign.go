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
	// Reason says why a known operator is kept like an unknown one; empty for
	// others.
	Reason string
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
