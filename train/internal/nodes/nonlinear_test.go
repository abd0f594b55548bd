package nodes

import (
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/rng"
	"github.com/goqat/goqat/quant"
)

// squashed appends every activation that anchors cannot fuse.
func (n *net) squashed(x *graph.Tensor) *graph.Tensor {
	h := n.add("leaky", graph.LeakyRelu{Alpha: 0.3}, x)
	h = n.add("prelu", graph.Prelu{}, h, n.lastValue(n.parameter("prelu/alpha", x.Shape[1:]...), -1))
	h = n.observed(n.add("hard_swish", graph.HardSwish{}, h))
	h = n.add("elu", graph.Elu{}, h)
	return n.add("logistic", graph.Logistic{}, n.add("tanh", graph.Tanh{}, h))
}

// TestNonlinearGradients: activations of a wide range of inputs, slopes shared
// along every axis, and trained or not.
func TestNonlinearGradients(t *testing.T) {
	wide := func(n *net, x *graph.Tensor) *graph.Tensor {
		return n.add("a", graph.FullyConnected{}, x, n.uniform("w", graph.Parameter, -5, 5, 6, 4), n.parameter("b", 6))
	}
	type build struct {
		name  string
		input []int
		build func(n *net, x *graph.Tensor)
	}
	var list []build
	for _, op := range []graph.Op{graph.LeakyRelu{Alpha: 0.3}, graph.LeakyRelu{Alpha: -0.5}, graph.Elu{}, graph.HardSwish{}, graph.Logistic{}, graph.Tanh{}} {
		list = append(list, build{op.Name(), []int{4}, func(n *net, x *graph.Tensor) { n.add("y", op, wide(n, x)) }})
	}
	for _, shape := range [][]int{{}, {2}, {1, 1, 2}, {3, 1, 1}, {3, 4, 1}, {1, 4, 2}, {3, 4, 2}} {
		list = append(list, build{graph.Prelu{}.Name(), []int{3, 4, 1}, func(n *net, x *graph.Tensor) {
			n.add("y", graph.Prelu{}, n.conv("a", x, 2, quant.NoActivation), n.parameter("alpha", shape...))
		}})
	}
	list = append(list,
		build{"slopes alone are trained", []int{4}, func(n *net, x *graph.Tensor) { n.add("y", graph.Prelu{}, x, n.parameter("alpha", 4)) }},
		build{"slopes are not trained", []int{4}, func(n *net, x *graph.Tensor) {
			n.add("y", graph.Prelu{}, n.dense("a", x, 5), n.uniform("alpha", graph.Constant, -1, 1, 5))
		}},
		build{"swish", []int{4}, func(n *net, x *graph.Tensor) {
			h := wide(n, x)
			n.add("y", graph.Mul{}, h, n.add("s", graph.Logistic{}, h))
		}},
		build{"softmax of images inside", []int{3, 2, 4}, func(n *net, x *graph.Tensor) {
			n.conv("b", n.add("s", graph.Softmax{}, n.conv("a", x, 3, quant.NoActivation)), 2, quant.NoActivation)
		}},
	)
	for _, c := range list {
		t.Run(c.name, func(t *testing.T) {
			n, x := newNet(t, c.input...)
			c.build(n, x)
			s := compile(t, n.Graph, Config{Batch: 4, Training: true, Seed: 9, Loss: &Loss{Kind: MeanSquaredError}})
			random := rng.New(3)
			for _, data := range [][]float32{s.Input(), s.Target()} {
				for i := range data {
					data[i] = 2*random.Float32() - 1
				}
			}
			checkGradients(t, n.Graph, s)
		})
	}
}
