package export

import (
	"fmt"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
)

// placeBorders gives the model's inputs and outputs the wanted number types: a
// QUANTIZE or DEQUANTIZE operator where it is not that of the codes. The outer
// tensor keeps the name; the tensor inside becomes NAME_int8, or NAME_int16.
func placeBorders(opts Options) graph.Pass {
	return graph.Pass{Name: "place borders", Run: func(g *graph.Graph) error {
		for i, x := range g.Inputs {
			outer, err := border(g, x, opts.Input)
			if err != nil {
				return fmt.Errorf("input %q: %w", x.Name, err)
			}
			if outer == nil {
				continue
			}
			g.Inputs[i] = outer
			n := &graph.Node{Name: g.Unique(outer.Name + "/quantize"), Op: graph.Quantize{}, Inputs: []*graph.Tensor{outer}, Output: x}
			g.Nodes = append([]*graph.Node{n}, g.Nodes...)
		}
		for i, y := range g.Outputs {
			outer, err := border(g, y, opts.Output)
			if err != nil {
				return fmt.Errorf("output %q: %w", y.Name, err)
			}
			if outer == nil {
				continue
			}
			g.Outputs[i] = outer
			var op graph.Op = graph.Dequantize{}
			if opts.Output == graph.UInt8 {
				op = graph.Quantize{}
			}
			n := &graph.Node{Name: g.Unique(outer.Name + "/" + borderSuffix(opts.Output)), Op: op, Inputs: []*graph.Tensor{y}, Output: outer}
			g.Nodes = append(g.Nodes, n)
		}
		return nil
	}}
}

func borderSuffix(t graph.Type) string {
	if t == graph.UInt8 {
		return "quantize"
	}
	return "dequantize"
}

// border returns the tensor outside the tensor t of codes, which takes over its
// name; nil where t itself is the border.
func border(g *graph.Graph, t *graph.Tensor, want graph.Type) (*graph.Tensor, error) {
	outer := &graph.Tensor{Name: t.Name, Type: want, Shape: t.Shape}
	switch {
	case want == t.Type:
		return nil, nil
	case want == graph.UInt8 && t.Type == graph.Int8:
		// The same values, with codes and zero point moved up by 128.
		p := quant.PerTensor(t.Quant.Scale[0], t.Quant.ZeroPoint[0]+128)
		outer.Quant = &p
	case want == graph.Float32:
	case t.Type == graph.Int16:
		return nil, fmt.Errorf("border type %v is not supported: use float32 or int16", want)
	default:
		return nil, fmt.Errorf("border type %v is not supported: use float32, int8 or uint8", want)
	}
	t.Name = g.Unique(t.Name + "_" + t.Type.String())
	return outer, nil
}
