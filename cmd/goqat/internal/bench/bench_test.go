package bench

import (
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goqat/goqat/layers"
)

// TestNetworks: as many parameters as Keras counts, moving statistics left out.
func TestNetworks(t *testing.T) {
	want := map[string]int{"mlp": 101_770, "tutorial": 20_410, "cnn": 20_490, "dscnn": 5_002}
	for _, n := range Networks {
		g, err := n.Layers.Build(layers.Input{side, side, 1}, 1)
		if err != nil {
			t.Fatalf("%s: %v", n.Name, err)
		}
		got := 0
		for _, p := range g.Parameters() {
			got += p.Elements()
		}
		if got != want[n.Name] {
			t.Errorf("%s: %d parameters, want %d", n.Name, got, want[n.Name])
		}
	}
}

func TestTrainMeasures(t *testing.T) {
	rows, err := OpenRows("")
	if err != nil {
		t.Fatal(err)
	}
	r, err := Train(t.Context(), rows, Training{Network: Networks[0], Batch: 32, What: Float, Time: 20 * time.Millisecond, Before: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if r.Steps < windows || r.Rows != count || r.FirstStepSeconds < 3600 || r.SamplesPerSecond*r.EpochSeconds-count > 1 {
		t.Errorf("got %+v", r)
	}
}

// TestStepsAllocateNothing: steps, reading the rows included, live on what the first ones have allocated. What is
// left are objects of the measurement itself, and of goroutines that start.
func TestStepsAllocateNothing(t *testing.T) {
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("the race detector empties pools at random")
	}
	rows, err := OpenRows("")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range Networks {
		for _, what := range []What{Float, QAT} {
			r, err := Train(t.Context(), rows, Training{Network: n, Batch: 16, What: what, Time: 100 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			if objects := r.AllocsPerStep * float64(r.Steps); objects > float64(100+r.Steps/10) {
				t.Errorf("%s, %s: %.0f allocations in %d steps", n.Name, what, objects, r.Steps)
			}
		}
	}
}

func TestTooFewSteps(t *testing.T) {
	rows, err := OpenRows("")
	if err != nil {
		t.Fatal(err)
	}
	_, err = Train(t.Context(), rows, Training{Network: Networks[0], Batch: count/2 + 1, What: Float, Epochs: 2})
	if err == nil || !strings.Contains(err.Error(), "4 steps in 2 epochs are too few") {
		t.Errorf("error %v", err)
	}
}

// BenchmarkTrain is what `goqat bench train` measures, for profiles.
func BenchmarkTrain(b *testing.B) {
	rows, err := OpenRows("")
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range Networks {
		for _, batch := range []int{32, 128} {
			for _, what := range []What{Float, QAT} {
				b.Run(fmt.Sprintf("%s/%d/%s", n.Name, batch, what), func(b *testing.B) {
					for b.Loop() {
						r, err := Train(b.Context(), rows, Training{Network: n, Batch: batch, What: what, Time: time.Second})
						if err != nil {
							b.Fatal(err)
						}
						b.ReportMetric(r.SamplesPerSecond, "rows/s")
						b.ReportMetric(r.AllocsPerStep, "allocs/step")
					}
				})
			}
		}
	}
}
