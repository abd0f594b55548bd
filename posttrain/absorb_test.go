package posttrain

import (
	"context"
	"testing"

	"github.com/goqat/goqat/data/digits"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/quant"
)

// High biases leave activations few codes; absorbed, the network is within a
// point of float. It is a linear network whose hidden units a ReLU passes, for
// they are raised above zero.
func TestAbsorbRepairs(t *testing.T) {
	net, err := fitted(20, layers.Flatten{}, layers.Dense{Units: 32}, layers.Dense{Units: 10})
	if err != nil {
		t.Fatal(err)
	}
	g := built(t, func() (*graph.Graph, error) { return net, nil })
	l := links(g)[0]
	l.group.Head.Op = l.group.Head.Op.(graph.Anchored).Fuse(quant.Relu)
	above := l.group.Head.Inputs[graph.InputBias].Float32s()
	for c := range above {
		above[c] += 100 * float32(1+c)
	}
	below := l.readers[0].Inputs[graph.InputBias].Float32s()
	l.inner(l.readers[0], func(c, o int, w *float32) { below[o] -= 100 * float32(1+c) * *w })
	want := accuracy(t, g)
	if a := accuracy(t, net); want < a-0.005 {
		t.Fatalf("accuracy %v, %v with raised biases", a, want)
	}
	if a := accuracy(t, repaired(t, g, quant.Int8(), Repair{})); a > 0.5 {
		t.Errorf("accuracy %v without repair", a)
	}
	if a := accuracy(t, repaired(t, g, quant.Int8(), Repair{AbsorbBiases: true})); a < want-0.01 {
		t.Errorf("accuracy %v of float, %v with biases absorbed", want, a)
	}
}

// On the samples the network computes the same; what is read behind padding, or
// is clamped at 6, stays, and so does what falls to zero.
func TestAbsorbKeepsTheNetwork(t *testing.T) {
	set, _ := digits.Load()
	for name, c := range map[string]struct {
		net  layers.Sequential
		high float32 // what the biases of the first layer are
		left []float32
	}{
		"dense":  {layers.Sequential{layers.Flatten{}, layers.Dense{Units: 2, Activation: layers.ActReLU}, layers.Dense{Units: 10}}, 20, nil},
		"pooled": {layers.Sequential{layers.Conv2D{Filters: 2, Kernel: [2]int{3, 3}, Activation: layers.ActReLU}, layers.MaxPool2D{}, layers.AveragePool2D{}, layers.Conv2D{Filters: 3, Kernel: [2]int{1, 1}, Padding: layers.Same}, layers.Flatten{}, layers.Dense{Units: 10}}, 20, nil},
		"padded": {layers.Sequential{layers.Conv2D{Filters: 2, Kernel: [2]int{3, 3}, Activation: layers.ActReLU}, layers.Conv2D{Filters: 3, Kernel: [2]int{3, 3}, Padding: layers.Same}, layers.Flatten{}, layers.Dense{Units: 10}}, 20, []float32{20, 20}},
		"zeros":  {layers.Sequential{layers.Conv2D{Filters: 2, Kernel: [2]int{3, 3}, Activation: layers.ActReLU}, layers.ZeroPadding2D{}, layers.Flatten{}, layers.Dense{Units: 10}}, 20, []float32{20, 20}},
		"ReLU6":  {layers.Sequential{layers.Flatten{}, layers.Dense{Units: 2, Activation: layers.ActReLU6}, layers.Dense{Units: 10}}, 20, []float32{20, 20}},
		"low":    {layers.Sequential{layers.Flatten{}, layers.Dense{Units: 2, Activation: layers.ActReLU}, layers.Dense{Units: 10}}, -20, []float32{-20, -20}},
		"linear": {layers.Sequential{layers.Flatten{}, layers.Dense{Units: 2}, layers.Dense{Units: 10}}, 20, []float32{20, 20}},
	} {
		net, err := c.net.Build(layers.Input{8, 8, 1}, 3)
		if err != nil {
			t.Fatal(err)
		}
		bias := func(g *graph.Graph) []float32 { return g.Groups()[0].Head.Inputs[graph.InputBias].Float32s() }
		for i := range bias(net) {
			bias(net)[i] = c.high
		}
		g, err := AbsorbBiases(context.Background(), net, set, Sampling{Samples: 200})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, g, net)
		for i, b := range bias(g) {
			if c.left == nil && b > c.high-1 || c.left != nil && b != c.left[i] {
				t.Errorf("%s: bias %d became %v", name, i, b)
			}
		}
	}
}
