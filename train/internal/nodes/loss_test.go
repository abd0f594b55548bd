package nodes

import (
	"maps"
	"math"
	"strings"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/rng"
	"github.com/goqat/goqat/quant"
)

// formula is a loss of one row in float64.
type formula func(x, t []float64) float64

func logSumExp(x []float64) float64 {
	s := 0.0
	for _, v := range x {
		s += math.Exp(v)
	}
	return math.Log(s)
}

func mean(x, t []float64, f func(x, t float64) float64) float64 {
	s := 0.0
	for i := range x {
		s += f(x[i], t[i])
	}
	return s / float64(len(x))
}

// clip64 clips to the float32 numbers nearest to 1e-7 and 1-1e-7: the latter is
// off by a fifth of its distance to 1.
func clip64(p float64) float64 {
	return min(max(p, float64(float32(1e-7))), float64(float32(1-1e-7)))
}

// formulas are the definitions; targets are one-hot rows for the sparse loss.
var formulas = map[Loss]formula{
	{Kind: CategoricalCrossentropy, FromLogits: true}: func(x, t []float64) float64 {
		s := 0.0
		for i := range x {
			s += t[i] * (logSumExp(x) - x[i])
		}
		return s
	},
	{Kind: CategoricalCrossentropy}: func(p, t []float64) float64 {
		total, s := 0.0, 0.0
		for _, v := range p {
			total += v
		}
		for i := range p {
			s -= t[i] * math.Log(clip64(p[i]/total))
		}
		return s
	},
	{Kind: BinaryCrossentropy, FromLogits: true}: func(x, t []float64) float64 {
		return mean(x, t, func(x, t float64) float64 { return math.Log1p(math.Exp(x)) - x*t })
	},
	{Kind: BinaryCrossentropy}: func(p, t []float64) float64 {
		return mean(p, t, func(p, t float64) float64 {
			return -t*math.Log(clip64(p)) - (1-t)*math.Log(1-clip64(p))
		})
	},
	{Kind: MeanSquaredError}: func(x, t []float64) float64 {
		return mean(x, t, func(x, t float64) float64 { return (x - t) * (x - t) })
	},
	{Kind: MeanAbsoluteError}: func(x, t []float64) float64 { return mean(x, t, func(x, t float64) float64 { return math.Abs(x - t) }) },
	{Kind: Huber, Delta: 0.75}: func(x, t []float64) float64 {
		return mean(x, t, func(x, t float64) float64 {
			if d := math.Abs(x - t); d > 0.75 {
				return 0.75*d - 0.5*0.75*0.75
			}
			return 0.5 * (x - t) * (x - t)
		})
	},
	{Kind: CategoricalHinge}: func(x, t []float64) float64 {
		pos, neg := 0.0, math.Inf(-1)
		for i := range x {
			pos += t[i] * x[i]
			neg = max(neg, (1-t[i])*x[i])
		}
		return max(neg-pos+1, 0)
	},
	{Kind: Hinge}: func(x, t []float64) float64 {
		return mean(x, t, func(x, t float64) float64 { return max(1-t*x, 0) })
	},
	{Kind: SquaredHinge}: func(x, t []float64) float64 {
		return mean(x, t, func(x, t float64) float64 { return max(1-t*x, 0) * max(1-t*x, 0) })
	},
}

// smoothed is f on smoothed targets. Source: Keras 3, label_smoothing.
func smoothed(l Loss, f formula) formula {
	return func(x, t []float64) float64 {
		a, classes := float64(l.Smoothing), float64(len(t))
		if l.Kind == BinaryCrossentropy {
			classes = 2
		}
		soft := make([]float64, len(t))
		for i, v := range t {
			soft[i] = v*(1-a) + a/classes
		}
		return f(x, soft)
	}
}

