package nodes_test

import (
	"fmt"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/train/internal/nodes"
)

// One dense unit learns y = 2x - 1 by gradient descent.
func ExampleCompile() {
	g := &graph.Graph{Name: "line"}
	w := &graph.Tensor{Name: "w", Role: graph.Parameter, Shape: []int{1, 1}, Data: []float32{0}}
	b := &graph.Tensor{Name: "b", Role: graph.Parameter, Shape: []int{1}, Data: []float32{0}}
	y, err := g.Add("dense", graph.FullyConnected{}, g.AddInput("x", graph.Float32, []int{1, 1}), w, b)
	if err != nil {
		panic(err)
	}
	g.Outputs = []*graph.Tensor{y}

	s, err := nodes.Compile(g, nodes.Config{Batch: 6, Training: true, Loss: &nodes.Loss{Kind: nodes.MeanSquaredError}})
	if err != nil {
		panic(err)
	}
	defer s.Close()
	copy(s.Input(), []float32{-1, 0, 1, 2, 3, 4})
	copy(s.Target(), []float32{-3, -1, 1, 3, 5, 7})
	for step := range uint64(500) {
		if err := s.Run(step); err != nil {
			panic(err)
		}
		for i, p := range g.Parameters() {
			p.Float32s()[0] -= 0.05 * s.Gradients()[i][0]
		}
		if err := s.Commit(); err != nil {
			panic(err)
		}
	}
	fmt.Printf("y = %.3f x + %.3f\n", w.Float32s()[0], b.Float32s()[0])
	// Output: y = 2.000 x + -1.000
}
