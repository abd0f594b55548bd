package diagnose

import (
	"context"
	"fmt"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/feed"
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

// Layers quantizes each layer of a network with FakeQuant nodes, calibrated or
// trained, by itself, and all layers but one, and compares the outputs over the
// samples with those of the network without quantization. A layer is an operator
// with weights, or any other that is quantized, with its weights and its output;
// or an input. all is the network as it is.
//
// Errors: a network without FakeQuant nodes, or with ranges that are not known;
// samples that do not fit; those of the interpreter; ctx's error.
func Layers(ctx context.Context, q *graph.Graph, samples data.Dataset, o Options) (layers []Layer, all Effect, err error) {
	owners, err := owners(q)
	if err != nil {
		return nil, all, fmt.Errorf("diagnose: %w", err)
	}
	float := q.Unquantized(nil)
	graphs := []*graph.Graph{float, q}
	for _, name := range owners.names {
		graphs = append(graphs,
			q.Unquantized(func(n *graph.Node) bool { return owners.of[n] != name }),
			q.Unquantized(func(n *graph.Node) bool { return owners.of[n] == name }))
	}
	effects, err := effects(ctx, graphs, samples, o.feed("layers", fmt.Sprintf("%d layers", len(owners.names))))
	if err != nil {
		return nil, all, fmt.Errorf("diagnose: %w", err)
	}
	for i, name := range owners.names {
		layers = append(layers, Layer{Name: name, Op: owners.ops[name], Alone: effects[2+2*i], Without: effects[3+2*i]})
	}
	return layers, effects[1], nil
}

// ownership says to which layer each FakeQuant node belongs.
type ownership struct {
	names []string // in execution order
	ops   map[string]string
	of    map[*graph.Node]string
}

// owners finds the layer of each FakeQuant node: the node that reads the weights,
// or what is quantized as the model runs or requantized for it, the head of the
// fusion group that computes an activation, or the input.
func owners(q *graph.Graph) (ownership, error) {
	o := ownership{ops: map[string]string{}, of: map[*graph.Node]string{}}
	heads := map[*graph.Tensor]*graph.Node{}
	for _, gr := range q.Fusions() {
		heads[gr.Output()] = gr.Head
	}
	codes := q.Codes()
	for _, n := range q.Nodes {
		f, ok := n.Op.(graph.FakeQuant)
		if !ok {
			continue
		}
		z, x := f.Quantizer, n.Inputs[0]
		if z.Source == graph.MovingAverage && !z.Known() {
			return o, fmt.Errorf("the range of tensor %q is not known: calibrate or train first", z.Name)
		}
		owner := q.Producer(x)
		if h := heads[x]; h != nil {
			owner = h
		}
		reads := n.OnData() || z.Source == graph.LastValue || z.Source == graph.Dynamic || codes[x] != nil && codes[x] != z
		if readers := q.Consumers(n.Output); reads && len(readers) > 0 {
			owner = readers[0]
		}
		name, op := x.Name, "input"
		if owner != nil {
			name, op = owner.Name, owner.Op.Name()
		}
		if o.ops[name] == "" {
			o.names, o.ops[name] = append(o.names, name), op
		}
		o.of[n] = name
	}
	if len(o.names) == 0 {
		return o, fmt.Errorf("network %q has no FakeQuant nodes: use fakequant.Insert", q.Name)
	}
	return o, nil
}

// effects compares the outputs of graphs with those of the first.
func effects(ctx context.Context, graphs []*graph.Graph, samples data.Dataset, f feed.Options) ([]Effect, error) {
	ips := make([]*interp.Interpreter, len(graphs))
	for i, g := range graphs {
		var err error
		if ips[i], err = interp.New(g, interp.Options{Batch: f.Size()}); err != nil {
			return nil, err
		}
	}
	sums, same := make([]comparison, len(graphs)), make([]int, len(graphs))
	rows, width := 0, graph.Elements(graphs[0].Outputs[0].Shape)
	err := feed.Batches(ctx, graphs[0], samples, f, func(index []int, x []float32) error {
		var want []float32
		for i, ip := range ips {
			y, err := ip.RunFloat(x)
			if err != nil {
				return err
			}
			if i == 0 {
				want = y
			}
			sums[i].add(want, y)
			for r := range index {
				if largest(want[r*width:][:width]) == largest(y[r*width:][:width]) {
					same[i]++
				}
			}
		}
		rows += len(index)
		return nil
	})
	list := make([]Effect, len(graphs))
	for i := range list {
		list[i] = Effect{sums[i].result(), float64(same[i]) / float64(max(rows, 1))}
	}
	return list, err
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