// TestLosses compares losses and their gradients, over the outputs of a dense
// layer and with sample weights, with the formulas and their finite differences
// in float64.
func TestLosses(t *testing.T) {
	for l, f := range maps.Clone(formulas) {
		if l.Kind.crossentropy() {
			l.Smoothing = 0.25
			formulas[l] = smoothed(l, f)
		}
	}
	for l, f := range maps.Clone(formulas) {
		if l.Kind == CategoricalCrossentropy {
			l.Kind = SparseCategoricalCrossentropy
			formulas[l] = f
		}
	}
	const batch, positions, classes = 3, 2, 4
	for l, f := range formulas {
		name := l.Kind.String()
		if l.FromLogits {
			name += " from logits"
		}
		if l.Smoothing > 0 {
			name += " smoothed"
		}
		t.Run(name, func(t *testing.T) {
			n, x := newNet(t, positions, 5)
			y := n.dense("dense", x, classes)
			bias := n.Producer(y).Inputs[graph.InputBias].Float32s()
			for i := range bias {
				bias[i] += 0.9 // probabilities mostly inside (0, 1)
			}
			s := compile(t, n.Graph, Config{Batch: batch, Training: true, Loss: &l})
			random := rng.New(5)
			target := make([]float32, batch*positions*classes)
			for i := range s.Input() {
				s.Input()[i] = random.Float32()/2 - 0.25
			}
			for i := range target {
				target[i] = random.Float32()
			}
			if l.Kind == SparseCategoricalCrossentropy {
				clear(target)
				for r := range s.Target() {
					label := random.IntN(classes)
					s.Target()[r], target[r*classes+label] = float32(label), 1
				}
			} else {
				copy(s.Target(), target)
			}
			copy(s.Weights(), []float32{1, 0.25, 2})
			if err := s.Run(0); err != nil {
				t.Fatal(err)
			}
			want, slopes := weightedLoss(f, s.Output(), target, s.Weights(), positions, classes)
			// float32 logarithms and sums of a few terms around 1
			if d := math.Abs(float64(s.Loss()) - want); d > 2e-6 {
				t.Errorf("loss %v, want %v", s.Loss(), want)
			}
			for j := range classes {
				sum := 0.0
				for r := range batch * positions {
					sum += slopes[r*classes+j]
				}
				// as above, and quotients by probabilities down to 0.1
				if got := s.Gradients()[1][j]; math.Abs(float64(got)-sum) > 1e-5 {
					t.Errorf("gradient of bias %d is %v, want %v", j, got, sum)
				}
			}
		})
	}
}

// weightedLoss returns the loss of a batch and its derivative by each output.
func weightedLoss(f formula, output, target, weights []float32, positions, classes int) (total float64, slopes []float64) {
	rows := len(output) / classes
	slopes = make([]float64, len(output))
	for r := range rows {
		x, t := make([]float64, classes), make([]float64, classes)
		for j := range classes {
			x[j], t[j] = float64(output[r*classes+j]), float64(target[r*classes+j])
		}
		scale := float64(weights[r/positions]) / float64(rows)
		total += scale * f(x, t)
		for j := range classes {
			const h = 1e-6
			at := x[j]
			x[j] = at + h
			up := f(x, t)
			x[j] = at - h
			slopes[r*classes+j] = scale * (up - f(x, t)) / (2 * h)
			x[j] = at
		}
	}
	return total, slopes
}

// identity returns a network whose output is its input, up to a bias of zero.
func identity(t *testing.T, classes int) *net {
	n, x := newNet(t, classes)
	eye := n.uniform("eye", graph.Constant, 0, 0, classes, classes)
	for i := range classes {
		eye.Float32s()[i*classes+i] = 1
	}
	n.add("identity", graph.FullyConnected{}, x, eye, n.uniform("b", graph.Parameter, 0, 0, classes))
	return n
}

