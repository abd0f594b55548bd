package data

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// steps is a recording of two channels that names its own steps.
func steps(n int, first float32) []float32 {
	x := make([]float32, 2*n)
	for i := range n {
		x[2*i], x[2*i+1] = first+float32(i), -first-float32(i)
	}
	return x
}

func TestWindows(t *testing.T) {
	series := []Series{
		{X: steps(5, 10), Y: []float32{2}},
		{X: steps(2, 20), Y: []float32{1}}, // too short
		{X: steps(6, 30), Y: []float32{0, 1, 1, 0, 2, 2}},
	}
	w, err := Windows{Length: 3, Stride: 2, Channels: 2, Classes: 3}.Cut(series)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{3, 2}, w.InputShape()) + cmp.Diff([]int{1}, w.TargetShape()) + cmp.Diff([]int{0, 0, 2, 2}, w.Sources()); diff != "" {
		t.Errorf("shapes and sources:\n%s", diff)
	}
	x, y := rows(t, w, 0, 1, 2, 3)
	want := slices.Concat(steps(3, 10), steps(3, 12), steps(3, 30), steps(3, 32))
	if diff := cmp.Diff(want, x) + cmp.Diff([]float32{2, 2, 1, 0}, y); diff != "" { // the last window ties 0, 1 and 2
		t.Errorf("windows (-want +got):\n%s", diff)
	}
	if w.Classes() != 3 {
		t.Errorf("%d classes", w.Classes())
	}
	flat, err := Windows{Length: 3, Channels: 2, Flat: true}.Cut(series)
	if err != nil {
		t.Fatal(err)
	}
	x, y = rows(t, flat, 2)
	if diff := cmp.Diff(steps(3, 33), x) + cmp.Diff([]float32{2}, y) + cmp.Diff([]int{6}, flat.InputShape()); diff != "" || flat.Len() != 3 {
		t.Errorf("%d windows, the last:\n%s", flat.Len(), diff)
	}
	bare, err := Windows{Length: 2}.Cut([]Series{{X: []float32{1, 2, 3, 4}}})
	if err != nil {
		t.Fatal(err)
	}
	if x, y = rows(t, bare, 1); !slices.Equal(x, []float32{3, 4}) || y[0] != 0 {
		t.Errorf("one channel without targets gives %v, %v", x, y)
	}
}

func TestWindowsErrors(t *testing.T) {
	for name, c := range map[string]struct {
		w    Windows
		s    Series
		want string
	}{
		"no length":  {Windows{}, Series{X: steps(4, 0)}, "windows of 0 steps"},
		"stride":     {Windows{Length: 1, Stride: -1}, Series{X: steps(4, 0)}, "stride -1"},
		"channels":   {Windows{Length: 1, Channels: -2}, Series{X: steps(4, 0)}, "-2 channels"},
		"overflow":   {Windows{Length: math.MaxInt / 4, Channels: 9}, Series{X: steps(4, 0)}, "windows of"},
		"classes":    {Windows{Length: 1, Classes: -1}, Series{X: steps(4, 0)}, "-1 classes"},
		"ragged":     {Windows{Length: 1, Channels: 3}, Series{X: steps(4, 0)}, "recording 0: 8 values are not whole steps of 3"},
		"targets":    {Windows{Length: 1}, Series{X: steps(4, 0), Y: make([]float32, 3)}, "3 targets for 8 steps"},
		"NaN":        {Windows{Length: 1, Channels: 2}, Series{X: []float32{0, 0, 0, float32(math.NaN())}}, "step 1, channel 1 is NaN"},
		"label":      {Windows{Length: 1, Classes: 2}, Series{X: []float32{0, 0}, Y: []float32{0, 2}}, "step 1: label 2"},
		"Inf target": {Windows{Length: 1}, Series{X: []float32{0}, Y: []float32{float32(math.Inf(1))}}, "step 0: target is Inf"},
		"too short":  {Windows{Length: 9}, Series{X: steps(4, 0)}, "none of 1 recordings has 9 steps"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.w.Cut([]Series{c.s})
			wantError(t, err, "data: windows", c.want)
		})
	}
	_, err := Windows{Length: 1, Channels: 2}.Cut([]Series{{X: steps(1, 0)}, {X: []float32{1}}, {X: []float32{2}}})
	wantError(t, err, "recording 1", "recording 2")
}

// TestSplitTime: no step is in windows of both sides, whatever the stride.
func TestSplitTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var series []Series
		for i := range rapid.IntRange(1, 4).Draw(t, "recordings") {
			n := rapid.IntRange(0, 30).Draw(t, "steps")
			s := Series{X: steps(n, float32(1000*i)), Y: make([]float32, n)}
			for j := range s.Y {
				s.Y[j] = float32(1000*i + j)
			}
			series = append(series, s)
		}
		first, second, err := SplitTime(series, 2, rapid.Float64Range(0.1, 0.9).Draw(t, "fraction"))
		if err != nil {
			t.Fatal(err)
		}
		w := Windows{Length: rapid.IntRange(1, 5).Draw(t, "length"), Stride: rapid.IntRange(1, 5).Draw(t, "stride"), Channels: 2}
		seen := map[float32]int{}
		for side, part := range [][]Series{first, second} {
			set, err := w.Cut(part)
			if err != nil {
				continue // nothing is as long as a window
			}
			x, y := make([]float32, set.Len()*w.Length*2), make([]float32, set.Len())
			if err := set.Read(sequence(set.Len()), x, y); err != nil {
				t.Fatal(err)
			}
			for i, v := range x {
				if was, ok := seen[v]; ok && was != side && i%2 == 0 {
					t.Fatalf("step %v is on both sides", v)
				}
				seen[v] = side
			}
			for i, v := range y {
				if last := x[(i+1)*w.Length*2-2]; v != last {
					t.Fatalf("target %v of a window that ends with step %v", v, last)
				}
			}
		}
	})
	for name, c := range map[string]struct {
		s        Series
		channels int
		fraction float64
		want     string
	}{
		"fraction": {Series{}, 1, 0, "fraction 0"},
		"channels": {Series{}, 0, 0.5, "0 channels"},
		"ragged":   {Series{X: make([]float32, 3)}, 2, 0.5, "recording 0 has 3 values of 2 channels"},
		"targets":  {Series{X: make([]float32, 4), Y: make([]float32, 3)}, 2, 0.5, "and 3 targets"},
	} {
		_, _, err := SplitTime([]Series{c.s}, c.channels, c.fraction)
		if wantError(t, err, c.want); t.Failed() {
			t.Log(name)
		}
	}
	whole := Series{X: steps(4, 0), Y: []float32{5}}
	first, second, err := SplitTime([]Series{whole}, 2, 0.5)
	if err != nil || first[0].Y[0] != 5 || second[0].Y[0] != 5 || len(second[0].X) != 4 {
		t.Errorf("the target of the whole recording: %v %v %v", first, second, err)
	}
}

func TestNewSeries(t *testing.T) {
	file := "x,y,z,activity\n1,2,3,0\n4,5,6,0\n7,8,9,1\n"
	ds, err := ReadCSV(strings.NewReader(file), CSV{Header: true, Classes: 2})
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSeries(ds)
	if diff := cmp.Diff(Series{X: []float32{1, 2, 3, 4, 5, 6, 7, 8, 9}, Y: []float32{0, 0, 1}}, s); err != nil || diff != "" {
		t.Errorf("%v, series (-want +got):\n%s", err, diff)
	}
	_, err = NewSeries(Reconstruct(ds))
	wantError(t, err, "data: series: targets have shape [3]")
}
