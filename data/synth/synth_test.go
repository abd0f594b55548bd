package synth

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/internal/rng"
)

// rows reads a whole set.
func rows(t *testing.T, ds data.Dataset) (x, y []float32) {
	t.Helper()
	size := 1
	for _, d := range ds.InputShape() {
		size *= d
	}
	index := make([]int, ds.Len())
	for i := range index {
		index[i] = i
	}
	x, y = make([]float32, size*len(index)), make([]float32, len(index))
	if err := ds.Read(index, x, y); err != nil {
		t.Fatal(err)
	}
	return x, y
}

type maker interface {
	Make(seed uint64) (*data.Memory, error)
}

// TestGolden pins one set of each kind: other packages' golden values rest on them.
func TestGolden(t *testing.T) {
	for name, c := range map[string]struct {
		set  maker
		want string
	}{
		"line":          {Line{}, "667e6ca7324d44fce44404f702513e405c8209a4b27f66a91910e57b2f76a9d5"},
		"noisy line":    {Line{Rows: 20, Noise: 0.5}, "6f2f5195dbd605b77536edd420543c911ea298dd06f1ec8ea256c3065f45fe2f"},
		"blobs":         {Blobs{}, "5b33513b18ffcb0eed0b213513ba1e7f651be72eb356b4a62e8f1bf1c2d6aa6e"},
		"images":        {Images{}, "a976f9b581b0448eef4728f4bdfabcf3fc2a584c243f7b8014b4476440fd0e67"},
		"machine":       {Machine{Normal: 6, Anomalies: 8, Samples: 1000}, "8ec63b7f0371d274f747054c7283226b901918939d76a505cc2c0ae6b9f6c5cc"},
		"words":         {Words{Rows: 16, Classes: 8, Speakers: 2}, "c65398890b0974b30c77b70610e55b662c7d970d2fe1727ec6335b04aebaa974"},
		"colour images": {Images{Rows: 16, Height: 9, Width: 14, Channels: 3, Classes: 8}, "fc114586e21c9fd72b81d4b09ff4761d324b9178e488593faf04f702aaed05bb"},
	} {
		ds, err := c.set.Make(1)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := data.Fingerprint(ds)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got != c.want {
			t.Errorf("%s: fingerprint is %s, want %s", name, got, c.want)
		}
	}
}

