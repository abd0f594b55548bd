package graph

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/goqat/goqat/quant"
)

// String returns the text of [Graph.WriteText].
func (g *Graph) String() string {
	var b strings.Builder
	g.WriteText(&b) // a strings.Builder takes everything
	return b.String()
}

// WriteText writes the graph for people to read and tests to compare: a line for
// each input, each tensor with data, each node in execution order, each output.
// A node's line is
//
//	name = OPERATOR{options}(inputs) -> type[shape]
//
// where options at their zero value are left out, - stands for an omitted input
// and codes are followed by scale and zero point. Fake quantization names its
// quantizer with a number, so that sharing shows. The text depends only on the
// graph. The other networks of a file follow.
func (g *Graph) WriteText(w io.Writer) error {
	p := &printer{w: w}
	p.graph(g)
	for i, s := range g.Subgraphs {
		p.line("\nsubgraph %d", i+1)
		if s.Signature != "" {
			p.line("signature %s", s.Signature)
		}
		p.graph(s)
	}
	return p.err
}

// graph writes a graph without its other networks.
func (p *printer) graph(g *Graph) {
	p.line("graph %s", g.Name)
	if g.Recipe != nil {
		p.line("recipe %s (%v)", g.Recipe.Name, g.Recipe.Mode)
	}
	for _, t := range g.Inputs {
		p.line("input %s: %s", t.Name, typeText(t))
	}
	for _, t := range g.Tensors() {
		if t.Role != Activation {
			p.line("%v %s: %s", t.Role, t.Name, typeText(t))
		}
	}
	quantizers := g.Quantizers()
	for _, n := range g.Nodes {
		name := n.Name
		if n.Output.Name != name {
			name += ": " + n.Output.Name
		}
		options := optionsText(n.Op)
		if f, ok := n.Op.(FakeQuant); ok {
			options = append([]string{quantizerText(f.Quantizer, slices.Index(quantizers, f.Quantizer), n.Inputs[0])}, options...)
		}
		text := ""
		if len(options) > 0 {
			text = "{" + strings.Join(options, ", ") + "}"
		}
		p.line("%s = %s%s(%s) -> %s", name, n.Op.Name(), text, strings.Join(inputTexts(n), ", "), typeText(n.Output))
	}
	for _, t := range g.Outputs {
		p.line("output %s", t.Name)
	}
}

// printer writes lines until the first error, which it keeps.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, a ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", a...)
	}
}

// typeText is "int8[1 4] scale 0.5 zero 3" or "float32[4] l2 0.01 max_norm 2".
func typeText(t *Tensor) string {
	s := fmt.Sprintf("%v%v", t.Type, t.Shape)
	if t.Kept != nil {
		s = t.Kept.text(t)
	}
	if t.Int4 {
		s = fmt.Sprintf("int4%v", t.Shape)
	}
	if t.Quant != nil {
		s += " " + paramsText(*t.Quant)
	}
	if t.Penalty != (Penalty{}) {
		s += " " + t.Penalty.String()
	}
	if t.Constraint != (Constraint{}) {
		s += " " + t.Constraint.String()
	}
	return s
}

// paramsText gives one scale, or the extremes of many.
func paramsText(p quant.Params) string {
	switch {
	case len(p.Scale) == 0 || len(p.ZeroPoint) == 0:
		return "no scale"
	case !p.PerChannel():
		return fmt.Sprintf("scale %v zero %d", p.Scale[0], p.ZeroPoint[0])
	}
	s := fmt.Sprintf("%d scales %v..%v", len(p.Scale), slices.Min(p.Scale), slices.Max(p.Scale))
	if lo, hi := slices.Min(p.ZeroPoint), slices.Max(p.ZeroPoint); lo != 0 || hi != 0 {
		s += fmt.Sprintf(" zeros %d..%d", lo, hi)
	}
	return s + fmt.Sprintf(" axis %d", p.Axis)
}

// quantizerText describes the quantizer of a node that reads x.
func quantizerText(q *Quantizer, index int, x *Tensor) string {
	if q == nil {
		return "no quantizer"
	}
	kind := "asymmetric"
	if q.Symmetric {
		kind = "symmetric"
	}
	if q.Narrow {
		kind += " narrow"
	}
	s := fmt.Sprintf("q%d %s: %d bits %s, %v", index, q.Name, q.Bits, kind, q.Source)
	if q.Source == MovingAverage {
		s += fmt.Sprintf(" %v", q.Decay)
	}
	var p quant.Params
	var err error
	switch {
	case q.Source == MovingAverage && !q.Known():
		return s + " not observed"
	case q.Source == Dynamic:
		return s + fmt.Sprintf(" axis %d", q.Axis)
	case q.Source == LastValue && (x == nil || x.Float32s() == nil):
		return s + fmt.Sprintf(" of computed weights axis %d", q.Axis)
	case q.Source == LastValue:
		p, err = q.ParamsOf(x.Float32s(), x.Shape)
	default:
		p, err = q.Params()
	}
	if err != nil {
		return s + " invalid: " + err.Error()
	}
	return s + " " + paramsText(p)
}

// optionsText lists the fields of an operator that are not at their zero value,
// named as in files.
func optionsText(op Op) []string {
	if f, ok := op.(Foreign); ok {
		return f.optionTexts()
	}
	var list []string
	var walk func(reflect.Value)
	walk = func(v reflect.Value) {
		for i := range v.NumField() {
			field, value := v.Type().Field(i), v.Field(i)
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			switch {
			case field.Anonymous:
				walk(value)
			case name != "-" && !value.IsZero():
				list = append(list, fmt.Sprintf("%s %v", name, value.Interface()))
			}
		}
	}
	if v := reflect.ValueOf(op); v.Kind() == reflect.Struct {
		walk(v)
	}
	return list
}

func inputTexts(n *Node) []string {
	list := make([]string, len(n.Inputs))
	for i, t := range n.Inputs {
		list[i] = "-"
		if t != nil {
			list[i] = t.Name
		}
	}
	return list
}
