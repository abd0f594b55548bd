package graph_test

import (
	"bytes"
	"fmt"

	"github.com/goqat/goqat/graph"
)

// build returns a small network: dense, batch normalization, activation.
func build() (*graph.Graph, error) {
	parameter := func(name string, shape []int, values ...float32) *graph.Tensor {
		return &graph.Tensor{Name: name, Role: graph.Parameter, Shape: shape, Data: values}
	}
	g := &graph.Graph{Name: "net"}
	x := g.AddInput("x", graph.Float32, []int{1, 2})
	x, err := g.Add("dense", graph.FullyConnected{}, x, parameter("kernel", []int{1, 2}, 3, 5))
	if err != nil {
		return nil, err
	}
	x, err = g.Add("norm", graph.BatchNorm{Epsilon: 1}, x,
		parameter("gamma", []int{1}, 4), parameter("beta", []int{1}, 1), parameter("mean", []int{1}, 2), parameter("variance", []int{1}, 3))
	if err != nil {
		return nil, err
	}
	x, err = g.Add("relu", graph.Relu{}, x)
	g.Outputs = []*graph.Tensor{x}
	return g, err
}

func ExampleGraph_WriteText() {
	g, err := build()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(g)
	// Output:
	// graph net
	// input x: float32[1 2]
	// parameter kernel: float32[1 2]
	// parameter gamma: float32[1]
	// parameter beta: float32[1]
	// parameter mean: float32[1]
	// parameter variance: float32[1]
	// dense = FULLY_CONNECTED(x, kernel) -> float32[1 1]
	// norm = BATCH_NORM{epsilon 1}(dense, gamma, beta, mean, variance) -> float32[1 1]
	// relu = RELU(norm) -> float32[1 1]
	// output relu
}

// Passes rewrite a copy: here for inference.
func ExamplePasses_Run() {
	g, err := build()
	if err != nil {
		fmt.Println(err)
		return
	}
	inference, err := graph.Passes{graph.FoldBatchNorm, graph.FuseActivations}.Run(g)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(inference)
	w := inference.Nodes[0].Inputs[graph.InputWeights]
	fmt.Println(w.Name, w.Float32s(), "before", g.Nodes[0].Inputs[graph.InputWeights].Float32s())
	// Output:
	// graph net
	// input x: float32[1 2]
	// parameter kernel: float32[1 2]
	// parameter dense/bias: float32[1]
	// dense: relu = FULLY_CONNECTED{activation relu}(x, kernel, dense/bias) -> float32[1 1]
	// output relu
	// kernel [6 10] before [3 5]
}

// A file holds the whole network; a checkpoint adds tensors and strings.
func ExampleEncodeFile() {
	g, err := build()
	if err != nil {
		fmt.Println(err)
		return
	}
	var file bytes.Buffer
	err = graph.EncodeFile(&file, &graph.File{
		Graph:    g,
		Metadata: map[string]string{"step": "100"},
		Tensors:  []*graph.Tensor{{Name: "momentum/kernel", Shape: []int{1, 2}, Data: []float32{0.5, 0.25}}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	damaged := bytes.Clone(file.Bytes())
	damaged[len(damaged)-1] ^= 1

	back, err := graph.DecodeFile(&file)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(back.Graph.String() == g.String(), back.Metadata["step"], back.Tensors[0].Float32s())
	_, err = graph.DecodeFile(bytes.NewReader(damaged))
	fmt.Println(err != nil)
	// Output:
	// true 100 [0.5 0.25]
	// true
}

// Shape errors say which input of which node, and what would fit.
func ExampleShapeError() {
	g := &graph.Graph{}
	x := g.AddInput("x", graph.Float32, []int{1, 3})
	w := &graph.Tensor{Name: "w", Role: graph.Parameter, Shape: []int{1, 2}, Data: []float32{1, 2}}
	_, err := g.Add("head", graph.FullyConnected{}, x, w)
	fmt.Println(err)
	// Output: graph: node "head" (FULLY_CONNECTED): input 0 has shape [1 3], want [N, 2]
}
