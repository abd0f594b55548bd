package synth

import (
	"math"
	"strings"
	"testing"

	"github.com/goqat/goqat/data/audio"
)

// TestMachineFaultsAreHeard: the log-mel bands of anomalies are farther from those of normal clips than normal clips are
// from each other, for nearly all of them; small faults hide in the spread of speed and load.
func TestMachineFaultsAreHeard(t *testing.T) {
	const known, asked = 160, 80
	clips, err := Machine{Normal: known + asked, Anomalies: asked}.Make(1)
	if err != nil {
		t.Fatal(err)
	}
	f := audio.AnomalyDetection()
	f.Center = false
	ds, err := f.Extract(clips)
	if err != nil {
		t.Fatal(err)
	}
	if s := ds.InputShape(); s[0] != 5 || s[1] != 128 {
		t.Fatalf("features have shape %v", s)
	}
	x, y := rows(t, ds)
	var points [][]float64
	for i := range y {
		points = append(points, columns(x[i*640:(i+1)*640], 128))
	}
	var normal, anomalous []float64 // distances
	for i := range asked {
		normal = append(normal, nearestOf(points[known+i], points[:known]))
		anomalous = append(anomalous, nearestOf(points[known+asked+i], points[:known]))
	}
	right := 0
	for _, n := range normal {
		for _, a := range anomalous {
			if n < a {
				right++
			}
		}
	}
	auc := float64(right) / asked / asked
	t.Logf("%.3f of the pairs are in order", auc)
	if auc < 0.9 || auc == 1 {
		t.Errorf("%.3f of the pairs of a normal clip and an anomaly are in order, want most, not all", auc)
	}
	if y[known+asked-1] != 0 || y[known+asked] != 1 || clips.Classes() != 2 {
		t.Errorf("anomalies do not follow normal clips: %v, %d classes", y[known+asked-1:known+asked+1], clips.Classes())
	}
}

// nearestOf is the squared distance from p to the closest of points.
func nearestOf(p []float64, points [][]float64) float64 {
	least := math.Inf(1)
	for i := range points {
		least = min(least, nearest(p, points[i:i+1]))
	}
	return least
}

// TestSeriesOfSines holds Chebyshev's recurrence to the sines it stands for.
func TestSeriesOfSines(t *testing.T) {
	a := []float64{1, -0.5, 0.25, 0.125}
	for i := range 200 {
		at := float64(i) / 97
		want := 0.0
		for k, v := range a {
			want += v * math.Sin(2*math.Pi*at*float64(k+1))
		}
		if got := series(a, at); math.Abs(got-want) > 1e-13 { // some roundings of numbers below 2
			t.Errorf("at %v: %v, want %v", at, got, want)
		}
	}
}

func TestMachineErrors(t *testing.T) {
	for name, m := range map[string]Machine{"normal": {Normal: -1}, "samples": {Samples: -1}, "noise": {Noise: math.NaN()}, "huge": {Samples: math.MaxInt / 8}} {
		if _, err := m.Make(1); err == nil || !strings.Contains(err.Error(), "synth: machine: ") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	ds, err := Machine{Normal: 3, Anomalies: -1, Samples: 10}.Make(1)
	if err != nil || ds.Len() != 3 {
		t.Errorf("without anomalies: %v", err)
	}
}