// TestExtremeLosses feeds values at which naive formulas overflow or divide by
// zero. The expected numbers are exact up to a rounding of float32.
func TestExtremeLosses(t *testing.T) {
	for _, c := range []struct {
		name     string
		loss     Loss
		x        []float32
		target   []float32
		want     float32
		gradient []float32
	}{
		{"certain and right", Loss{Kind: SparseCategoricalCrossentropy, FromLogits: true}, []float32{200, -200}, []float32{0}, 0, []float32{0, 0}},
		{"certain and wrong", Loss{Kind: SparseCategoricalCrossentropy, FromLogits: true}, []float32{200, -200}, []float32{1}, 400, []float32{1, -1}},
		{"binary", Loss{Kind: BinaryCrossentropy, FromLogits: true}, []float32{200, -200}, []float32{0, 0}, 100, []float32{0.5, 0}},
		{"clipped", Loss{Kind: SparseCategoricalCrossentropy}, []float32{1, 0}, []float32{1}, float32(-math.Log(1e-7)), []float32{0, 0}},
		{"clipped binary", Loss{Kind: BinaryCrossentropy}, []float32{-3, 0}, []float32{1, 1}, float32(-math.Log(1e-7)), []float32{0, 0}},
		{"equal", Loss{Kind: MeanAbsoluteError}, []float32{1, 2}, []float32{1, 2}, 0, []float32{0, 0}},
		{"huber", Loss{Kind: Huber, Delta: 1}, []float32{3, 0.5}, []float32{0, 1}, (2.5 + 0.125) / 2, []float32{0.5, -0.25}},
		{"hinge of 0 and 1", Loss{Kind: Hinge}, []float32{0.5, 3}, []float32{0, 1}, 0.75, []float32{0.5, 0}},
		{"hinge of -1 and 1", Loss{Kind: Hinge}, []float32{0.5, -1}, []float32{-1, 1}, 1.75, []float32{0.5, -0.5}},
		{"squared hinge", Loss{Kind: SquaredHinge}, []float32{0.5, -1}, []float32{0, 1}, 3.125, []float32{1.5, -2}},
		{"categorical hinge", Loss{Kind: CategoricalHinge}, []float32{0.5, 0.75}, []float32{1, 0}, 1.25, []float32{-1, 1}},
		{"categorical hinge, others negative", Loss{Kind: CategoricalHinge}, []float32{0.5, -2}, []float32{1, 0}, 0.5, []float32{-1, 0}},
		{"categorical hinge, wide margin", Loss{Kind: CategoricalHinge}, []float32{2, 0.75}, []float32{1, 0}, 0, []float32{0, 0}},
		{"smoothed binary", Loss{Kind: BinaryCrossentropy, FromLogits: true, Smoothing: 0.5}, []float32{0, 0}, []float32{1, 0}, math.Ln2, []float32{-0.125, 0.125}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := compile(t, identity(t, 2).Graph, Config{Batch: 1, Training: true, Loss: &c.loss})
			copy(s.Input(), c.x)
			copy(s.Target(), c.target)
			if err := s.Run(0); err != nil {
				t.Fatal(err)
			}
			if d := math.Abs(float64(s.Loss() - c.want)); d > 1e-6*float64(c.want) {
				t.Errorf("loss %v, want %v", s.Loss(), c.want)
			}
			same(t, "gradient", c.gradient, s.Gradients()[0])
		})
	}
}

