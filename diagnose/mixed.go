package diagnose

import (
	"fmt"
	"slices"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/quant"
)

// mixed returns a model, such as a file holds, with float32 borders, and with the
// layers that off names left in float32: they read and write real values, and their
// data is that of the float network, or what the model's codes stand for where there
// is none.
//
// An operator whose layer is quantized and whose inputs all have codes is the
// integer operator of the model. One that reads real values is computed in float32
// with what its codes stand for, and a QUANTIZE operator rounds what it computes.
func mixed(model *graph.Graph, o ownership, from *origin, off func(layer string) bool) (*graph.Graph, error) {
	m := &mixer{
		model: model, layers: o, from: from, off: off, g: &graph.Graph{Name: model.Name}, used: map[string]bool{},
		codes: map[*graph.Tensor]*graph.Tensor{}, real: map[*graph.Tensor]*graph.Tensor{}, data: map[*graph.Tensor]*graph.Tensor{},
	}
	for _, t := range model.Tensors() {
		m.used[t.Name] = true
	}
	for _, n := range model.Nodes {
		m.used[n.Name] = true
	}
	for _, x := range model.Inputs {
		m.input(x)
	}
	for _, n := range model.Nodes {
		if err := m.node(n); err != nil {
			return nil, fmt.Errorf("node %q: %w", n.Name, err)
		}
	}
	for _, y := range model.Outputs {
		if m.codes[y] == nil {
			m.codes[y] = m.real[y]
		}
		m.g.Outputs = append(m.g.Outputs, m.codes[y])
	}
	return m.g, m.g.Check()
}

// mixer builds a mixed network.
type mixer struct {
	model  *graph.Graph
	layers ownership
	from   *origin
	off    func(layer string) bool
	g      *graph.Graph
	used   map[string]bool
	// codes and real have the tensors that stand for those of the model, as far as
	// there are any: an activation has codes, real values or both.
	codes, real map[*graph.Tensor]*graph.Tensor
	data        map[*graph.Tensor]*graph.Tensor // real values of the model's data
}

// free returns a name that nothing has.
func (m *mixer) free(name string) string {
	for try, i := name, 1; ; i++ {
		if !m.used[try] {
			m.used[try] = true
			return try
		}
		try = fmt.Sprintf("%s_%d", name, i)
	}
}

// like returns a new tensor of the shape and codes of t; of float32 values where it
// is not to have codes.
func (m *mixer) like(t *graph.Tensor, name string, codes bool) *graph.Tensor {
	c := &graph.Tensor{Name: name, Shape: t.Shape}
	if codes {
		c.Type, c.Quant = t.Type, t.Quant
	}
	return c
}

func (m *mixer) add(name string, op graph.Op, inputs []*graph.Tensor, output *graph.Tensor) {
	m.g.Nodes = append(m.g.Nodes, &graph.Node{Name: name, Op: op, Inputs: inputs, Output: output})
}

// input makes a float32 input, and codes behind it where the model's has some.
func (m *mixer) input(x *graph.Tensor) {
	in := m.like(x, x.Name, false)
	m.g.Inputs, m.real[x] = append(m.g.Inputs, in), in
	if x.Quant != nil && !m.off(x.Name) {
		m.quantize(x)
	}
}

// quantize makes codes of the real values of t.
func (m *mixer) quantize(t *graph.Tensor) {
	m.codes[t] = m.like(t, m.free(t.Name+"/codes"), true)
	m.add(m.codes[t].Name, graph.Quantize{}, []*graph.Tensor{m.real[t]}, m.codes[t])
	delete(m.real, t) // who reads real values reads those of the codes
}

// values returns the real values of an activation.
func (m *mixer) values(t *graph.Tensor) *graph.Tensor {
	if m.real[t] == nil {
		m.real[t] = m.like(t, m.free(t.Name+"/values"), false)
		m.add(m.real[t].Name, graph.Dequantize{}, []*graph.Tensor{m.codes[t]}, m.real[t])
	}
	return m.real[t]
}

