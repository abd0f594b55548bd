package parity

import (
	"fmt"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/quant"
)

// Operator is the comparison of one exported operator with its fake-quantized
// original, both fed the integer model's own inputs.
type Operator struct {
	// Name of the output tensor; Op is the exported operator.
	Name string `json:"name"`
	Op   string `json:"op"`
	// Codes is the number of outputs compared, Differ how many have another
	// code, Largest the largest difference in steps.
	Codes   int `json:"codes"`
	Differ  int `json:"differ"`
	Largest int `json:"largest"`
}

// Share returns the fraction of codes that differ.
func (o Operator) Share() float64 { return float64(o.Differ) / float64(max(o.Codes, 1)) }

func (o Operator) String() string {
	return fmt.Sprintf("%-16s %-24s %8d codes, %.4f %% differ, by at most %d", o.Op, o.Name, o.Codes, 100*o.Share(), o.Largest)
}

// Operators compares every operator of the integer model with the part of the
// fake-quantized graph q that it was exported from. x holds rows of real input.
// Each operator of q gets the dequantized codes of the model's own tensors, so
// that differences do not add up along the network.
//
// Errors: a model that was not exported from q, by tensor; errors of the
// interpreter.
func Operators(q, model *graph.Graph, x []float32) ([]Operator, error) {
	rows := len(x) / max(graph.Elements(q.Inputs[0].Shape), 1)
	codes, err := modelCodes(model, x, rows)
	if err != nil {
		return nil, err
	}
	given := map[*graph.Tensor]any{q.Inputs[0]: x}
	quantizers, rescaled := q.Codes(), rescaled(q)
	var list []Operator
	for _, n := range q.Nodes {
		name, ok := exported(q, quantizers, n)
		if !ok {
			continue
		}
		c, ok := codes[name]
		if !ok && requantizes(quantizers, n) {
			continue // to parameters that turned out equal: export leaves it out
		}
		if !ok {
			return nil, fmt.Errorf("parity: the model has no integer tensor for %q: it was not exported from this graph", name)
		}
		simulated, err := interp.RunNode(q, n, given, interp.Options{Batch: rows})
		if err != nil {
			return nil, fmt.Errorf("parity: %w", err)
		}
		if z := quantizers[n.Output]; rescaled[z] {
			if c.params, err = z.Params(); err != nil {
				return nil, fmt.Errorf("parity: %w", err)
			}
		}
		op, err := compare(c, simulated.([]float32))
		if err != nil {
			return nil, err
		}
		list = append(list, op)
		given[n.Output] = c.decoded()
	}
	return list, nil
}

// rescaled returns the quantizers of tensors whose codes the model has at another
// scale: those behind an Affine, whose factor the model keeps in the scale of its
// input.
func rescaled(q *graph.Graph) map[*graph.Quantizer]bool {
	set := map[*graph.Quantizer]bool{}
	for _, n := range q.Nodes {
		if f, ok := n.Op.(graph.FakeQuant); ok && behindAffine(q, n) != nil {
			set[f.Quantizer] = true
		}
	}
	return set
}

// behindAffine returns the Affine in front of n, for which the model has no
// operator; nil if there is none.
func behindAffine(q *graph.Graph, n *graph.Node) *graph.Node {
	if p := q.Producer(n.Inputs[0]); p != nil && p.Op == graph.Op(graph.Affine{}) {
		return p
	}
	return nil
}

// exported returns the name of the model's tensor that holds what n computes;
// ok is false for nodes whose output no model tensor has: those inside fusion
// groups and those that work on weights.
func exported(q *graph.Graph, of map[*graph.Tensor]*graph.Quantizer, n *graph.Node) (name string, ok bool) {
	if f, is := n.Op.(graph.FakeQuant); is {
		if requantizes(of, n) {
			return n.Output.Name, true
		}
		if a := behindAffine(q, n); a != nil {
			return a.Inputs[graph.InputX].Name, true
		}
		return n.Inputs[0].Name, f.Quantizer.Source != graph.LastValue && !n.OnData()
	}
	if n.Op.Class() != graph.SameScale {
		return "", false
	}
	for _, c := range q.Consumers(n.Output) {
		if _, is := c.Op.(graph.FakeQuant); is && !requantizes(of, c) {
			return "", false // an average: the FakeQuant behind it answers
		}
	}
	return n.Output.Name, true
}

// requantizes reports whether n is a FakeQuant from one quantizer to another, of
// which export makes a QUANTIZE operator.
func requantizes(of map[*graph.Tensor]*graph.Quantizer, n *graph.Node) bool {
	f, ok := n.Op.(graph.FakeQuant)
	from := of[n.Inputs[0]]
	return ok && from != nil && from != f.Quantizer
}

// coded is an integer activation of the model with its values.
type coded struct {
	tensor *graph.Tensor
	op     string
	values []int32
	params quant.Params // of the tensor, or where its values are compared
}

// decoded returns what the codes stand for.
func (c coded) decoded() []float32 {
	values := make([]float32, len(c.values))
	for i, code := range c.values {
		values[i] = quant.Value(code, c.params.Scale[0], c.params.ZeroPoint[0])
	}
	return values
}

// modelCodes runs the model and returns its activations, int8 or int16, by the name
// of the tensor they were exported from.
func modelCodes(model *graph.Graph, x []float32, rows int) (map[string]coded, error) {
	codes := map[string]coded{}
	tap := func(t *graph.Tensor, _ []int, values any) {
		var list []int32
		switch v := values.(type) {
		case []int8:
			list = widened(v)
		case []int16:
			list = widened(v)
		}
		if list != nil {
			c := coded{tensor: t, op: "input", values: list, params: *t.Quant}
			if p := model.Producer(t); p != nil {
				c.op = p.Op.Name()
			}
			codes[model.Behind(t)] = c
		}
	}
	ip, err := interp.New(model, interp.Options{Batch: rows, Tap: tap})
	if err == nil {
		_, err = ip.RunFloat(x)
	}
	if err != nil {
		return nil, fmt.Errorf("parity: %w", err)
	}
	return codes, nil
}

func widened[T int8 | int16](codes []T) []int32 {
	list := make([]int32, len(codes))
	for i, c := range codes {
		list[i] = int32(c)
	}
	return list
}

// compare counts the codes in which the simulation differs.
func compare(c coded, simulated []float32) (Operator, error) {
	if len(simulated) != len(c.values) {
		return Operator{}, fmt.Errorf("parity: tensor %q has %d codes, its simulation %d", c.tensor.Name, len(c.values), len(simulated))
	}
	op := Operator{Name: c.tensor.Name, Op: c.op, Codes: len(c.values)}
	grid := quant.Signed(8*c.tensor.Type.Size(), false)
	scale, zero := c.params.Scale[0], c.params.ZeroPoint[0]
	for i, v := range simulated {
		if d := int(quant.Code(v, scale, zero, grid)) - int(c.values[i]); d != 0 {
			op.Differ++
			op.Largest = max(op.Largest, d, -d)
		}
	}
	return op, nil
}
