package interp_test

import (
	"fmt"
	"os"
	"sync"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/quant"
)

// line returns an int8 graph that computes y = 2x - 1.
func line() (*graph.Graph, error) {
	params := func(scale float32, zero int32) *quant.Params {
		p := quant.PerTensor(scale, zero)
		return &p
	}
	g := &graph.Graph{Name: "line"}
	x := g.AddInput("x", graph.Int8, []int{1, 1})
	x.Quant = params(0.05, 0)
	w := &graph.Tensor{Name: "w", Type: graph.Int8, Role: graph.Constant, Shape: []int{1, 1}, Data: []int8{100}, Quant: params(0.02, 0)}
	b := &graph.Tensor{Name: "b", Type: graph.Int32, Role: graph.Constant, Shape: []int{1}, Data: []int32{-1000}, Quant: params(0.001, 0)}
	y, err := g.Add("y", graph.FullyConnected{}, x, w, b)
	if err != nil {
		return nil, err
	}
	y.Quant = params(0.1, 10)
	g.Outputs = []*graph.Tensor{y}
	return g, nil
}

func Example() {
	model, err := line()
	if err != nil {
		fmt.Println(err)
		return
	}
	ip, err := interp.New(model, interp.Options{Batch: 4})
	if err != nil {
		fmt.Println(err)
		return
	}
	y, err := ip.RunFloat([]float32{-1, 0, 1, 4})
	fmt.Println(y, err)
	fmt.Println(ip.Output(0))
	// Output:
	// [-3 -1 1 7] <nil>
	// [-20 0 20 80]
}

// A service takes codes, or real numbers, of any number of rows.
func ExampleOutput() {
	model, err := line()
	if err != nil {
		fmt.Println(err)
		return
	}
	ip, err := interp.New(model, interp.Options{Batch: 4})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := ip.Run([]int8{-20, 0, 20}); err != nil {
		fmt.Println(err)
		return
	}
	y, err := interp.Output[int8](ip, 0)
	fmt.Println(y, err)

	fmt.Println(ip.Run([]float32{1}))
	_, err = interp.Output[float32](ip, 0)
	fmt.Println(err)
	// Output:
	// [-20 0 20] <nil>
	// interp: input "x": data is []float32, want []int8
	// interp: output "y": data is []int8, want []float32
}

// Each goroutine of a service has a clone; weights are there once.
func ExampleInterpreter_Clone() {
	model, err := line()
	if err != nil {
		fmt.Println(err)
		return
	}
	first, err := interp.New(model, interp.Options{Threads: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	idle := sync.Pool{New: func() any { return first.Clone() }}
	answers, errs := make([][]float32, 3), make([]error, 3)
	var requests sync.WaitGroup
	for i := range answers {
		requests.Go(func() {
			ip := idle.Get().(*interp.Interpreter)
			defer idle.Put(ip)
			answers[i], errs[i] = ip.RunFloat([]float32{float32(i)})
		})
	}
	requests.Wait()
	fmt.Println(answers, errs)
	// Output: [[-1] [1] [3]] [<nil> <nil> <nil>]
}

func ExampleRunNode() {
	model, err := line()
	if err != nil {
		fmt.Println(err)
		return
	}
	inputs := map[*graph.Tensor]any{model.Inputs[0]: []int8{0, 20}}
	y, err := interp.RunNode(model, model.Nodes[0], inputs, interp.Options{Batch: 2})
	fmt.Println(y, err)
	// Output: [0 20] <nil>
}

func ExamplePlanMemory() {
	model, err := line()
	if err != nil {
		fmt.Println(err)
		return
	}
	plan, err := interp.PlanMemory(model, interp.Options{Batch: 100, Threads: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := plan.WriteText(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// memory of 100 rows: arena 256 bytes, constants 5 bytes, peak 256 bytes at operator 0
	//
	// operator  live bytes  scratch bytes  arena                                     name
	// 0         256         33408          aaaaaaaaaaaaaaa.....bbbbbbbbbbbbbbb.....  FULLY_CONNECTED
	//
	// place  offset  bytes  first  last  tensor
	// a      0       100    -1     0     x int8[100 1]
	// b      128     100    0      1     y int8[100 1]
}
