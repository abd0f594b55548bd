package diagnose

import (
	"fmt"
	"math"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/quant"
)

// An OriginError is a float network that a model was not made from: its weights are
// farther from those of the model than rounding takes them. It was trained on since,
// or posttrain.Equalize changed it before.
type OriginError struct {
	Layer string
	// Steps between two codes that a weight is off; 0 where the float network has no
	// such layer, or weights of another shape.
	Steps float64
}

func (e *OriginError) Error() string {
	if e.Steps == 0 {
		return fmt.Sprintf("the float network has no weights for layer %q", e.Layer)
	}
	return fmt.Sprintf("the float network is not what the model was made from: weights of layer %q differ by up to %.3g steps", e.Layer, e.Steps)
}

// origin is the float network that a model was made from; nil where it is not known.
type origin struct {
	model   *graph.Graph
	outputs map[string]*graph.Node // by the tensors that they compute, fused activations included
	weights map[string]*graph.Node // by the data that they read
	fused   map[*graph.Node]quant.Activation
}

// newOrigin matches the operators of both.
//
// Errors: [*OriginError].
func newOrigin(float, model *graph.Graph) (*origin, error) {
	if float == nil {
		return nil, nil
	}
	float, err := like(float, model)
	if err != nil {
		return nil, err
	}
	o := &origin{model: model, outputs: map[string]*graph.Node{}, weights: map[string]*graph.Node{}, fused: map[*graph.Node]quant.Activation{}}
	for _, n := range float.Nodes {
		o.outputs[n.Output.Name] = n
		if w := n.Input(graph.InputWeights); w != nil && w.Role != graph.Activation {
			o.weights[w.Name] = n
		}
	}
	for _, gr := range float.Fusions() {
		o.outputs[gr.Output().Name], o.fused[gr.Head] = gr.Head, gr.Fused()
	}
	return o, o.check()
}

// twin returns the operator of the float network that n of the model stands for.
func (o *origin) twin(n *graph.Node) *graph.Node {
	if o == nil {
		return nil
	}
	if f := o.outputs[o.model.Behind(n.Output)]; f != nil && f.Op.Name() == n.Op.Name() {
		return f
	}
	if w := n.Input(graph.InputWeights); w != nil {
		if f := o.weights[w.Name]; f != nil && f.Op.Name() == n.Op.Name() {
			return f
		}
	}
	return nil
}

// check reports weights that do not round to those of the model: to the next code,
// or the one beyond where AdaRound chose. A step of half precision is up to 2^-10 of
// the value.
func (o *origin) check() error {
	for _, n := range o.model.Nodes {
		for i, t := range n.Inputs {
			if i == graph.InputX || i == graph.InputBias || t == nil {
				continue
			}
			if p := o.model.Producer(t); p != nil && p.OnData() {
				t = p.Inputs[0] // behind a DEQUANTIZE
			}
			if t.Role == graph.Activation || t.Quant == nil && t.Type != graph.Float16 {
				continue
			}
			e := &OriginError{Layer: layerName(o.model, n)}
			twin := o.twin(n)
			if twin == nil || twin.Input(i) == nil || len(twin.Input(i).Float32s()) != t.Elements() {
				return e
			}
			if e.Steps = steps(t, twin.Input(i).Float32s()); !(e.Steps <= 1.001) {
				return e
			}
		}
	}
	return nil
}

// steps returns how far values are from what data stands for, at most.
func steps(t *graph.Tensor, values []float32) (most float64) {
	decoded, err := interp.Decode(t, t.Data)
	if err != nil {
		return 0
	}
	inner := 1
	if t.Quant != nil && t.Quant.PerChannel() {
		inner = graph.Inner(t.Shape, t.Quant.Axis)
	}
	for i, v := range values {
		step := max(math.Abs(float64(v))/(1<<10), 1.0/(1<<24))
		if t.Quant != nil {
			step = float64(t.Quant.Scale[i/inner%len(t.Quant.Scale)])
		}
		if apart := float64(v) - float64(decoded[i]); apart != 0 {
			most = max(most, math.Abs(apart)/step)
		}
	}
	return most
}
