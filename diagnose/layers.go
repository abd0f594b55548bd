package diagnose

import (
	"context"
	"fmt"
	"slices"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/feed"
	"github.com/goqat/goqat/internal/progress"
	"github.com/goqat/goqat/interp"
)

// Layer is what quantizing one layer does to the outputs of the network.
type Layer struct {
	// Name of the layer's node, or of an input; Op of the node.
	Name string `json:"name"`
	Op   string `json:"op"`
	// Alone compares the network with this layer quantized alone, Without the one
	// with all layers quantized but this, with the float network.
	Alone   Effect `json:"alone"`
	Without Effect `json:"without"`
}

// Effect is the error of the network's outputs.
type Effect struct {
	Error
	// Agreement is the share of rows with the same largest output; 1 for networks
	// with a single one.
	Agreement float64 `json:"agreement"`
}

// Layers quantizes each layer of a network by itself, and all layers but one, and
// compares the outputs over the samples with those of the network without
// quantization. A layer is an operator with weights, or any other that is quantized,
// with its weights and its output; or an input. all is the network as it is.
//
// The network has FakeQuant nodes, calibrated or trained, or is a model as a file
// holds it: integers, dynamic range, or weights that it widens. What is not quantized
// then has the weights and biases of float, the network that the model was made from;
// if float is nil, those that the model's codes stand for. A network with FakeQuant
// nodes has its own.
//
// Operators of an integer model are computed as it does where all they read has
// codes. Others are computed in float32 and rounded, which differs from the integers
// by at most a step; see package parity.
//
// Errors: a network that is not quantized, or with ranges that are not known;
// an [*OriginError]; samples that do not fit; those of the interpreter; ctx's error.
func Layers(ctx context.Context, float, model *graph.Graph, samples data.Dataset, o Options) (layers []Layer, all Effect, err error) {
	layers, all, err = compareLayers(ctx, float, model, samples, o)
	if err != nil {
		return nil, all, fmt.Errorf("diagnose: %w", err)
	}
	return layers, all, nil
}

func compareLayers(ctx context.Context, float, model *graph.Graph, samples data.Dataset, o Options) (layers []Layer, all Effect, err error) {
	owners, leave, err := leavable(float, model)
	if err != nil {
		return nil, all, err
	}
	m, err := newMeter(ctx, leave, samples, o)
	if err != nil {
		return nil, all, err
	}
	bar := progress.New(o.Progress, progress.Options{Label: "layers"})
	bar.Start(1, 0, len(owners.names))
	defer bar.Stop()
	if all, err = m.effect(model); err != nil {
		return nil, all, err
	}
	for i, name := range owners.names {
		l := Layer{Name: name, Op: owners.ops[name]}
		if l.Alone, err = m.without(func(other string) bool { return other != name }); err != nil {
			return nil, all, err
		}
		if l.Without, err = m.without(func(other string) bool { return other == name }); err != nil {
			return nil, all, err
		}
		layers = append(layers, l)
		bar.Step(i+1, name)
	}
	bar.EndEpoch(fmt.Sprintf("%d samples, %d layers", m.rows, len(layers)))
	return layers, all, nil
}

// leaver returns a network with the layers that off names left in float32.
type leaver func(off func(layer string) bool) (*graph.Graph, error)

// leavable returns the layers of a quantized network, and what leaves some of them
// out.
func leavable(float, model *graph.Graph) (ownership, leaver, error) {
	o, err := owners(model)
	if err != nil {
		return o, nil, err
	}
	if len(model.Quantizers()) > 0 {
		return o, func(off func(string) bool) (*graph.Graph, error) {
			return model.Unquantized(func(n *graph.Node) bool { return off(o.of[n]) }), nil
		}, nil
	}
	if float == nil && storage(model) {
		return o, nil, fmt.Errorf("network %q quantizes nothing but weights, and computes in float32: what it does to them shows beside the float network only", model.Name)
	}
	from, err := newOrigin(float, model)
	if err != nil {
		return o, nil, err
	}
	return o, func(off func(string) bool) (*graph.Graph, error) { return mixed(model, o, from, off) }, nil
}

// unquantized returns a quantized network with all layers left in float32.
func unquantized(model *graph.Graph) (*graph.Graph, error) {
	_, leave, err := leavable(nil, model)
	if err != nil {
		return nil, err
	}
	return leave(func(string) bool { return true })
}

// storage reports whether a model computes with real values all along: its codes are
// for storage.
func storage(model *graph.Graph) bool {
	return !slices.ContainsFunc(model.Nodes, func(n *graph.Node) bool {
		_, widens := n.Op.(graph.Dequantize)
		return !widens && quantizes(n)
	})
}

// meter compares outputs with those of the network without quantization.
type meter struct {
	ctx   context.Context
	leave leaver
	batch int
	rows  int
	x     [][]float32 // batches of inputs
	want  [][]float32 // and the outputs for them
}

// newMeter reads the samples and runs the network without quantization.
func newMeter(ctx context.Context, leave leaver, samples data.Dataset, o Options) (*meter, error) {
	float, err := leave(func(string) bool { return true })
	if err != nil {
		return nil, err
	}
	f := o.feed("", "")
	f.Progress = nil
	m := &meter{ctx: ctx, leave: leave, batch: f.Size()}
	err = feed.Batches(ctx, float, samples, f, func(index []int, x []float32) error {
		m.rows += len(index)
		m.x = append(m.x, slices.Clone(x))
		return nil
	})
	if err == nil {
		err = m.run(float, func(_ int, y []float32) { m.want = append(m.want, slices.Clone(y)) })
	}
	return m, err
}

// run passes the outputs of g for each batch on.
func (m *meter) run(g *graph.Graph, use func(batch int, y []float32)) error {
	ip, err := interp.New(g, interp.Options{Batch: m.batch})
	if err != nil {
		return err
	}
	var y []float32
	for i, x := range m.x {
		if err := m.ctx.Err(); err != nil {
			return err
		}
		if y, err = ip.AppendFloat(y[:0], x); err != nil {
			return err
		}
		use(i, y)
	}
	return nil
}

// without returns the effect of all layers but those that off names.
func (m *meter) without(off func(layer string) bool) (Effect, error) {
	g, err := m.leave(off)
	if err != nil {
		return Effect{}, err
	}
	return m.effect(g)
}

// effect compares the outputs of g.
func (m *meter) effect(g *graph.Graph) (Effect, error) {
	var sums comparison
	same, width := 0, g.Outputs[0].Elements()
	err := m.run(g, func(batch int, y []float32) {
		want := m.want[batch]
		sums.add(want, y)
		for r := 0; r < len(y); r += width {
			if largest(want[r:][:width]) == largest(y[r:][:width]) {
				same++
			}
		}
	})
	return Effect{sums.result(), float64(same) / float64(max(m.rows, 1))}, err
}

// largest returns the index of the first largest value.
func largest(y []float32) int {
	best := 0
	for i, v := range y {
		if v > y[best] {
			best = i
		}
	}
	return best
}
