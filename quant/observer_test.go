package quant

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

var methods = []Method{MinMax, MovingAverage, Percentile, MSE, Entropy}

func TestEstimatorText(t *testing.T) {
	for _, m := range methods {
		text, err := json.Marshal(Estimator{Method: m, Percent: 99})
		var back Estimator
		if err != nil || json.Unmarshal(text, &back) != nil || back.Method != m || back.Percent != 99 {
			t.Errorf("%v is written as %s (%v) and read as %v", m, text, err, back)
		}
	}
	for e, want := range map[Estimator]string{
		{}:                                    "min-max",
		{Method: MovingAverage}:               "moving-average 0.99",
		{Method: Percentile, Percent: 99.9}:   "percentile 99.9",
		{Method: MSE, Decay: 0.5, Percent: 1}: "mse",
		{Method: 77}:                          "method 77",
	} {
		if e.String() != want {
			t.Errorf("%q, want %q", e, want)
		}
	}
	var m Method
	want(t, m.UnmarshalText([]byte("median")), `unknown range method "median", want one of [min-max moving-average percentile mse entropy]`)
	for _, e := range []struct {
		Estimator
		want string
	}{
		{Estimator{Method: 77}, "unknown range method 77"},
		{Estimator{Decay: 1}, "decay 1 of a moving average is outside (0, 1)"},
		{Estimator{Decay: nan}, "decay NaN"},
		{Estimator{Percent: 50}, "percentile 50 is outside (50, 100]"},
		{Estimator{Percent: 100.1}, "percentile 100.1"},
	} {
		_, err := NewObserver(e.Estimator)
		want(t, err, e.want)
	}
}

// observe returns the range of the rows, observed in batches of the given sizes.
func observe(t interface{ Fatal(...any) }, e Estimator, rows [][]float32, batch int) Range {
	o, err := NewObserver(e)
	if err != nil {
		t.Fatal(err)
	}
	for chunk := range slices.Chunk(rows, batch) {
		if err := o.Observe(slices.Concat(chunk...), len(chunk)); err != nil {
			t.Fatal(err)
		}
		o.Step()
	}
	r, err := o.Range(Signed(8, false), false)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Batches never matter; the order of the rows does to a moving average alone. All
// ranges lie within the extremes, and hold zero wherever these do.
func TestObserverRanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.Float32Range(-4, 4), rapid.Just(float32(0)), rapid.Float32Range(-300, 300), rapid.Float32())
		rows := rapid.SliceOfN(rapid.SliceOfN(value.Filter(func(v float32) bool { return v-v == 0 && max(v, -v) < 1e37 }), 5, 5), 1, 20).Draw(t, "rows")
		shuffled := slices.Clone(rows)
		slices.Reverse(shuffled)
		lo, hi, _, _ := Observe(slices.Concat(rows...))
		for _, m := range methods {
			e := Estimator{Method: m}
			r := observe(t, e, rows, 1)
			for _, batch := range []int{2, 7, 20} {
				if got := observe(t, e, rows, batch); got != r {
					t.Fatalf("%v: %v by rows, %v in batches of %d", m, r, got, batch)
				}
			}
			if got := observe(t, e, shuffled, 3); got != r && m != MovingAverage {
				t.Fatalf("%v: %v, %v in another order", m, r, got)
			}
			if a, b := r.Bounds(); r.Weight != 1 && m != MovingAverage || m != MovingAverage && (a < min(lo, 0) || b > max(hi, 0)) || a > b {
				t.Fatalf("%v: range %v of values in [%v, %v]", m, r, lo, hi)
			}
		}
	})
}

func TestObserverRefuses(t *testing.T) {
	o, _ := NewObserver(Estimator{})
	_, err := o.Range(Signed(8, false), false)
	want(t, err, "range was never observed")
	want(t, o.Observe([]float32{0, 0, 0, nan}, 2), "row 1: value 1 is NaN")
	want(t, o.Observe([]float32{-infinite}, 1), "row 0: value 0 is -Inf")
	want(t, o.Observe([]float32{1, 2, 3}, 2), "3 values do not fill 2 rows")
	want(t, o.Observe(nil, 1), "0 values do not fill 1 rows")
}

