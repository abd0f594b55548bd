package diagnose

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/feed"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/quant"
)

// Tensor is a tensor of a quantized network beside the same of the float network.
type Tensor struct {
	// Name in the float network; Op computes it, or reads it where it is data.
	Name string `json:"name"`
	Op   string `json:"op"`
	// Weights says that it is data, which does not depend on the samples.
	Weights bool `json:"weights,omitempty"`
	// Error of the values, with what the layers before contribute.
	Error
	// Clipped is the share of the float network's values that lie outside of what
	// codes can express, by more than half a step.
	Clipped float64 `json:"clipped"`
	// Scale, and zero point of one scale; the largest where there are several.
	// Scale is 0 where parameters are chosen as the model runs.
	Scale     float32 `json:"scale"`
	ZeroPoint int32   `json:"zero_point"`
}

// Tensors compares the tensors of a quantized network with those of the float network
// it was made from, over the samples and in execution order: those with a FakeQuant
// node, or, of a model as a file holds it, weights that are not float32 and whatever
// is computed. Both are matched by the names of tensors. A BatchNorm of the float
// network is folded first if the other has none.
//
// If float is nil, the activations are compared with those of the network without
// FakeQuant nodes, or of that which the model's codes stand for; see [Layers].
//
// A network that posttrain.Equalize or posttrain.AbsorbBiases changed is made from
// what these returned: its inner tensors have no like in the network before.
//
// Errors: samples that do not fit; networks without a quantized tensor in common;
// those of the interpreter; ctx's error.
func Tensors(ctx context.Context, float, model *graph.Graph, samples data.Dataset, o Options) ([]Tensor, error) {
	list, err := compareTensors(ctx, float, model, samples, o)
	if err != nil {
		return nil, fmt.Errorf("diagnose: %w", err)
	}
	return list, nil
}

func compareTensors(ctx context.Context, float, model *graph.Graph, samples data.Dataset, o Options) ([]Tensor, error) {
	_, err := owners(model)
	if err == nil && float == nil {
		float, err = unquantized(model)
	}
	if err == nil {
		float, err = like(float, model)
	}
	if err != nil {
		return nil, err
	}
	places, err := quantized(float, model)
	if err != nil {
		return nil, err
	}
	f := o.feed("tensors", fmt.Sprintf("%d tensors", len(places)))
	values := map[*graph.Tensor][]float32{} // of the tensors to compare
	for _, p := range places {
		values[p.float], values[p.model] = []float32{}, []float32{}
	}
	var fault error
	options := interp.Options{Batch: f.Size(), Tap: func(t *graph.Tensor, _ []int, data any) {
		if values[t] != nil {
			v, err := interp.Decode(t, data)
			values[t], fault = append(values[t][:0], v...), errors.Join(fault, err)
		}
	}}
	a, err := interp.New(float, options)
	if err != nil {
		return nil, err
	}
	b, err := interp.New(model, options)
	if err != nil {
		return nil, err
	}
	first := true
	err = feed.Batches(ctx, float, samples, f, func(_ []int, x []float32) error {
		for _, ip := range []*interp.Interpreter{a, b} {
			if _, err := ip.RunFloat(x); err != nil {
				return err
			}
		}
		for _, p := range places {
			if first || !p.Weights {
				p.add(values)
			}
		}
		first = false
		return fault
	})
	if err != nil {
		return nil, err
	}
	list := make([]Tensor, len(places))
	for i, p := range places {
		list[i] = p.Tensor
		list[i].Error, list[i].Clipped = p.errors.result(), float64(p.outside)/float64(max(p.count, 1))
	}
	return list, nil
}

func (o Options) feed(label, done string) feed.Options {
	f := feed.Options{Rows: o.Samples, BatchSize: o.BatchSize, Progress: o.Progress, Label: label, Done: done}
	if f.Rows == 0 {
		f.Rows = 256
	}
	return f
}

