package layers

import (
	"fmt"
	"math"

	"github.com/goqat/goqat/graph"
)

// Layer is a step of a network, or several.
type Layer interface {
	// Identity returns the layer's class in Keras' spelling, such as
	// "MaxPooling2D", and the name its user gave it; empty lets the builder
	// number layers as Keras does: "dense", "dense_1".
	Identity() (class, name string)
	// Lower appends the layer's nodes for the input x, batch first, and returns
	// its output. Errors need not name the layer: the builder does.
	Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error)
}

// Sequential is a chain of layers, and itself a layer.
type Sequential []Layer

// Input is the shape of one example, without the batch: {28, 28, 1}.
type Input []int

// inputName is the name of the network's input.
const inputName = "input"

// Build returns the float network for inputs of the given shape, with freshly
// initialized weights. Equal arguments give equal graphs.
//
// Errors: an input shape that is not positive; an empty network; whatever is
// wrong with the first faulty layer, where shapes are [*graph.ShapeError].
func (s Sequential) Build(in Input, seed uint64) (*graph.Graph, error) {
	b, err := s.build(in, seed)
	if err != nil {
		return nil, err
	}
	return b.graph, nil
}

// build is Build that also keeps what Summary shows.
func (s Sequential) build(in Input, seed uint64) (*Builder, error) {
	if len(in) == 0 {
		return nil, fmt.Errorf("layers: the input shape is empty")
	}
	if err := checkSizes(in); err != nil {
		return nil, fmt.Errorf("layers: input: %w", err)
	}
	b := &Builder{network: &network{
		graph: &graph.Graph{Name: "sequential"},
		seed:  seed,
		owner: map[string]string{inputName: "the input"},
	}}
	x := b.graph.AddInput(inputName, graph.Float32, append([]int{1}, in...))
	y, err := s.Lower(b, x)
	if err != nil {
		return nil, fmt.Errorf("layers: %w", err)
	}
	b.graph.Outputs = []*graph.Tensor{y}
	if b.graph, err = (graph.Passes{graph.CancelReshapes}).Run(b.graph); err != nil {
		return nil, fmt.Errorf("layers: %w", err)
	}
	return b, nil
}

// Identity implements [Layer].
func (s Sequential) Identity() (class, name string) { return "Sequential", "" }

// Lower implements [Layer].
func (s Sequential) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	if len(s) == 0 {
		return nil, fmt.Errorf("a Sequential without layers")
	}
	for i, l := range s {
		y, err := b.Lower(i, l, x)
		if err != nil {
			return nil, err
		}
		x = y
	}
	return x, nil
}

// maxElements bounds a tensor: its float32 data fit the 2 GiB of a TensorFlow
// Lite file, and no product of sizes overflows.
const maxElements = math.MaxInt32 / 4

// checkSizes refuses shapes with sizes that are not positive, or too large.
func checkSizes(shape []int) error {
	n := 1
	for _, d := range shape {
		if d < 1 {
			return fmt.Errorf("shape %v has a size that is not positive", shape)
		}
		if n > maxElements/d {
			return fmt.Errorf("shape %v has more than %d elements", shape, maxElements)
		}
		n *= d
	}
	return nil
}