// A range of several tensors averages the extremes of every 32 rows of all, those
// of the last ones too, each group weighing twice the one before by this decay.
func TestObserverShared(t *testing.T) {
	o, _ := NewObserver(Estimator{Method: MovingAverage, Decay: 0.5})
	ones := func(n int, v float32) []float32 {
		values := make([]float32, n)
		for i := range values {
			values[i] = v
		}
		return values
	}
	for _, batch := range [][2][]float32{{ones(20, 1), ones(20, -1)}, {append(ones(12, 3), 4), append(ones(12, 0), -2)}} {
		for _, tensor := range batch {
			if err := o.Observe(tensor, len(tensor)); err != nil {
				t.Fatal(err)
			}
		}
		o.Step()
	}
	// 32 rows in [-1, 3], and one in [-2, 4].
	r, err := o.Range(Signed(8, false), false)
	if lo, hi := r.Bounds(); err != nil || lo != (-1./4-2./2)/(3./4) || hi != (3./4+4./2)/(3./4) {
		t.Errorf("[%v, %v], %v", lo, hi, err)
	}
	if m := o.Magnitude(); math.Abs(m-(20*1+20*1+12*3+4+2)/54.) > 1e-12 {
		t.Errorf("mean magnitude %v without zeros", m)
	}
}

// normal returns n values of a normal distribution, seeded.
func normal(n int) []float32 {
	r := rand.New(rand.NewPCG(1, 2))
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(r.NormFloat64())
	}
	return values
}

// histogramOf counts values.
func histogramOf(values []float32) counted {
	h := histogram{}
	h.add(values)
	lo, hi, _, _ := Observe(values)
	return h.counted(lo, hi)
}

// A bin is at most 1/256 as wide as its values: that is how far a percentile is
// from the one of the sorted values, and one value apart.
func TestPercentile(t *testing.T) {
	values := append(normal(10000), 0, 0, 0, 1000)
	c := histogramOf(values)
	slices.Sort(values)
	for _, percent := range []float64{51, 75, 99, 99.9, 99.99, 100} {
		lo, hi := c.percentile(percent)
		at := func(share float64) (float64, float64) {
			i := int(share * float64(len(values)))
			return float64(values[max(i-1, 0)]), float64(values[min(i+1, len(values)-1)])
		}
		for _, c := range []struct {
			got   float32
			share float64
		}{{lo, 1 - percent/100}, {hi, percent / 100}} {
			a, b := at(c.share)
			if v := float64(c.got); v < a-math.Abs(a)/256 || v > b+math.Abs(b)/256 {
				t.Errorf("percentile %v: %v, want it in [%v, %v]", percent, c.got, a, b)
			}
		}
	}
	if lo, hi := histogramOf([]float32{0, 0, 5}).percentile(100); lo != 0 || hi != 5 {
		t.Errorf("all values: [%v, %v]", lo, hi)
	}
}

// mse returns the mean squared error of fake quantization.
func mse(values []float32, p Params, g Grid) float64 {
	y := make([]float32, len(values))
	if err := p.FakeQuantize(y, values, nil, []int{len(values)}, g); err != nil {
		return math.Inf(1)
	}
	sum := 0.0
	for i, v := range values {
		sum += float64(y[i]-v) * float64(y[i]-v)
	}
	return sum / float64(len(values))
}

