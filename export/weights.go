package export

import (
	"fmt"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
)

// evaluateFolds replaces FoldWeights and FoldBias nodes by their values: the
// weights and biases that training saw behind them.
var evaluateFolds = graph.Pass{Name: "evaluate folds", Run: func(g *graph.Graph) error {
	for _, n := range append([]*graph.Node(nil), g.Nodes...) {
		var values []float32
		var err error
		switch n.Op.(type) {
		case graph.FoldWeights:
			values = graph.FoldedWeights(n)
		case graph.FoldBias:
			values, err = graph.FoldedBias(n)
		default:
			continue
		}
		if err != nil {
			return err
		}
		g.Replace(n.Output, constant(n.Output.Name, n.Output.Shape, values))
		g.Remove(n)
	}
	return nil
}}

// constant returns a float32 constant.
func constant(name string, shape []int, values []float32) *graph.Tensor {
	return &graph.Tensor{Name: name, Role: graph.Constant, Shape: shape, Data: values}
}

// quantizeWeights replaces fake-quantized weights by their int8 codes, constants
// beside activations of 16 bits by int16.
var quantizeWeights = graph.Pass{Name: "quantize weights", Run: func(g *graph.Graph) error {
	for _, n := range append([]*graph.Node(nil), g.Nodes...) {
		f, ok := n.Op.(graph.FakeQuant)
		if !ok || !n.OnData() {
			continue
		}
		w := n.Inputs[0]
		p, err := f.Quantizer.ParamsOf(w.Float32s(), w.Shape)
		if err != nil {
			return err
		}
		var data any
		if f.Quantizer.Bits == 16 {
			data, err = encoded[int16](w, p, f.Quantizer.Grid())
		} else {
			data, err = encoded[int8](w, p, f.Quantizer.Grid())
		}
		if err != nil {
			return fmt.Errorf("tensor %q: %w", w.Name, err)
		}
		name := w.Name
		if len(g.Consumers(w)) > 1 { // operators that stay float32 read it too
			name = g.Unique(name + "_" + codeTypes[f.Quantizer.Bits].String())
		}
		g.Replace(n.Output, &graph.Tensor{Name: name, Type: codeTypes[f.Quantizer.Bits], Role: graph.Constant, Shape: w.Shape, Data: data, Int4: f.Quantizer.Bits == 4, Quant: &p})
		g.Remove(n)
	}
	return nil
}}

func encoded[T quant.CodeType](w *graph.Tensor, p quant.Params, g quant.Grid) ([]T, error) {
	codes := make([]T, w.Elements())
	return codes, quant.Quantize(p, codes, w.Float32s(), w.Shape, g)
}

// foldBatchNorm folds each BatchNorm into the anchor before it. Float weights
// are multiplied; codes stay what training saw, up to sign, and the scales take
// the factor:
//
//	codes * sign(f), scale = float32(scale*|f|); codes 0 and scale 1 where f = 0
//
// In an integer model [freeScales] may lower that scale 1.
var foldBatchNorm = graph.Pass{Name: "fold batch norm", Run: func(g *graph.Graph) error {
	for _, gr := range g.Groups() {
		w := gr.Head.Inputs[graph.InputWeights]
		if gr.BatchNorm == nil || w.Type != graph.Int8 {
			continue
		}
		var bias []float32
		if b := gr.Head.Input(graph.InputBias); b != nil {
			bias = b.Float32s()
		}
		factor, shift, err := graph.BatchNormAffine(gr.BatchNorm, bias)
		if err != nil {
			return err
		}
		folded, err := foldCodes(w, factor, graph.Inner(w.Shape, gr.Head.Op.(graph.Anchored).ChannelAxis()))
		if err != nil {
			return err
		}
		gr.Head.Inputs = []*graph.Tensor{
			gr.Head.Inputs[graph.InputX], folded,
			constant(graph.BiasName(g, gr.Head), []int{len(shift)}, shift),
		}
		g.Absorb(gr.Head, gr.BatchNorm)
	}
	return graph.FoldBatchNorm.Run(g) // those of float weights
}}

// foldCodes multiplies per-channel int8 weights, inner elements behind the axis of
// the channels, by one factor per channel.
func foldCodes(w *graph.Tensor, factor []float32, inner int) (*graph.Tensor, error) {
	if len(w.Quant.Scale) != len(factor) {
		return nil, fmt.Errorf("tensor %q: %d scales cannot take the BatchNorm factors of %d channels", w.Name, len(w.Quant.Scale), len(factor))
	}
	codes := append([]int8(nil), w.Int8s()...)
	p := quant.Params{Scale: make([]float32, len(factor)), ZeroPoint: w.Quant.ZeroPoint, Axis: w.Quant.Axis}
	sign := make([]int8, len(factor))
	for c, f := range factor {
		switch p.Scale[c] = w.Quant.Scale[c] * max(f, -f); {
		case p.Scale[c] == 0:
			p.Scale[c] = 1
		case f < 0:
			sign[c] = -1
		default:
			sign[c] = 1
		}
	}
	for i := range codes {
		codes[i] *= sign[i/inner%len(sign)]
	}
	folded := *w
	folded.Data, folded.Quant = codes, &p
	return &folded, nil
}