// like returns the float network with its BatchNorm folded, or made a depthwise
// convolution, if the model has none.
func like(float, model *graph.Graph) (*graph.Graph, error) {
	for _, n := range model.Nodes {
		switch n.Op.(type) {
		case graph.BatchNorm, graph.FoldWeights:
			return float, nil
		}
	}
	return graph.Passes{graph.DropDropout, graph.FoldBatchNorm, graph.AnchorBatchNorm, graph.AnchorAffine}.Run(float)
}

// place is a quantized tensor where it is compared.
type place struct {
	Tensor
	float, model   *graph.Tensor
	params         quant.Params
	grid           quant.Grid
	errors         comparison
	count, outside int
}

// quantized returns the quantized tensors of the model that float has too.
func quantized(float, model *graph.Graph) ([]*place, error) {
	named := map[string]*graph.Tensor{}
	for _, t := range float.Tensors() {
		named[t.Name] = t
	}
	var list []*place
	for _, t := range model.Tensors() {
		p := &place{model: t, float: named[model.Behind(t)]}
		if p.float == nil || p.float.Elements() != t.Elements() {
			continue
		}
		found, err := p.find(model)
		if err != nil {
			return nil, err
		}
		if found {
			list = append(list, p)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("networks %q and %q have no quantized tensor in common", float.Name, model.Name)
	}
	return list, nil
}

// find fills in what the samples do not change; ok is false for a tensor that is
// not to be compared, or whose codes another tensor has: a bias, a border of uint8.
func (p *place) find(model *graph.Graph) (ok bool, err error) {
	t := p.model
	producer := model.Producer(t)
	if f, fake := fakeQuant(producer); fake {
		p.Weights, p.grid = producer.OnData(), f.Grid()
		switch {
		case p.Weights:
			p.params, err = f.ParamsOf(producer.Inputs[0].Float32s(), t.Shape)
		case f.Source != graph.Dynamic:
			p.params, err = f.Params()
		}
		producer = model.Producer(producer.Inputs[0])
	} else {
		p.Weights = t.Role != graph.Activation
		switch {
		case t.Quant != nil && (t.Type == graph.Int8 || t.Type == graph.Int16):
			p.params, p.grid = *t.Quant, quant.Signed(8*t.Type.Size(), false)
		case p.Weights && t.Type == graph.Float16:
		case !p.Weights && t.Quant == nil && producer != nil && producer.Op.Class() != graph.Border && len(model.Quantizers()) == 0:
		default:
			return false, nil
		}
	}
	p.Name, p.Op = p.float.Name, "input"
	if p.Weights {
		if producer = model.Consumers(t)[0]; producer.Op == graph.Op(graph.Dequantize{}) {
			producer = model.Consumers(producer.Output)[0]
		}
	}
	if producer != nil && !(producer.Op.Class() == graph.Border && slices.Contains(model.Inputs, producer.Inputs[graph.InputX])) {
		p.Op = producer.Op.Name()
	}
	for i, s := range p.params.Scale {
		if s > p.Scale {
			p.Scale, p.ZeroPoint = s, p.params.ZeroPoint[i]
		}
	}
	return true, err
}

func fakeQuant(n *graph.Node) (*graph.Quantizer, bool) {
	if n == nil {
		return nil, false
	}
	f, ok := n.Op.(graph.FakeQuant)
	return f.Quantizer, ok
}

// add compares the values of a batch.
func (p *place) add(values map[*graph.Tensor][]float32) {
	get := func(t *graph.Tensor) []float32 {
		if t.Role == graph.Activation {
			return values[t]
		}
		v, _ := interp.Decode(t, t.Data) // of a type that Decode takes
		return v
	}
	reference := get(p.float)
	p.errors.add(reference, get(p.model))
	p.count += len(reference)
	if len(p.params.Scale) != 1 { // per channel: the largest value has the last code
		return
	}
	scale, zero := float64(p.params.Scale[0]), p.params.ZeroPoint[0]
	lo, hi := scale*(float64(p.grid.Min-zero)-0.5), scale*(float64(p.grid.Max-zero)+0.5)
	for _, v := range reference {
		if float64(v) < lo || float64(v) > hi {
			p.outside++
		}
	}
}
