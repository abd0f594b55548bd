package parity

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/fakequant"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/rng"
	"github.com/goqat/goqat/posttrain"
	"github.com/goqat/goqat/quant"
)

// drawBranches draws a network on images of 3x2 pixels whose operators read any
// tensor before them.
func drawBranches(t *rapid.T) *graph.Graph {
	g := &graph.Graph{Name: "random"}
	random := rng.New(rapid.Uint64().Draw(t, "weights"))
	values := func(role graph.Role, name string, shape ...int) *graph.Tensor {
		v := make([]float32, graph.Elements(shape))
		for i := range v {
			v[i] = float32(random.Normal())
		}
		return &graph.Tensor{Name: name, Role: role, Shape: shape, Data: v}
	}
	list := []*graph.Tensor{g.AddInput("x", graph.Float32, []int{1, 3, 2, 2})}
	for i := range rapid.IntRange(1, 12).Draw(t, "nodes") {
		pick := func() *graph.Tensor { return rapid.SampledFrom(list).Draw(t, "tensor") }
		name, a := fmt.Sprintf("n%d", i), pick()
		window := graph.Pool{Padding: graph.Same, FilterH: 2, FilterW: 2, StrideH: 1, StrideW: 1}
		var op graph.Op
		in := []*graph.Tensor{a}
		switch rapid.IntRange(0, 11).Draw(t, "operator") {
		case 0, 1:
			op = graph.Conv2D{Padding: graph.Same, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}
			in = append(in, values(graph.Parameter, name+"/w", 2, 2, 1, a.Shape[3]), values(graph.Parameter, name+"/b", 2))
		case 2:
			op = graph.Relu{}
		case 3:
			op = graph.Relu6{}
		case 4:
			op = rapid.SampledFrom([]graph.Op{graph.Softmax{}, graph.Logistic{}, graph.Tanh{}}).Draw(t, "fixed")
		case 5:
			op = graph.MaxPool2D{Pool: window}
		case 6:
			op = graph.AveragePool2D{Pool: window}
		case 7:
			op = graph.Dropout{Rate: 0.5}
		case 8:
			op = rapid.SampledFrom([]graph.Op{graph.Add{}, graph.Sub{}, graph.Mul{}}).Draw(t, "arithmetic")
			in = append(in, values(graph.Constant, name+"/c", a.Shape[3]))
		case 9:
			op = rapid.SampledFrom([]graph.Op{graph.Add{}, graph.Mul{}}).Draw(t, "arithmetic")
			b := pick()
			if b.Shape[3] != a.Shape[3] {
				b = a
			}
			in = append(in, b)
		default:
			op = graph.Concat{Axis: 3}
			if b := pick(); a.Shape[3]+b.Shape[3] <= 40 {
				in = append(in, b)
			}
		}
		y, err := g.Add(name, op, in...)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, y)
	}
	g.Outputs = []*graph.Tensor{list[len(list)-1]}
	return g
}

// copies are the exported operators that round nothing, or by the simulation's
// own rule.
var copies = []string{"CONCATENATION", "MAX_POOL_2D", "AVERAGE_POOL_2D", "RELU6"}

// Whatever is added, multiplied and joined with whatever else, the simulation
// predicts each integer operator to one step, and those that copy exactly.
func TestRandomBranches(t *testing.T) {
	requantized := 0
	rapid.Check(t, func(t *rapid.T) {
		const rows = 40
		g := drawBranches(t)
		x := make([]float32, rows*g.Inputs[0].Elements())
		random := rng.New(1)
		for i := range x {
			x[i] = float32(random.Normal())
		}
		samples, err := data.NewMemory(data.Arrays{InputShape: g.Inputs[0].Shape[1:], X: x, Y: make([]float32, rows), Classes: 2})
		if err != nil {
			t.Fatal(err)
		}
		recipe := rapid.SampledFrom([]quant.Recipe{quant.Int8(), quant.Int8PerTensor()}).Draw(t, "recipe")
		q, err := fakequant.Insert(g, recipe)
		if err != nil {
			t.Fatal(err)
		}
		if err := posttrain.Calibrate(context.Background(), q, samples, posttrain.Calibration{}); err != nil {
			t.Fatal(err)
		}
		model, err := export.Integer(q, export.Options{Output: graph.Int8})
		if err != nil {
			t.Fatal(err)
		}
		ops, err := Operators(q, model, x)
		if err != nil {
			t.Fatal(err)
		}
		if len(ops) != len(model.Nodes) {
			t.Fatalf("%d operators compared, the model has %d:\n%v\n%v", len(ops), len(model.Nodes), ops, model)
		}
		for _, op := range ops {
			if op.Op == "QUANTIZE" {
				requantized++
			}
			if op.Largest > 1 || op.Largest > 0 && slices.Contains(copies, op.Op) {
				t.Fatalf("%v\n%v", op, model)
			}
		}
	})
	if requantized <= 100 { // one is the input's
		t.Errorf("%d QUANTIZE operators: none between operators", requantized)
	}
}
