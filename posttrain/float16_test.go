package posttrain

import (
	"context"
	"testing"

	"github.com/x448/float16"

	"github.com/goqat/goqat/data/digits"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
)

// The outputs of a float16 model are nearer to those of the float network than with
// weights that are all rounded to nearest: by 2 dB or more in the mean over networks
// that are alike but for what rounding makes of them. One on its own has luck, either way.
func TestFloat16Balances(t *testing.T) {
	_, set := digits.Load()
	for name, net := range map[string]func() (*graph.Graph, error){"depthwise": depthwise, "dense": dense} {
		const alike = 16
		gain := 0.0
		for k := range alike {
			g, nearest := built(t, net).Clone(), built(t, net).Clone()
			for i, n := range g.Nodes {
				if _, ok := n.Op.(graph.Anchored); ok {
					w, rounded := n.Inputs[graph.InputWeights].Float32s(), nearest.Nodes[i].Inputs[graph.InputWeights].Float32s()
					for j := range w {
						w[j] *= 1 + float32(k)/1000
						rounded[j] = float16.Fromfloat32(w[j]).Float32()
					}
				}
			}
			want := outputs(t, g, set, set.Len())
			db := func(g *graph.Graph) float64 {
				model, err := Quantize(context.Background(), g, quant.Float16(), nil, Options{})
				if err != nil {
					t.Fatal(err)
				}
				return noise(want, outputs(t, model, set, set.Len()))
			}
			gain += (db(g) - db(nearest)) / alike
		}
		t.Logf("%s: %.2f dB more than rounded to nearest", name, gain)
		if gain < 2 {
			t.Errorf("%s: %.2f dB more than rounded to nearest, want 2", name, gain)
		}
	}
}
