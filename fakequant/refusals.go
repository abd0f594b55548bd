package fakequant

import (
	"errors"
	"fmt"
	"math"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
)

// refusal is a reason why a recipe cannot serve a node, and the nearest thing
// that works.
type refusal struct {
	// why describes what is wrong with n; empty where nothing is.
	why     func(n *graph.Node, r quant.Recipe) string
	instead string
}

// refusals has every combination of operator and recipe that Insert does not
// serve. What is not in this table can be exported once its ranges are known.
var refusals = []refusal{
	{foreign, "use a recipe that quantizes nothing but weights"},
	{quantized, "give Insert the float network that the quantized one was made from"},
	{weightsWithoutData, "pass a network from a file through tflite.Trainable"},
	{biasWithoutData, "pass a network from a file through tflite.Trainable"},
	{outputAtOtherWidth, "use activations of 8 bits"},
	{onlyAt8, "use activations of 8 bits, or ReLU, LeakyReLU, Sigmoid or Tanh"},
	{extremeFactor, "raise the Epsilon of the Normalization, or leave a channel out that never changes"},
}

// foreign finds operators that cannot be run, so that no ranges are known.
func foreign(n *graph.Node, r quant.Recipe) string {
	if f, ok := n.Op.(graph.Foreign); ok && r.Mode == quant.Integer {
		return "cannot be quantized: " + f.Refusal()
	}
	return ""
}

// quantized finds operators that quantization puts into a network.
func quantized(n *graph.Node, _ quant.Recipe) string {
	switch n.Op.(type) {
	case graph.FakeQuant, graph.FoldWeights, graph.FoldBias, graph.Quantize, graph.Dequantize:
		return "does not belong in a float network"
	}
	return ""
}

func weightsWithoutData(n *graph.Node, _ quant.Recipe) string {
	if _, anchor := n.Op.(graph.Anchored); anchor {
		if w := n.Inputs[graph.InputWeights]; w.Float32s() == nil {
			return fmt.Sprintf("has weights %q that are %v without float32 data", w.Name, w.Type)
		}
	}
	return ""
}

func biasWithoutData(n *graph.Node, _ quant.Recipe) string {
	if _, anchor := n.Op.(graph.Anchored); anchor {
		if b := n.Input(graph.InputBias); b != nil && b.Float32s() == nil {
			return fmt.Sprintf("has a bias %q that is %v without float32 data", b.Name, b.Type)
		}
	}
	return ""
}

// outputAtOtherWidth finds operators whose output parameters TensorFlow Lite
// prescribes, but not for codes of the recipe's width.
func outputAtOtherWidth(n *graph.Node, r quant.Recipe) string {
	if op, fixed := n.Op.(graph.FixedParams); fixed && r.Mode == quant.Integer {
		if _, err := op.FixedParams(r.Activations.Bits); err != nil {
			return fmt.Sprintf("has no codes of %d bits", r.Activations.Bits)
		}
	}
	return ""
}

// onlyAt8 finds operators that no runtime has for codes of 16 bits.
func onlyAt8(n *graph.Node, r quant.Recipe) string {
	switch n.Op.(type) {
	case graph.Elu, graph.HardSwish, graph.Prelu:
		if r.Mode == quant.Integer && r.Activations.Bits != 8 {
			return fmt.Sprintf("has no kernel for codes of %d bits", r.Activations.Bits)
		}
	}
	return ""
}

// maxFactor bounds the factors of a scale and shift per channel in an integer
// model: codes of 8 bits that span the inputs cannot resolve what it magnifies
// more, and their sums would leave int32.
const maxFactor = 1e6

func extremeFactor(n *graph.Node, r quant.Recipe) string {
	if _, ok := n.Op.(graph.Affine); ok && r.Mode == quant.Integer {
		for c, f := range n.Inputs[graph.InputFactor].Float32s() {
			if math.Abs(float64(f)) > maxFactor {
				return fmt.Sprintf("multiplies channel %d by %g", c, f)
			}
		}
	}
	return ""
}

// insertable reports every reason why the recipe cannot be applied to g.
func insertable(g *graph.Graph, recipe quant.Recipe) error {
	faults := []error{recipe.Check(), g.Check()}
	fault := func(format string, a ...any) {
		faults = append(faults, fmt.Errorf("fakequant: "+format, a...))
	}
	if recipe.Mode == quant.HalfFloat {
		fault("recipe %q needs no quantizers: pass the float network to export.Float16", recipe.Name)
	}
	if g.Recipe != nil {
		fault("network %q is quantized already, by recipe %q", g.Name, g.Recipe.Name)
	}
	for i, s := range g.Subgraphs {
		if recipe.Mode == quant.Integer {
			fault("subgraph %d, %q, cannot be quantized: only the main network is: use a recipe that quantizes nothing but weights", i+1, s.Name)
		}
	}
	for _, x := range g.Inputs {
		if x.Type != graph.Float32 {
			fault("input %q is %v, want the float32 of a network that is not quantized", x.Name, x.Type)
		}
	}
	for _, n := range g.Nodes {
		for _, r := range refusals {
			if why := r.why(n, recipe); why != "" {
				fault("node %q: %s %s: %s", n.Name, n.Op.Name(), why, r.instead)
			}
		}
	}
	return errors.Join(faults...)
}
