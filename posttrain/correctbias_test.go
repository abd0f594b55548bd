package posttrain

import (
	"context"
	"math"
	"testing"

	"github.com/goqat/goqat/data/digits"
	"github.com/goqat/goqat/fakequant"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
)

// Few codes move the means of the outputs; with them back in place, the network
// is within a point of float.
func TestCorrectBiasRepairs(t *testing.T) {
	g := coarse(t, 40)
	_, set := digits.Load()
	want, wanted := accuracy(t, g), outputs(t, g, set, set.Len())
	before, after := repaired(t, g, quant.Int8(), Repair{}), repaired(t, g, quant.Int8(), Repair{CorrectBias: true})
	if a, b := noise(wanted, outputs(t, before, set, set.Len())), noise(wanted, outputs(t, after, set, set.Len())); b < a+4 {
		t.Errorf("%.1f dB before, %.1f dB after", a, b)
	}
	if a, b := accuracy(t, before), accuracy(t, after); a > want-0.015 || b < a+0.005 {
		t.Errorf("accuracy %v of float, %v before, %v after", want, a, b)
	}
}

// Over the samples the means of all channels before activations are those of the
// float network, to the rounding errors of float32.
func TestCorrectBiasMeans(t *testing.T) {
	set, _ := digits.Load()
	for _, net := range []func() (*graph.Graph, error){dense, depthwise} {
		g, err := net() // with its BatchNorm
		if err != nil {
			t.Fatal(err)
		}
		q, err := fakequant.Insert(g, quant.Int8())
		if err == nil {
			err = Calibrate(context.Background(), q, set, Calibration{Samples: 64})
		}
		if err != nil {
			t.Fatal(err)
		}
		c, err := CorrectBias(context.Background(), q, set, Sampling{Samples: 64})
		if err != nil {
			t.Fatal(err)
		}
		probe, err := newTwins(c, q.Unquantized(nil), set, Sampling{Samples: 64})
		if err != nil {
			t.Fatal(err)
		}
		err = probe.run(context.Background(), Sampling{}, "", func(s site) error {
			want, err := s.target()
			if err != nil {
				return err
			}
			got, err := s.linear(s.node, s.x())
			if err != nil {
				return err
			}
			channels := s.node.Output.Shape[len(s.node.Output.Shape)-1]
			sums, most := make([]float64, channels), 0.0
			for i, v := range want {
				sums[i%channels] += float64(v) - float64(got[i])
				most = max(most, math.Abs(float64(v)))
			}
			for i, sum := range sums {
				if mean := sum / float64(len(want)/channels); math.Abs(mean) > 1e-6*most {
					t.Errorf("%s: the mean of channel %d is off by %v of %v", s.node.Name, i, mean, most)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