// The error that the histogram foretells is that of the values, as far as values
// are spread evenly inside bins: within 1 % here.
func TestSquaredError(t *testing.T) {
	values := append(normal(20000), make([]float32, 5000)...)
	c := histogramOf(values)
	for _, g := range []Grid{Signed(8, false), Signed(4, false), Signed(8, true)} {
		for _, r := range [][2]float32{{-4, 4}, {-2, 2}, {-1, 3}, {-0.5, 0.25}, {0, 2}} {
			scale, zero, err := Asymmetric(r[0], r[1], g)
			if err != nil {
				t.Fatal(err)
			}
			got := c.squaredError(float64(scale), float64(g.Min-zero), float64(g.Max-zero)) / float64(len(values))
			if want := mse(values, PerTensor(scale, zero), g); math.Abs(got-want) > 0.01*want {
				t.Errorf("grid %v, range %v: mean squared error %v, want %v", g, r, got, want)
			}
		}
	}
}

// The least squared error of a normal distribution with outliers has them
// clipped; no range of a fine mesh is better by more than 1 %.
func TestLeastSquares(t *testing.T) {
	for _, c := range []struct {
		bits      int
		symmetric bool
	}{{8, false}, {4, false}, {8, true}, {16, true}} {
		values := append(normal(20000), 30, -60)
		g := Signed(c.bits, false)
		lo, hi := histogramOf(values).leastSquares(g, c.symmetric)
		cost := func(lo, hi float32) float64 {
			if c.symmetric {
				scale, _ := Symmetric(lo, hi, g)
				return mse(values, PerTensor(scale, 0), g)
			}
			scale, zero, _ := Asymmetric(lo, hi, g)
			return mse(values, PerTensor(scale, zero), g)
		}
		found, least := cost(lo, hi), math.Inf(1)
		for a := float32(1); a < 64; a *= 1.25 {
			for b := float32(1); b < 64; b *= 1.25 {
				least = min(least, cost(-a, b))
			}
		}
		if found > 1.01*least {
			t.Errorf("%d bits: [%v, %v] has error %v, the mesh %v", c.bits, lo, hi, found, least)
		}
		if c.bits == 4 && hi > 10 {
			t.Errorf("4 bits: [%v, %v] keeps the outliers", lo, hi)
		}
	}
}

// Entropy clips outliers, however far, and loses little of what is left; the
// range of a uniform distribution stays.
func TestLeastDivergence(t *testing.T) {
	g := Signed(8, false)
	for _, far := range []float32{40, 4000} {
		lo, hi := histogramOf(append(normal(20000), far)).leastDivergence(g, false)
		if lo > -2.5 || hi < 2.5 || hi > 8 {
			t.Errorf("outlier %v: [%v, %v]", far, lo, hi)
		}
	}
	relu := normal(20000)
	for i, v := range relu {
		relu[i] = max(v, 0)
	}
	if lo, hi := histogramOf(append(relu, 40)).leastDivergence(g, false); lo != 0 || hi < 2.5 || hi > 8 {
		t.Errorf("behind a ReLU: [%v, %v]", lo, hi)
	}
	if lo, hi := histogramOf(append(normal(20000), 40)).leastDivergence(g, true); lo != -hi || hi < 2.5 || hi > 8 {
		t.Errorf("symmetric: [%v, %v]", lo, hi)
	}
	even := make([]float32, 50000)
	for i := range even {
		even[i] = float32(i) / 10000
	}
	if lo, hi := histogramOf(even).leastDivergence(g, false); lo != 0 || hi < 4.8 {
		t.Errorf("uniform: [%v, %v]", lo, hi)
	}
	if lo, hi := histogramOf(append(normal(1000), 40)).leastDivergence(Signed(16, false), false); hi != 40 || lo > -2 {
		t.Errorf("16 bits: [%v, %v]", lo, hi)
	}
}

func BenchmarkObserver(b *testing.B) {
	values := normal(1 << 16)
	for _, m := range methods {
		b.Run(m.String(), func(b *testing.B) {
			b.SetBytes(int64(4 * len(values)))
			for b.Loop() {
				o, _ := NewObserver(Estimator{Method: m})
				if err := o.Observe(values, 16); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(m.String()+"/range", func(b *testing.B) {
			o, _ := NewObserver(Estimator{Method: m})
			if err := o.Observe(values, 16); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := o.Range(Signed(8, false), false); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
