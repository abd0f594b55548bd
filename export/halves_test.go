package export

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/goqat/goqat/graph"
)

// Of each filter the errors add up to at most half a step of a weight that is
// rounded the way of the sum; each weight is one of its two neighbours, and errors
// are hardly greater than the nearest.
func TestBalanceFilters(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		name  string
		op    graph.Anchored
		shape []int
		scale float64
	}{
		{"convolution", graph.Conv2D{}, []int{16, 3, 3, 8}, 0.3},
		{"depthwise", graph.DepthwiseConv2D{}, []int{1, 3, 3, 64}, 1},
		{"dense", graph.FullyConnected{}, []int{10, 1000}, 0.05},
		{"single", graph.FullyConnected{}, []int{50, 1}, 1},
		{"pairs", graph.FullyConnected{}, []int{50, 2}, 1},
		{"subnormal", graph.FullyConnected{}, []int{20, 30}, 1e-6},
		{"beyond", graph.FullyConnected{}, []int{20, 30}, 6e4},
	} {
		w := &graph.Tensor{Name: c.name, Shape: c.shape, Data: make([]float32, graph.Elements(c.shape))}
		for i := range w.Float32s() {
			w.Float32s()[i] = float32(random.NormFloat64() * c.scale)
			if i%7 == 0 { // exact
				w.Float32s()[i] = float32(fromHalf(halve(w.Float32s()[i:][:1])[0]))
			}
		}
		nearest := halve(w.Float32s())
		bits := halve(w.Float32s())
		balanceFilters(bits, w, c.op)
		filters, inner := w.Shape[c.op.ChannelAxis()], graph.Inner(w.Shape, c.op.ChannelAxis())
		sums, least := make([]float64, filters), make([][2]float64, filters)
		for f := range least {
			least[f] = [2]float64{math.Inf(1), math.Inf(1)}
		}
		var before, after, unbalanced float64
		nearestSums := make([]float64, filters)
		for i, v := range w.Float32s() {
			got, near := fromHalf(bits[i])-float64(v), fromHalf(nearest[i])-float64(v)
			f := i / inner % filters
			before, after = before+near*near, after+got*got
			if math.Abs(float64(v)) > maxHalf || near == 0 {
				if got != near {
					t.Errorf("%s: %v became %v, which has no neighbour but %v", c.name, v, fromHalf(bits[i]), fromHalf(nearest[i]))
				}
				continue
			}
			sums[f] += got
			nearestSums[f] += near
			// The neighbours: the step between them is one bit of the mantissa.
			_, exponent := math.Frexp(float64(v))
			step := math.Ldexp(1, max(exponent, -13)-11)
			if math.Abs(got) >= step || bits[i] != nearest[i] && math.Abs(math.Abs(got)+math.Abs(near)-step) > 1e-3*step {
				t.Errorf("%s: %v became %v, not a neighbour at %v", c.name, v, fromHalf(bits[i]), step)
			}
			side := 0
			if got > 0 {
				side = 1
			}
			least[f][side] = min(least[f][side], step)
		}
		for f, sum := range sums {
			side := 0
			if sum > 0 {
				side = 1
			}
			if sum != 0 && math.Abs(sum) > least[f][side]/2*(1+1e-9) {
				t.Errorf("%s, filter %d: errors add up to %v, with a step of %v that would lessen it", c.name, f, sum, least[f][side])
			}
			unbalanced += math.Abs(nearestSums[f]) - math.Abs(sum)
		}
		t.Logf("%s: error grows to %.4f of the nearest; the sums of errors lose %.3g", c.name, math.Sqrt(after/before), unbalanced)
		if len(w.Float32s())/filters > 2 && (math.Sqrt(after/before) > 1.1 || unbalanced <= 0) {
			t.Errorf("%s: error grows to %v of the nearest; the sums of errors lose %v", c.name, math.Sqrt(after/before), unbalanced)
		}
	}
}
