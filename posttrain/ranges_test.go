package posttrain

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"strings"
	"testing"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/data/digits"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
)

// calibrated returns the calibrated network and what the log says.
func calibrated(t *testing.T, samples data.Dataset, c Calibration) (*graph.Graph, string) {
	t.Helper()
	q := inserted(t)
	var log bytes.Buffer
	c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	if err := Calibrate(context.Background(), q, samples, c); err != nil {
		t.Fatal(err)
	}
	return q, log.String()
}

// upper returns the upper bounds of the observed tensors by name.
func upper(q *graph.Graph) map[string]float32 {
	bounds := map[string]float32{}
	for _, z := range q.Quantizers() {
		if z.Source == graph.MovingAverage {
			_, bounds[z.Name] = z.Observed().Bounds()
		}
	}
	return bounds
}

// Every estimator gives the same ranges in any batches, and each tensor the one
// that it is named for: the first that matches.
func TestCalibrateEstimators(t *testing.T) {
	samples, _ := digits.Load()
	all := map[quant.Method]map[string]float32{}
	for _, m := range []quant.Method{quant.MinMax, quant.MovingAverage, quant.Percentile, quant.MSE, quant.Entropy} {
		c := Calibration{Samples: 150, Estimator: quant.Estimator{Method: m, Percent: 99}}
		q, _ := calibrated(t, samples, c)
		c.BatchSize = 11
		if again, _ := calibrated(t, samples, c); ranges(again) != ranges(q) {
			t.Errorf("%v: other batches give\n%swant\n%s", m, ranges(again), ranges(q))
		}
		all[m] = upper(q)
		if r, most := all[m]["dense"], all[quant.MinMax]["dense"]; !(r <= most && r > most/4) {
			t.Errorf("%v: dense reaches to %v, where the maximum is %v", m, r, most)
		}
		// The entropy of so few values is least at their extremes.
		if m != quant.MinMax && m != quant.Entropy && maps.Equal(all[m], all[quant.MinMax]) {
			t.Errorf("%v: the ranges are the extremes", m)
		}
	}
	q, _ := calibrated(t, samples, Calibration{
		Samples:   150,
		Estimator: quant.Estimator{Method: quant.Entropy},
		Overrides: []Override{{"den*", quant.Estimator{Method: quant.Percentile, Percent: 99}}, {"*n*t", quant.Estimator{}}},
	})
	got := upper(q)
	for name, m := range map[string]quant.Method{"dense": quant.Percentile, "input": quant.MinMax, "re_lu": quant.Entropy} {
		if got[name] == 0 || got[name] != all[m][name] {
			t.Errorf("%s reaches to %v, want %v of %v", name, got[name], all[m][name], m)
		}
	}
}

func TestCalibrateRefusesEstimators(t *testing.T) {
	samples, _ := digits.Load()
	for _, c := range []struct {
		Calibration
		want string
	}{
		{Calibration{Estimator: quant.Estimator{Percent: 3}}, "percentile 3 is outside"},
		{Calibration{Overrides: []Override{{Pattern: "conv*"}}}, `override "conv*": it matches none of the tensors ["input" "re_lu" "dense"]`},
		{Calibration{Overrides: []Override{{Pattern: "dense", Estimator: quant.Estimator{Method: 9}}}}, `override "dense": quant: unknown range method 9`},
	} {
		if err := Calibrate(context.Background(), inserted(t), samples, c.Calibration); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}

// scaled is a set of digits with other inputs.
type scaled struct {
	data.Dataset
	of func(row, i int, x float32) float32
}

func (s scaled) Read(index []int, x, y []float32) error {
	err := s.Dataset.Read(index, x, y)
	for i := range x {
		x[i] = s.of(index[i/64], i%64, x[i])
	}
	return err
}

func TestCalibrateWarns(t *testing.T) {
	samples, _ := digits.Load()
	const few, unscaled, outliers = "few samples", "input looks unscaled", "outliers dominate"
	for _, c := range []struct {
		name string
		set  data.Dataset
		Calibration
		want string
	}{
		{"nothing", samples, Calibration{Samples: 100}, ""},
		{"few", samples, Calibration{Samples: 99}, few},
		{"pixels", scaled{samples, func(_, _ int, x float32) float32 { return 255 * x }}, Calibration{Samples: 100}, unscaled},
		{"an outlier", scaled{samples, func(row, i int, x float32) float32 {
			if row == 7 && i == 9 {
				return -60
			}
			return x / 2
		}}, Calibration{Samples: 100}, outliers},
		{"an outlier clipped", scaled{samples, func(row, i int, x float32) float32 {
			if row == 7 && i == 9 {
				return -60
			}
			return x / 2
		}}, Calibration{Samples: 100, Estimator: quant.Estimator{Method: quant.Percentile, Percent: 99.9}}, ""},
	} {
		_, log := calibrated(t, c.set, c.Calibration)
		for _, warning := range []string{few, unscaled, outliers} {
			if strings.Contains(log, warning) != (c.want == warning) {
				t.Errorf("%s: the log, which should warn of %q alone, is\n%s", c.name, c.want, log)
			}
		}
	}
}

// A line at the end, and no bar where there is no terminal.
func TestCalibrateProgress(t *testing.T) {
	samples, _ := digits.Load()
	var out bytes.Buffer
	calibrated(t, samples, Calibration{Samples: 40, Progress: &out})
	if text := out.String(); !strings.HasPrefix(text, "calibration: 40 samples, 3 tensors (") || strings.Count(text, "\n") != 1 {
		t.Errorf("progress is %q", text)
	}
}
