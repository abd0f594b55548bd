package graph

import (
	"strings"
	"testing"

	"github.com/goqat/goqat/quant"
)

func TestCheckAccepts(t *testing.T) {
	for _, g := range []*Graph{floatNet(t), quantNet(t), integerNet(t)} {
		want(t, g.Check(), "")
	}
}

// find returns the tensor with the given name.
func find(t *testing.T, g *Graph, name string) *Tensor {
	t.Helper()
	for _, x := range g.allTensors() {
		if x.Name == name {
			return x
		}
	}
	t.Fatalf("no tensor %q", name)
	return nil
}

func TestCheckFaults(t *testing.T) {
	for name, c := range map[string]struct {
		graph func(*testing.T) *Graph
		spoil func(*Graph, func(string) *Tensor)
		want  string
	}{
		"no nodes or tensors": {floatNet, func(g *Graph, _ func(string) *Tensor) { *g = Graph{} }, "no inputs or no outputs"},
		"no operator":         {floatNet, func(g *Graph, _ func(string) *Tensor) { g.Nodes[2].Op = nil }, "node 2 has no operator"},
		"no output":           {floatNet, func(g *Graph, _ func(string) *Tensor) { g.Nodes[1].Output = nil }, "node 1 has no operator or no output"},
		"nil node":            {floatNet, func(g *Graph, _ func(string) *Tensor) { g.Nodes[0] = nil }, "node 0 has no"},
		"nil input":           {floatNet, func(g *Graph, _ func(string) *Tensor) { g.Inputs[0] = nil }, "input or output is nil"},
		"nil graph output":    {floatNet, func(g *Graph, _ func(string) *Tensor) { g.Outputs[0] = nil }, "input or output is nil"},
		"input twice": {floatNet, func(g *Graph, _ func(string) *Tensor) { g.Inputs = append(g.Inputs, g.Inputs[0]) },
			`input "image" is a activation or listed twice`},
		"data as input": {floatNet, func(g *Graph, of func(string) *Tensor) { g.Inputs = append(g.Inputs, of("dense/bias")) },
			`input "dense/bias" is a parameter`},
		"order": {floatNet, func(g *Graph, _ func(string) *Tensor) { g.Nodes[0], g.Nodes[1] = g.Nodes[1], g.Nodes[0] },
			`node "norm": input 0 ("conv") is used before it is produced`},
		"produced twice": {floatNet, func(g *Graph, of func(string) *Tensor) { g.Nodes[3].Output = of("norm") },
			`node "relu": output "norm" is produced twice`},
		"writes to data": {floatNet, func(g *Graph, of func(string) *Tensor) { g.Nodes[3].Output = of("dense/bias") },
			`output "dense/bias" is produced twice or is not an activation`},
		"unknown output": {floatNet, func(g *Graph, _ func(string) *Tensor) { g.Outputs = append(g.Outputs, &Tensor{Name: "else"}) },
			`output "else" is not produced`},
		"two nodes of a name": {floatNet, func(g *Graph, _ func(string) *Tensor) { g.Nodes[3].Name = "pool" }, `two nodes are named "pool"`},
		"two tensors of a name": {floatNet, func(_ *Graph, of func(string) *Tensor) { of("dense/bias").Name = "relu" },
			`two tensors are named "relu"`},
		"range of a tensor's name": {quantNet, func(_ *Graph, of func(string) *Tensor) { of("x/range").Name = "kernel" },
			`two tensors are named "kernel"`},
		"zero size":      {floatNet, func(_ *Graph, of func(string) *Tensor) { of("relu").Shape[1] = 0 }, `tensor "relu": shape [1 0 4 2] has a size that is not positive`},
		"wrong shape":    {floatNet, func(_ *Graph, of func(string) *Tensor) { of("pool").Shape[1] = 3 }, `node "pool": output has shape [1 3 2 2], but MAX_POOL_2D gives [1 2 2 2]`},
		"data too short": {floatNet, func(_ *Graph, of func(string) *Tensor) { of("dense/bias").Data = []float32{1} }, `tensor "dense/bias": 1 elements do not fill shape [3]`},
		"data of another type": {floatNet, func(_ *Graph, of func(string) *Tensor) { of("dense/bias").Data = []int32{1, 2, 3} },
			`tensor "dense/bias": data is []int32, want float32`},
		"foreign data":         {floatNet, func(_ *Graph, of func(string) *Tensor) { of("dense/bias").Data = "abc" }, `data is string`},
		"no data":              {floatNet, func(_ *Graph, of func(string) *Tensor) { of("dense/bias").Data = nil }, `data is <nil>`},
		"activation with data": {floatNet, func(_ *Graph, of func(string) *Tensor) { of("relu").Data = make([]float32, 32) }, `activation "relu" holds data`},
		"unknown type":         {floatNet, func(_ *Graph, of func(string) *Tensor) { of("relu").Type = 99 }, `tensor "relu": unknown type 99`},
		"unknown role":         {floatNet, func(_ *Graph, of func(string) *Tensor) { of("dense/bias").Role = 99 }, `unknown type 0 or role 99`},
		"mean without data": {floatNet, func(g *Graph, of func(string) *Tensor) {
			m := of("norm/moving_mean")
			m.Role, m.Data = Activation, nil
			g.Inputs = append(g.Inputs, m)
		}, `node "norm" (BATCH_NORM): input 3 ("norm/moving_mean") is not float32 data`},
		"batch of inputs":      {floatNet, func(_ *Graph, of func(string) *Tensor) { of("image").Shape[0] = 2 }, `input "image" has shape [2 4 4 1], want a batch axis of 1`},
		"scale":                {integerNet, func(_ *Graph, of func(string) *Tensor) { of("w").Quant.Scale[1] = 0 }, `tensor "w": quant: scale 1 is 0`},
		"axis of scales":       {integerNet, func(_ *Graph, of func(string) *Tensor) { of("w").Quant.Axis = 2 }, `tensor "w": quant: 2 scales along axis 2`},
		"operator's own fault": {floatNet, func(g *Graph, _ func(string) *Tensor) { g.Nodes[4].Op = MaxPool2D{} }, `node "pool" (MAX_POOL_2D): window 0x0`},
	} {
		t.Run(name, func(t *testing.T) {
			g := c.graph(t)
			c.spoil(g, func(name string) *Tensor { return find(t, g, name) })
			want(t, g.Check(), c.want)
		})
	}
}