// node adds what stands for n.
func (m *mixer) node(n *graph.Node) error {
	layer, owned := m.layers.of[n]
	quantized := !owned || !m.off(layer)
	x, y := n.Inputs[graph.InputX], n.Output
	switch n.Op.(type) {
	case graph.Quantize:
		switch {
		case !quantized, !owned && m.codes[x] == nil:
			m.real[y] = m.values(x)
			return nil
		case m.codes[x] == nil:
			m.real[y] = m.real[x]
			m.quantize(y)
			return nil
		}
	case graph.Dequantize:
		switch {
		case n.OnData() && quantized:
			m.real[y] = m.like(y, y.Name, false)
			m.add(n.Name, n.Op, n.Inputs, m.real[y])
			return nil
		case n.OnData():
			reader := m.model.Consumers(y)[0]
			t, err := m.float(reader, slices.Index(reader.Inputs, y), x, true)
			m.real[y] = t
			return err
		case m.codes[x] == nil:
			m.real[y] = m.real[x]
			return nil
		}
	}
	if quantized && m.ready(n) {
		inputs := slices.Clone(n.Inputs)
		for i, t := range inputs {
			if t == nil || t.Role != graph.Activation {
				continue
			}
			if inputs[i] = m.codes[t]; t.Quant == nil {
				inputs[i] = m.real[t]
			}
		}
		out := m.like(y, y.Name, true)
		if m.add(n.Name, n.Op, inputs, out); y.Quant == nil {
			m.real[y] = out
		} else {
			m.codes[y] = out
		}
		return nil
	}
	return m.inFloat(n, quantized, owned && quantized && y.Quant != nil)
}

// ready reports whether all inputs of n have the codes that they have in the model.
func (m *mixer) ready(n *graph.Node) bool {
	return !slices.ContainsFunc(n.Inputs, func(t *graph.Tensor) bool {
		return t != nil && t.Role == graph.Activation && t.Quant != nil && m.codes[t] == nil
	})
}

// inFloat adds n computed in float32, and rounds its output to codes if that is
// wanted.
func (m *mixer) inFloat(n *graph.Node, quantized, round bool) error {
	inputs := slices.Clone(n.Inputs)
	for i, t := range inputs {
		switch {
		case t == nil:
		case t.Role == graph.Activation:
			inputs[i] = m.values(t)
		default:
			var err error
			if inputs[i], err = m.float(n, i, t, !quantized); err != nil {
				return err
			}
		}
	}
	y, name := n.Output, n.Output.Name
	if !round {
		name = m.model.Behind(y) // there is no operator at the border, which has the name otherwise
	}
	m.real[y] = m.like(y, name, false)
	if m.add(n.Name, m.unclamped(n), inputs, m.real[y]); round {
		m.quantize(y)
	}
	return nil
}

// unclamped returns the operator of n with the activation that real values need: a
// transposed convolution of integers can do without one where its codes end at zero.
func (m *mixer) unclamped(n *graph.Node) graph.Op {
	op, ok := n.Op.(graph.TransposeConv)
	switch {
	case !ok || op.Activate != quant.NoActivation || n.Output.Type != graph.Int8:
	case m.from.twin(n) != nil:
		return op.Fuse(m.from.fused[m.from.twin(n)])
	case n.Output.Quant.ZeroPoint[0] == quant.Signed(8, false).Min:
		return op.Fuse(quant.Relu)
	}
	return n.Op
}

// float returns the float32 values of data that n reads as its input i: of the float
// network if that is wanted and there is one, else what the codes of t stand for.
func (m *mixer) float(n *graph.Node, i int, t *graph.Tensor, original bool) (*graph.Tensor, error) {
	if t.Quant == nil && t.Type != graph.Float16 {
		return t, nil
	}
	if twin := m.from.twin(n); original && twin != nil {
		if t = twin.Input(i); t == nil {
			return nil, nil
		}
	}
	if m.data[t] == nil {
		values, err := interp.Decode(t, t.Data)
		if err != nil {
			return nil, err
		}
		m.data[t] = &graph.Tensor{Name: m.free(t.Name + "/values"), Role: graph.Constant, Shape: t.Shape, Data: values}
	}
	return m.data[t], nil
}
