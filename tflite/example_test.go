package tflite_test

import (
	"fmt"
	"os"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite"
)

func ExampleWriteFile() {
	g := &graph.Graph{Name: "double"}
	x := g.AddInput("x", graph.Float32, []int{1, 2})
	w := &graph.Tensor{Name: "w", Role: graph.Constant, Shape: []int{1, 2}, Data: []float32{2, 2}}
	y, err := g.Add("y", graph.FullyConnected{}, x, w)
	if err != nil {
		fmt.Println(err)
		return
	}
	g.Outputs = []*graph.Tensor{y}

	file, err := os.CreateTemp("", "*.tflite")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.Remove(file.Name())
	file.Close()
	if err := tflite.WriteFile(file.Name(), g); err != nil {
		fmt.Println(err)
		return
	}
	read, err := tflite.ReadFile(file.Name())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(read.Nodes[0].Op.Name(), read.Inputs[0], "->", read.Outputs[0])
	// Output: FULLY_CONNECTED x float32[1 2] -> y float32[1 1]
}

func ExampleDescribe() {
	g := &graph.Graph{}
	x := g.AddInput("x", graph.Float32, []int{1, 4})
	y, err := g.Add("y", graph.Softmax{}, x)
	if err != nil {
		fmt.Println(err)
		return
	}
	g.Outputs = []*graph.Tensor{y}
	data, err := tflite.Marshal(g)
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err := tflite.Describe(data)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d.Subgraphs[0].Operators[0].Name, "version", d.Subgraphs[0].Operators[0].Version, "needs TensorFlow", d.MinRuntime)
	// Output: SOFTMAX version 1 needs TensorFlow 1.5.0
}