// TestLossBeforeLink: a network that ends in SOFTMAX, or LOGISTIC, trains exactly
// as the same network without it on logits.
func TestLossBeforeLink(t *testing.T) {
	for _, c := range []struct {
		kind LossKind
		op   graph.Op
	}{
		{SparseCategoricalCrossentropy, graph.Softmax{}}, {CategoricalCrossentropy, graph.Softmax{}}, {BinaryCrossentropy, graph.Logistic{}},
	} {
		run := func(linked bool) []float32 {
			n, x := newNet(t, 6)
			y := n.observed(n.dense("dense", x, 4))
			if linked {
				fixed := quant.PerTensor(1.0/256, -128)
				q := &graph.Quantizer{Name: "link", Bits: 8, Axis: -1, Source: graph.Fixed, FixedParams: &fixed}
				n.add("link/fq", graph.FakeQuant{Quantizer: q}, n.add("link", c.op, y))
			}
			return append(sgd(t, n.Graph, Config{Batch: 5, Training: true, Loss: &Loss{Kind: c.kind, FromLogits: !linked}}, 4, 2, 0.1), variables(n.Graph)...)
		}
		same(t, c.kind.String(), run(false), run(true))
	}
}

// TestLogitsBehindLink: what has passed a link function is no logit any more.
func TestLogitsBehindLink(t *testing.T) {
	for _, op := range []graph.Op{graph.Softmax{}, graph.Logistic{}} {
		for _, kind := range []LossKind{SparseCategoricalCrossentropy, CategoricalCrossentropy, BinaryCrossentropy} {
			n, x := newNet(t, 3)
			n.add("link", op, n.dense("dense", x, 4))
			_, err := Compile(n.Graph, Config{Batch: 2, Training: true, Loss: &Loss{Kind: kind, FromLogits: true}})
			if want := "the network ends in " + op.Name() + ` (node "link"): set FromLogits to false`; err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v: error %v, want %q", kind, err, want)
			}
		}
	}
}

// TestProbabilities: where the loss cannot look behind SOFTMAX, it takes the
// probabilities, and the gradient goes through the operator.
func TestProbabilities(t *testing.T) {
	for _, c := range []struct {
		name string
		kind LossKind
		tail func(n *net, y *graph.Tensor)
	}{
		{"binary", BinaryCrossentropy, func(*net, *graph.Tensor) {}},
		{"categorical behind a sigmoid", CategoricalCrossentropy, func(n *net, y *graph.Tensor) { n.add("l", graph.Logistic{}, y) }},
		{"reshape behind", CategoricalCrossentropy, func(n *net, y *graph.Tensor) { n.add("r", graph.Reshape{Shape: []int{-1, 2, 2}}, y) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, x := newNet(t, 3)
			c.tail(n, n.add("softmax", graph.Softmax{}, n.dense("dense", x, 4)))
			losses := sgd(t, n.Graph, Config{Batch: 4, Training: true, Loss: &Loss{Kind: c.kind}}, 30, 2, 0.5)
			if first, last := losses[0], losses[len(losses)-1]; !(last < first) {
				t.Errorf("the loss went from %v to %v", first, last)
			}
		})
	}
}

func TestLabels(t *testing.T) {
	n, x := newNet(t, 3)
	n.dense("dense", x, 4)
	for _, e := range []Executor{Fast, Tape} {
		s := compile(t, n.Graph, Config{Batch: 3, Loss: &Loss{Kind: SparseCategoricalCrossentropy, FromLogits: true}, Executor: e})
		for _, bad := range []float32{4, -1, 0.5, float32(math.NaN()), float32(math.Inf(1)), 1e30} {
			copy(s.Target(), []float32{0, 3, bad})
			if err := s.Run(0); err == nil || !strings.Contains(err.Error(), "row 2 has label") {
				t.Errorf("label %v: %v", bad, err)
			}
		}
		s.Target()[2] = 1
		if err := s.Run(0); err != nil {
			t.Errorf("after a bad label: %v", err)
		}
	}
}

func TestNoLoss(t *testing.T) {
	n, x := newNet(t, 3)
	n.dense("dense", x, 4)
	s := compile(t, n.Graph, Config{Batch: 2})
	if s.Target() != nil || s.Weights() != nil || s.Gradients() != nil || s.Loss() != 0 {
		t.Errorf("a step without loss has target %v, weights %v, gradients %v, loss %v", s.Target(), s.Weights(), s.Gradients(), s.Loss())
	}
}
