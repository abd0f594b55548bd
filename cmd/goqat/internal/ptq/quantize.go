package ptq

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/posttrain"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite"
)

// Options of [Quantize].
type Options struct {
	// AllowFloat lets operators stay float32 that an int8 model cannot have
	// otherwise.
	AllowFloat bool
	Progress   io.Writer    // nil for silence
	Logger     *slog.Logger // of warnings; nil for silence
}

// Result is a quantized network.
type Result struct {
	Model *graph.Graph
	// Float are the operators that compute with float32 though the mode is int8,
	// and those of weights that stayed float32 in the modes dynamic and weights.
	Float []Float
}

// Float is an operator, the weights of one, or a network beside the main one, that
// stayed float32.
type Float struct {
	Name     string `json:"name"`
	Operator string `json:"operator"`
	Reason   string `json:"reason"`
}

func (f Float) String() string {
	return fmt.Sprintf("%s (%s): %s", Short(f.Name), f.Operator, f.Reason)
}

// Short is a name without what Keras' converter appends of other layers.
func Short(name string) string {
	first, _, _ := strings.Cut(name, ";")
	return first
}

// Prepare returns a network from a file as it is quantized: with weights in
// float32, without what is known beforehand, with what other programs leave of a
// BatchNorm folded. net is not changed.
//
// Errors: a network that is quantized already.
func Prepare(net *graph.Graph) (*graph.Graph, error) {
	for _, t := range net.Tensors() {
		if t.Quant != nil {
			return nil, fmt.Errorf("the network is quantized already: tensor %q is %v; give the float network that it was made from", t.Name, t.Type)
		}
	}
	return graph.Passes{posttrain.FoldConstants, tflite.Trainable, graph.FoldArithmetic, graph.CancelReshapes}.Run(net)
}

// Quantized reports whether a network has codes, FakeQuant nodes or half precision.
func Quantized(net *graph.Graph) bool {
	return len(net.Quantizers()) > 0 || slices.ContainsFunc(net.Tensors(), func(t *graph.Tensor) bool { return t.Quant != nil || t.Type == graph.Float16 })
}

// Quantize quantizes a network as a file holds it. Samples may be nil in modes
// other than int8.
//
// Errors: those of [Prepare] and [posttrain.Quantize]; operators that an int8
// model would have to leave in float32, unless that is allowed.
func Quantize(ctx context.Context, net *graph.Graph, p Plan, samples data.Dataset, o Options) (*Result, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	net, err := Prepare(net)
	if err != nil {
		return nil, err
	}
	recipe := p.recipe()
	if recipe.Mode != quant.Integer {
		model, err := posttrain.Quantize(ctx, net, recipe, samples, p.options(o))
		if err != nil {
			return nil, err
		}
		return &Result{model, append(small(net, recipe), others(net)...)}, nil
	}
	s := split(net)
	if len(s.float) > 0 && !o.AllowFloat {
		var faults []error
		for _, f := range s.float {
			faults = append(faults, errors.New(f.String()))
		}
		return nil, fmt.Errorf("some operators would stay float32, which -allow-float allows:\n%w", errors.Join(faults...))
	}
	return s.quantize(ctx, recipe, samples, p.options(o))
}

// small lists the weights that a weight-only recipe leaves in float32.
func small(net *graph.Graph, r quant.Recipe) (list []Float) {
	for _, gr := range net.Groups() {
		w := gr.Head.Inputs[graph.InputWeights]
		if n := w.Elements(); r.Mode == quant.WeightOnly && n < r.MinElements {
			list = append(list, Float{gr.Head.Name, gr.Head.Op.Name(), fmt.Sprintf("%d weights, of fewer than %d", n, r.MinElements)})
		}
	}
	return list
}

// Pair returns a network as it is quantized, after the remedies that rearrange it, and
// the model that [Quantize] makes of it.
//
// Errors: as [Quantize]; operators that cannot be run.
func Pair(ctx context.Context, net *graph.Graph, p Plan, samples data.Dataset, o Options) (float, model *graph.Graph, err error) {
	if err := p.Check(); err != nil {
		return nil, nil, err
	}
	options := p.options(o)
	if float, err = Prepare(net); err == nil {
		float, err = posttrain.Rearrange(ctx, float, samples, options.Repair)
	}
	if err != nil {
		return nil, nil, err
	}
	options.Repair.Equalize, options.Repair.AbsorbBiases = false, false
	model, err = posttrain.Quantize(ctx, float, p.recipe(), samples, options)
	return float, model, err
}
