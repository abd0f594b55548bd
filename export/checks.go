package export

import (
	"errors"
	"fmt"
	"math"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
)

// checkFinite reports NaN and infinite values in float constants.
var checkFinite = graph.Pass{Name: "check values", Run: func(g *graph.Graph) error {
	var faults []error
	for _, t := range g.Tensors() {
		if _, _, _, err := quant.Observe(t.Float32s()); err != nil {
			faults = append(faults, fmt.Errorf("tensor %q: %w", t.Name, err))
		}
	}
	return errors.Join(faults...)
}}

// checkInteger reports what integer kernels could not compute: operators
// without an integer kernel, float tensors between the borders, scales that an
// operator does not take, and sums that could leave int32, either while they
// accumulate or when requantization shifts them left.
var checkInteger = graph.Pass{Name: "check integers", Run: func(g *graph.Graph) error {
	var faults []error
	for _, n := range g.Nodes {
		if kept(g, n) {
			continue
		}
		switch op := n.Op.(type) {
		case graph.Anchored:
			faults = append(faults, checkSums(n))
		case graph.Quantize, graph.Dequantize:
		default:
			if t := n.Output.Type; t != graph.Int8 && t != graph.Int16 {
				faults = append(faults, fmt.Errorf("node %q: %s has output %v in an integer model", n.Name, op.Name(), n.Output.Type))
				continue
			}
			if err := graph.CheckScales(n); err != nil {
				faults = append(faults, fmt.Errorf("node %q: %s: %w", n.Name, op.Name(), err))
			}
		}
	}
	return errors.Join(faults...)
}}

// checkSums bounds the accumulator of an anchor, channel by channel:
//
//	bound = |b| + 255 * sum|w| < 2^31,  bound * 2^e < 2^31
//
// where e > 0 is the left shift of a requantization multiplier above one. Codes of
// 16 bits have sums in int64, which kernels take up to 2^47, and e at most 7.
func checkSums(n *graph.Node) error {
	x, w, b := n.Inputs[graph.InputX], n.Inputs[graph.InputWeights], n.Inputs[graph.InputBias]
	inner := graph.Inner(w.Shape, n.Op.(graph.Anchored).ChannelAxis())
	bounds := make([]float64, b.Elements())
	for c := range bounds {
		if wide, ok := b.Data.([]int64); ok {
			bounds[c] = math.Abs(float64(wide[c]))
		} else {
			bounds[c] = math.Abs(float64(b.Int32s()[c]))
		}
	}
	farthest := 255.0
	if x.Type == graph.Int16 {
		farthest = 1 << 15
	}
	for i, q := range w.Int8s() {
		bounds[i/inner%len(bounds)] += farthest * math.Abs(float64(q))
	}
	for c, bound := range bounds {
		scale := w.Quant.Scale[min(c, len(w.Quant.Scale)-1)]
		m := quant.QuantizeMultiplier(float64(x.Quant.Scale[0]) * float64(scale) / float64(n.Output.Quant.Scale[0]))
		shifted := bound * math.Pow(2, float64(max(m.Exponent, 0)))
		fits := shifted < 1<<31
		if x.Type == graph.Int16 {
			fits = bound < 1<<47 && m.Exponent <= 7
		}
		if !fits {
			return fmt.Errorf("node %q: channel %d: sums up to %.3g leave %v (weights scale %v, output scale %v): the output range is too narrow or the bias too large", n.Name, c, shifted, b.Type, scale, n.Output.Quant.Scale[0])
		}
	}
	return nil
}
