package posttrain

import (
	"context"
	"math"
	"testing"

	"github.com/goqat/goqat/data/digits"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/quant"
)

// Channels that are badly scaled leave a network with a scale for each tensor
// near chance; equalized, it is within a point of float.
func TestEqualizeRepairs(t *testing.T) {
	g := built(t, depthwise)
	want := accuracy(t, g)
	scale(g, func(link, c int) int { return (c*7+link*3)%13 - 6 })
	equal(t, g, built(t, depthwise))
	if a := accuracy(t, repaired(t, g, quant.Int8PerTensor(), Repair{})); a > 0.3 {
		t.Errorf("accuracy %v without repair", a)
	}
	if a := accuracy(t, repaired(t, g, quant.Int8PerTensor(), Repair{Equalize: true})); a < want-0.01 {
		t.Errorf("accuracy %v of float, %v equalized", want, a)
	}
}

// Through every operator that a factor passes, and ReLU6 as far as it may, the
// network computes the same, and both sides of a link have equal maxima.
func TestEqualizeKeepsTheNetwork(t *testing.T) {
	set, _ := digits.Load()
	for name, c := range map[string]struct {
		net   layers.Sequential
		links int
	}{
		"pools": {layers.Sequential{
			layers.Conv2D{Filters: 4, Kernel: [2]int{3, 3}, Padding: layers.Same, Activation: layers.ActReLU},
			layers.MaxPool2D{},
			layers.Conv2D{Filters: 6, Kernel: [2]int{2, 2}}, layers.BatchNorm{}, layers.LeakyReLU{}, layers.AveragePool2D{},
			layers.Flatten{}, layers.Dense{Units: 10, Activation: layers.ActReLU}, layers.Dropout{Rate: 0.5}, layers.Dense{Units: 10},
		}, 3},
		"global mean": {layers.Sequential{
			layers.Conv2D{Filters: 4, Kernel: [2]int{3, 3}, NoBias: true, Activation: layers.ActReLU},
			layers.ZeroPadding2D{}, layers.UpSampling2D{},
			layers.DepthwiseConv2D{Kernel: [2]int{3, 3}, DepthMultiplier: 2, Activation: layers.ActReLU},
			layers.GlobalAveragePool2D{}, layers.Dense{Units: 10},
		}, 2},
		"ReLU6": {layers.Sequential{
			layers.Flatten{}, layers.Dense{Units: 16, Activation: layers.ActReLU6}, layers.Dense{Units: 10},
		}, 1},
		"branches": {layers.Sequential{
			layers.Conv2D{Filters: 4, Kernel: [2]int{3, 3}, Activation: layers.ActReLU},
			layers.Residual{Body: layers.Sequential{
				layers.Conv2D{Filters: 8, Kernel: [2]int{1, 1}, Activation: layers.ActReLU}, layers.Conv2D{Filters: 4, Kernel: [2]int{1, 1}},
			}},
			layers.Flatten{}, layers.Dense{Units: 10},
		}, 1},
		"sigmoid": {layers.Sequential{
			layers.Flatten{}, layers.Dense{Units: 16, Activation: layers.ActSigmoid}, layers.Dense{Units: 10},
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			net, err := c.net.Build(layers.Input{8, 8, 1}, 3)
			if err != nil {
				t.Fatal(err)
			}
			for i, p := range net.Parameters() { // biases that matter
				if len(p.Shape) == 1 {
					for j := range p.Float32s() {
						p.Float32s()[j] += 0.1 * float32((i+j)%5)
					}
				}
			}
			before := net.String()
			g, err := Equalize(context.Background(), net, set, Sampling{})
			if err != nil {
				t.Fatal(err)
			}
			if net.String() != before {
				t.Error("Equalize changed its argument")
			}
			equal(t, g, net)
			list := links(g)
			if len(list) != c.links {
				t.Errorf("%d links, want %d", len(list), c.links)
			}
			for _, l := range list {
				before, behind := l.maxima()
				for c := range before {
					if r := before[c] / behind[c]; l.group.Fused() != quant.Relu6 && math.Abs(r-1) > 0.01 {
						t.Errorf("%s, channel %d: maxima %v and %v", l.group.Head.Name, c, before[c], behind[c])
					}
				}
			}
			again, err := Equalize(context.Background(), g, set, Sampling{})
			if err != nil {
				t.Fatal(err)
			}
			equal(t, again, g)
		})
	}
}

// A channel of a ReLU6 that reaches 6 stays, one that does not is kept from
// reaching it, and without samples nothing moves.
func TestEqualizeReLU6(t *testing.T) {
	set, _ := digits.Load()
	net, err := layers.Sequential{
		layers.Flatten{}, layers.Dense{Units: 3, Activation: layers.ActReLU6}, layers.Dense{Units: 2},
	}.Build(layers.Input{8, 8, 1}, 3)
	if err != nil {
		t.Fatal(err)
	}
	first, second := net.Groups()[0].Head, net.Groups()[1].Head
	w, v := first.Inputs[graph.InputWeights].Float32s(), second.Inputs[graph.InputWeights].Float32s()
	for i := range w {
		w[i] = []float32{1, 0.001, 1e-6}[i/64] // of digits with up to 20 pixels' worth of ink
	}
	for i := range v {
		v[i] = []float32{100, 100, 1}[i%3]
	}
	g, err := Equalize(context.Background(), net, set, Sampling{})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, g, net)
	got := g.Groups()[0].Head.Inputs[graph.InputWeights].Float32s()
	if got[0] != 1 {
		t.Errorf("the weights of a channel that is clamped became %v", got[0])
	}
	ranges, err := extremes(context.Background(), g, links(g), set, Sampling{}, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, top := ranges[g.Groups()[0].Output()][1].Bounds(); top < 5.99 || top > 6.0001 {
		t.Errorf("the channel that was to grow reaches %v, want just 6", top)
	}
	if got[64] < 0.1 || got[128] < 9e-4 || got[128] > 1.1e-3 {
		t.Errorf("weights 0.001 and 1e-6 became %v and %v", got[64], got[128])
	}
	if g, err = Equalize(context.Background(), net, nil, Sampling{}); err != nil {
		t.Fatal(err)
	}
	if g.Groups()[0].Head.Inputs[graph.InputWeights].Float32s()[64] != 0.001 {
		t.Error("ReLU6 was passed without samples")
	}
}