// TestSeeds: a seed is a set. The line without noise has no use for it.
func TestSeeds(t *testing.T) {
	for name, set := range map[string]maker{"line": Line{Noise: 1}, "blobs": Blobs{}, "images": Images{}, "words": Words{Rows: 4}, "machine": Machine{Normal: 3, Anomalies: 2, Samples: 100}} {
		var prints [3]string
		for i, seed := range []uint64{1, 1, 2} {
			ds, err := set.Make(seed)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if prints[i], err = data.Fingerprint(ds); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if prints[0] != prints[1] || prints[1] == prints[2] {
			t.Errorf("%s: fingerprints of seeds 1, 1, 2: %q", name, prints)
		}
	}
}

func TestLine(t *testing.T) {
	ds, err := Line{}.Make(0)
	if err != nil {
		t.Fatal(err)
	}
	x, y := rows(t, ds)
	if diff := cmp.Diff([]float32{-1, 0, 1, 2, 3, 4}, x) + cmp.Diff([]float32{-3, -1, 1, 3, 5, 7}, y); diff != "" {
		t.Errorf("the zero value (-want +got):\n%s", diff)
	}
	ds, err = Line{Rows: 2000, From: 0, To: 1, Slope: -3, Intercept: 5, Noise: 0.25}.Make(7)
	if err != nil {
		t.Fatal(err)
	}
	var sum, square float64
	x, y = rows(t, ds)
	for i := range x {
		d := float64(y[i]) - (5 - 3*float64(x[i]))
		sum += d
		square += d * d
	}
	// Standard errors over n = 2000: the mean 0.25/sqrt(n), the deviation about 0.25/sqrt(2n); 4 of each.
	if mean, sd := sum/2000, math.Sqrt(square/2000); math.Abs(mean) > 0.0224 || math.Abs(sd-0.25) > 0.0159 {
		t.Errorf("the noise has mean %v and standard deviation %v", mean, sd)
	}
}

// TestBlobs classifies every point by the nearest centre. The centres are at least 8 standard deviations apart,
// so a point crosses over only if noise exceeds 4 of them: with 300 points of a fixed seed, a fault.
func TestBlobs(t *testing.T) {
	set := Blobs{Rows: 300, Classes: 5, Features: 3, Spread: 0.1}
	ds, err := set.Make(3)
	if err != nil {
		t.Fatal(err)
	}
	centres := set.centres(rng.New(3, streamCentres))
	for i := 1; i < len(centres); i++ {
		if d := math.Sqrt(nearest(centres[i], centres[:i])); d < 8*set.Spread {
			t.Errorf("centre %d is only %v from another", i, d)
		}
	}
	x, y := rows(t, ds)
	counts := make([]int, 5)
	for i, label := range y {
		point := []float64{float64(x[3*i]), float64(x[3*i+1]), float64(x[3*i+2])}
		best := 0
		for c := range centres {
			if nearest(point, centres[c:c+1]) < nearest(point, centres[best:best+1]) {
				best = c
			}
		}
		if best != int(label) {
			t.Errorf("row %d of class %v is nearest to centre %d", i, label, best)
		}
		counts[best]++
	}
	if diff := cmp.Diff([]int{60, 60, 60, 60, 60}, counts); diff != "" {
		t.Errorf("rows per class (-want +got):\n%s", diff)
	}
}

// TestShapesDiffer: any two kinds differ in at least a tenth of their pixels at every size.
func TestShapesDiffer(t *testing.T) {
	for size := minSize; size <= 32; size++ {
		for a := range shapes {
			for b := range a {
				differ := 0
				for r := range size {
					for c := range size {
						if shapes[a](r, c, size) != shapes[b](r, c, size) {
							differ++
						}
					}
				}
				if differ*10 < size*size {
					t.Errorf("size %d: shapes %d and %d differ in %d pixels", size, a, b, differ)
				}
			}
		}
	}
}

func TestImages(t *testing.T) {
	ds, err := Images{Rows: 80, Height: 10, Width: 14, Channels: 2, Classes: 8}.Make(5)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{10, 14, 2}, ds.InputShape()); diff != "" || ds.Classes() != 8 {
		t.Errorf("%d classes, shape (-want +got):\n%s", ds.Classes(), diff)
	}
	x, y := rows(t, ds)
	for i, label := range y {
		if int(label) != i%8 {
			t.Errorf("row %d has class %v", i, label)
		}
		bright := 0
		for _, v := range x[i*280 : (i+1)*280] {
			if v < 0 || v > 1 {
				t.Fatalf("row %d holds %v", i, v)
			}
			if v > 0.3 { // six deviations of the noise above the ground, four below the faintest shape
				bright++
			}
		}
		if bright < 8 { // a cross of size 5 covers 9 pixels in each of 2 channels
			t.Errorf("row %d, class %v: only %d bright values", i, label, bright)
		}
	}
	quiet, err := Images{Rows: 8, Classes: 8, Noise: -1}.Make(5)
	if err != nil {
		t.Fatal(err)
	}
	x, _ = rows(t, quiet)
	for i, v := range x {
		if v != 0 && v < 0.5 {
			t.Fatalf("without noise, value %d is %v", i, v)
		}
	}
}

func TestErrors(t *testing.T) {
	for name, c := range map[string]struct {
		set  maker
		want string
	}{
		"one point":        {Line{Rows: 1}, "synth: line: 1 rows"},
		"infinite line":    {Line{Slope: math.Inf(1)}, "synth: line: data: targets: row 0"},
		"negative rows":    {Blobs{Rows: -1}, "synth: blobs: -1 rows"},
		"too few points":   {Blobs{Rows: 2, Classes: 3}, "synth: blobs: 2 rows of 3 classes"},
		"no features":      {Blobs{Features: -1}, "-1 features"},
		"infinite spread":  {Blobs{Spread: math.Inf(1)}, "synth: blobs: data: inputs: row 0"},
		"too many kinds":   {Images{Classes: 9}, "1 to 8 classes"},
		"too few images":   {Images{Rows: 3}, "synth: images: 3 rows of 4 classes"},
		"too small":        {Images{Height: 7}, "at least 8x8"},
		"negative channel": {Images{Channels: -1}, "-1 channels"},
		"too many words":   {Words{Classes: 9}, "synth: words: 240 rows of 9 words and 12 speakers, want 1 to 8"},
		"no speakers":      {Words{Speakers: -1}, "-1 speakers"},
		"infinite ground":  {Words{Rows: 4, Noise: math.NaN()}, "synth: words: data: inputs: row 0"},
		"NaN noise":        {Images{Noise: math.NaN()}, "synth: images: data: inputs: row 0"},
	} {
		_, err := c.set.Make(1)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
}
