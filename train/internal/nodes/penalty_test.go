package nodes

import (
	"math"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/rng"
)

// penalty64 is the definition in float64.
func penalty64(p graph.Penalty, w []float32) float64 {
	var l1, l2 float64
	for _, v := range w {
		l1 += math.Abs(float64(v))
		l2 += float64(v) * float64(v)
	}
	return float64(p.L1)*l1 + float64(p.L2)*l2
}

// TestPenalties trains the network with every operator, quantized and folded
// weights among them: penalties change the loss and the gradients by what finite
// differences of the definition say, in every run and with both executors.
func TestPenalties(t *testing.T) {
	for _, e := range []Executor{Fast, Tape} {
		config := Config{Batch: 3, Training: true, Seed: 5, Executor: e, Loss: &Loss{Kind: SparseCategoricalCrossentropy}}
		run := func(g *graph.Graph) (loss float64, gradients [][]float32) {
			s := compile(t, g, config)
			fill(s, rng.New(1), 5)
			for range 2 { // the second run must not add to the first
				if err := s.Run(0); err != nil {
					t.Fatal(err)
				}
			}
			return float64(s.Loss()), s.Gradients()
		}
		withUnused := func() *net {
			n := every(t)
			unused := n.parameter("unused/w", 2, 3)
			unused.Float32s()[0] = 0 // a corner: sign(0) is 0
			out := n.Outputs
			n.add("unused", graph.Relu{}, unused)
			n.Outputs = out
			return n
		}
		plain, ruled := withUnused(), withUnused()
		want := 0.0
		for i, p := range ruled.Parameters() {
			p.Penalty = []graph.Penalty{{L1: 0.1}, {L2: 0.02}, {L1: 0.03, L2: 0.04}, {}}[i%4]
			want += penalty64(p.Penalty, p.Float32s())
		}
		before, gradients := run(plain.Graph)
		after, shifted := run(ruled.Graph)
		// Roundings of float32 sums of some hundred terms below 20.
		if got := after - before; math.Abs(got-want) > 1e-5 {
			t.Errorf("the penalties add %v to the loss, want %v", got, want)
		}
		unused := false
		for i, p := range ruled.Parameters() {
			unused = unused || p.Name == "unused/w"
			w := p.Float32s()
			for j, at := range w {
				const h = 1.0 / 1024
				w[j] = at + h
				up := penalty64(p.Penalty, w)
				w[j] = at - h
				slope := (up - penalty64(p.Penalty, w)) / (2 * h)
				w[j] = at
				if math.Abs(float64(at)) < h && at != 0 {
					continue // the kink lies between
				}
				// Half a unit in the last place of a gradient below 4, and the
				// rounding of at±h divided by h.
				if got := float64(shifted[i][j]) - float64(gradients[i][j]); math.Abs(got-slope) > 1e-5 {
					t.Errorf("%s[%d]: the penalty adds %v to the gradient, finite difference %v", p.Name, j, got, slope)
				}
			}
		}
		if !unused {
			t.Error("the parameter that the loss does not reach is missing")
		}
		// Outside training the penalty is part of the loss too, as in Keras.
		config.Training = false
		quiet, _ := run(plain.Graph)
		loud, none := run(ruled.Graph)
		if math.Abs(loud-quiet-want) > 1e-5 || none != nil {
			t.Errorf("outside training the penalties add %v, want %v", loud-quiet, want)
		}
	}
}