func TestCheckQuantizers(t *testing.T) {
	for name, c := range map[string]struct {
		q    *Quantizer
		want string
	}{
		"none":           {nil, "without a quantizer"},
		"one bit":        {&Quantizer{Name: "x", Bits: 1, Source: Dynamic}, `quantizer of tensor "x": 1 bits`},
		"17 bits":        {&Quantizer{Bits: 17, Source: Dynamic}, "17 bits"},
		"no source":      {&Quantizer{Bits: 8}, "unknown source 0"},
		"unknown source": {&Quantizer{Bits: 8, Source: 9}, "unknown source 9"},
		"axis":           {&Quantizer{Bits: 8, Source: LastValue, Axis: 2}, "axis 2 of shape [1 2]"},
		"fixed":          {&Quantizer{Bits: 8, Source: Fixed}, "fixed without parameters"},
		"fixed badly":    {&Quantizer{Bits: 8, Source: Fixed, FixedParams: &quant.Params{}}, "0 scales and 0 zero points"},
		"no range":       {&Quantizer{Bits: 8, Source: MovingAverage}, "no range"},
		"short range":    {&Quantizer{Bits: 8, Source: MovingAverage, Range: statistic("r", 1)}, "no range"},
		"needless range": {&Quantizer{Bits: 8, Source: LastValue, Range: statistic("r", 1, 2, 3)}, "a last value quantizer with a range"},
		"asymmetric":     {&Quantizer{Bits: 8, Source: LastValue, Axis: 1}, "scales for each channel are symmetric only"},
		"dynamic":        {&Quantizer{Bits: 8, Source: Dynamic}, ""},
		"per tensor":     {&Quantizer{Bits: 8, Source: LastValue, Axis: -1}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNet(t)
			n.Outputs = []*Tensor{n.node("y", FakeQuant{Quantizer: c.q}, n.AddInput("x", Float32, []int{1, 2}))}
			want(t, n.Check(), c.want)
		})
	}
}

// TestCheckReportsAll: all faults at once, not only the first.
func TestCheckReportsAll(t *testing.T) {
	g := floatNet(t)
	find(t, g, "dense/bias").Data = nil
	find(t, g, "relu").Shape[1] = 0
	g.Nodes[3].Name = "pool"
	err := g.Check()
	for _, s := range []string{"dense/bias", "relu", "two nodes"} {
		want(t, err, s)
	}
	if n := len(strings.Split(err.Error(), "\n")); n != 3 {
		t.Errorf("%d faults, want 3:\n%v", n, err)
	}
}
