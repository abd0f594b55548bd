package layers_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
)

// constants returns the factor and the shift of the first Affine of g.
func constants(t *testing.T, g *graph.Graph) (factor, shift []float32) {
	t.Helper()
	for _, n := range g.Nodes {
		if n.Op == (graph.Affine{}) {
			return n.Inputs[graph.InputFactor].Float32s(), n.Inputs[graph.InputShift].Float32s()
		}
	}
	t.Fatal("no Affine")
	return nil, nil
}

func TestRescaling(t *testing.T) {
	factor, shift := constants(t, build(t, layers.Sequential{layers.Rescaling{Scale: 1.0 / 127.5, Offset: -1}}, layers.Input{4, 4, 2}, 1))
	if diff := cmp.Diff([][]float32{{1.0 / 127.5, 1.0 / 127.5}, {-1, -1}}, [][]float32{factor, shift}); diff != "" {
		t.Error(diff)
	}
}

// Keras 3's Normalization: factor and shift are those of its formula in float64,
// rounded once.
func TestNormalization(t *testing.T) {
	for _, c := range []struct {
		name   string
		layer  layers.Normalization
		factor func(c int) float64
		mean   func(c int) float64
	}{
		{"by channel", layers.Normalization{Mean: []float32{3, -0.5, 100}, Variance: []float32{4, 0.25, 0}},
			func(c int) float64 { return []float64{0.5, 2, 1e7}[c] }, func(c int) float64 { return []float64{3, -0.5, 100}[c] }},
		{"all alike", layers.Normalization{Mean: []float32{0.1307}, Variance: []float32{0.0949}},
			func(int) float64 { return 1 / math.Sqrt(float64(float32(0.0949))) }, func(int) float64 { return float64(float32(0.1307)) }},
		{"least deviation", layers.Normalization{Mean: []float32{1, 1, 1}, Variance: []float32{0, 0.01, 1}, Epsilon: 0.5},
			func(c int) float64 { return []float64{2, 2, 1}[c] }, func(int) float64 { return 1 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			factor, shift := constants(t, build(t, layers.Sequential{c.layer}, layers.Input{5, 3}, 1))
			for i := range 3 {
				f := c.factor(i)
				if factor[i] != float32(f) || shift[i] != float32(-c.mean(i)*f) {
					t.Errorf("channel %d: y = x*%v + %v, want x*%v + %v", i, factor[i], shift[i], float32(f), float32(-c.mean(i)*f))
				}
			}
		})
	}
}

// series is a set of rows [2, 2].
type series [][]float32

func (s series) Len() int         { return len(s) }
func (series) InputShape() []int  { return []int{2, 2} }
func (series) TargetShape() []int { return []int{1} }
func (s series) Read(index []int, x, _ []float32) error {
	for i, r := range index {
		copy(x[4*i:], s[r])
	}
	return nil
}

// Adapt gives the mean and the biased variance of each channel, as Keras 3's
// adapt does: here of a channel far from zero, where sums of squares would lose
// all digits, and of one that is constant.
func TestAdapt(t *testing.T) {
	rows := series{{1e4, 7, 1e4 + 1, 7}, {1e4 + 2, 7, 1e4 - 1, 7}, {1e4 + 3, 7, 1e4 + 4, 7}}
	l, err := layers.Normalization{Name: "n"}.Adapt(context.Background(), rows)
	if err != nil {
		t.Fatal(err)
	}
	// The deviations of the first channel are 0, 1, 2, -1, 3, 4: mean 1.5, mean square 31/6.
	want := layers.Normalization{Name: "n", Mean: []float32{1e4 + 1.5, 7}, Variance: []float32{float32(31.0/6 - 1.5*1.5), 0}}
	if diff := cmp.Diff(want, l); diff != "" {
		t.Error(diff)
	}
}

func TestAdaptRefuses(t *testing.T) {
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		name string
		ctx  context.Context
		rows layers.Rows
		want string
	}{
		{"no rows", context.Background(), series{}, "no rows"},
		{"NaN", context.Background(), series{{1, 2, 3, 4}, {1, 2, 3, float32(math.NaN())}}, "row 1 has NaN at 3"},
		{"cancelled", cancelled, series{{1, 2, 3, 4}}, "canceled"},
	} {
		if _, err := (layers.Normalization{}).Adapt(c.ctx, c.rows); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}

func TestRescalingRefuses(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, c := range []struct {
		layer layers.Layer
		want  string
	}{
		{layers.Rescaling{}, "scale is 0"},
		{layers.Rescaling{Scale: inf}, "scale is +Inf"},
		{layers.Rescaling{Scale: 1, Offset: inf}, "offset is +Inf"},
		{layers.Normalization{}, "mean has 0 values"},
		{layers.Normalization{Mean: []float32{1, 2}, Variance: []float32{1}}, "mean has 2 values, want 1 or one for each of 3"},
		{layers.Normalization{Mean: []float32{1}, Variance: []float32{1, 1}}, "variance has 2 values"},
		{layers.Normalization{Mean: []float32{1}, Variance: []float32{-1}}, "variance -1"},
		{layers.Normalization{Mean: []float32{inf}, Variance: []float32{1}}, "mean +Inf"},
		{layers.Normalization{Mean: []float32{1}, Variance: []float32{1}, Epsilon: -1}, "epsilon is -1"},
	} {
		_, err := layers.Sequential{c.layer}.Build(layers.Input{3}, 1)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "layer 0") {
			t.Errorf("%+v: error %v, want %q", c.layer, err, c.want)
		}
		if se := (*graph.ShapeError)(nil); errors.As(err, &se) {
			t.Errorf("%+v: a shape error", c.layer)
		}
	}
}
