package data

import (
	"hash/crc32"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// ramps is a set of rows whose elements count on from row to row.
func ramps(t interface{ Fatal(...any) }, n int, shape ...int) *Memory {
	size, err := elements(shape)
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float32, n*size)
	for i := range x {
		x[i] = float32(i) + 1
	}
	m, err := NewMemory(Arrays{InputShape: shape, X: x, Y: make([]float32, n)})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var everyStep = []Augmentation{
	RandomFlip{}, RandomTranslation{Height: 0.2, Width: 0.2}, RandomRotation{Factor: 0.1, Fill: FillNearest},
	GaussianNoise{StdDev: 0.5}, RandomErasing{},
}

func augmented(t interface{ Fatal(...any) }, ds Dataset, seed uint64, steps ...Augmentation) *Augmented {
	a, err := Augment(ds, seed, steps...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// inputs reads rows one after the other.
func inputs(t *testing.T, ds Dataset, index ...int) []float32 {
	t.Helper()
	size, _ := elements(ds.InputShape())
	x, y := make([]float32, size*len(index)), make([]float32, len(index))
	if err := ds.Read(index, x, y); err != nil {
		t.Fatal(err)
	}
	return x
}

// TestAugmentGolden pins the bits: they must not differ between architectures or versions.
func TestAugmentGolden(t *testing.T) {
	ds := augmented(t, ramps(t, 20, 9, 7, 2), 3, everyStep...)
	sum := crc32.NewIEEE()
	for epoch := range 3 {
		_, _ = sum.Write(appendFloats(nil, inputs(t, ds.Epoch(epoch), sequence(20)...)))
	}
	if got, want := sum.Sum32(), uint32(0x577ca582); got != want {
		t.Errorf("checksum is %#x, want %#x", got, want)
	}
}

// TestAugmentDependsOnRowAndEpochAlone: any order, any batches, any number of goroutines give the same rows.
func TestAugmentDependsOnRowAndEpochAlone(t *testing.T) {
	const n, size = 24, 6 * 5
	ds := augmented(t, ramps(t, n, 6, 5, 1), 1, everyStep...)
	want := inputs(t, ds.Epoch(2), sequence(n)...)
	for _, batch := range []int{1, 5, 24} {
		order := Shuffle(n, 9, batch)
		got := make([]float32, n*size)
		var all sync.WaitGroup
		for part := range Batches(order, batch) {
			all.Go(func() {
				x, y := make([]float32, len(part)*size), make([]float32, len(part))
				if err := ds.Epoch(2).Read(part, x, y); err != nil {
					t.Error(err)
				}
				for j, i := range part {
					copy(got[i*size:], x[j*size:(j+1)*size])
				}
			})
		}
		all.Wait()
		if !slices.Equal(got, want) {
			t.Errorf("in batches of %d, rows differ", batch)
		}
	}
}

func TestAugmentVaries(t *testing.T) {
	plain := ramps(t, 2, 6, 5, 1)
	ds := augmented(t, plain, 1, RandomTranslation{Height: 0.5, Width: 0.5})
	if !slices.Equal(inputs(t, ds, 0, 1), inputs(t, plain, 0, 1)) {
		t.Error("without an epoch, the rows are changed")
	}
	seen := map[string]string{}
	for name, x := range map[string][]float32{
		"epoch 0":      inputs(t, ds.Epoch(0), 0),
		"epoch 1":      inputs(t, ds.Epoch(1), 0),
		"another seed": inputs(t, augmented(t, plain, 2, RandomTranslation{Height: 0.5, Width: 0.5}).Epoch(0), 0),
		"no epoch":     inputs(t, ds, 0),
	} {
		key := string(appendFloats(nil, x))
		if other, ok := seen[key]; ok {
			t.Errorf("%s equals %s", name, other)
		}
		seen[key] = name
	}
	// The same content in another row is changed in another way.
	twice, err := Subset(plain, []int{0, 0})
	if err != nil {
		t.Fatal(err)
	}
	x := inputs(t, augmented(t, twice, 1, RandomTranslation{Height: 0.5, Width: 0.5}).Epoch(0), 0, 1)
	if slices.Equal(x[:30], x[30:]) {
		t.Error("two rows of the same content get the same change")
	}
}

// TestAugmentBelowAndAbove: subsets of augmented sets and pipelines on pipelines vary too.
func TestAugmentBelowAndAbove(t *testing.T) {
	plain := numbered(t, 2, 0, 1, 0, 1)
	inner := augmented(t, plain, 1, GaussianNoise{StdDev: 1})
	part, err := Subset(inner, []int{2, 3})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(inputs(t, inner.Epoch(5), 2, 3), inputs(t, Epoch(part, 5), 0, 1)); diff != "" {
		t.Errorf("a subset varies in its own way:\n%s", diff)
	}
	outer := augmented(t, part, 2, GaussianNoise{StdDev: 1e-3})
	x, y := inputs(t, outer.Epoch(5), 0), inputs(t, Epoch(part, 5), 0)
	if d := x[0] - y[0]; d == 0 || d > 0.01 || d < -0.01 {
		t.Errorf("a pipeline on a pipeline changes %v to %v", y, x)
	}
	if Classes(outer) != 2 || Classes(outer.Epoch(0)) != 2 {
		t.Error("the classes are lost")
	}
	if want := "augment seed 1 data.GaussianNoise{StdDev:1}\naugment seed 2 data.GaussianNoise{StdDev:0.001}\n"; outer.Variation() != want {
		t.Errorf("variation is %q, want %q", outer.Variation(), want)
	}
	if Epoch(plain, 3) != Dataset(plain) {
		t.Error("a set without epochs is not itself")
	}
}

func TestAugmentFingerprint(t *testing.T) {
	plain := ramps(t, 2, 3, 3, 1)
	seen := map[string]string{}
	whole, err := Subset(augmented(t, plain, 1, RandomFlip{}), []int{0, 1})
	if err != nil {
		t.Fatal(err)
	}
	for name, ds := range map[string]Dataset{
		"plain":   plain,
		"subset":  whole,
		"flip 2":  augmented(t, plain, 2, RandomFlip{}),
		"mode":    augmented(t, plain, 1, RandomFlip{Mode: FlipVertical}),
		"noise":   augmented(t, plain, 1, GaussianNoise{StdDev: 0.1}),
		"noise 2": augmented(t, plain, 1, GaussianNoise{StdDev: 0.2}),
		"two":     augmented(t, plain, 1, RandomFlip{}, GaussianNoise{StdDev: 0.1}),
	} {
		f, err := Fingerprint(ds)
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[f]; ok {
			t.Errorf("%s has the fingerprint of %s", name, other)
		}
		seen[f] = name
	}
	f, err := Fingerprint(augmented(t, plain, 1, RandomFlip{}))
	if err != nil || seen[f] != "subset" {
		t.Errorf("a subset of all rows has another fingerprint (%v)", err)
	}
}

func TestRandomFlip(t *testing.T) {
	image := []float32{1, 2, 3, 4, 5, 6} // 2 rows, 3 columns
	for mode, want := range map[Flip][][]float32{
		FlipHorizontal: {image, {3, 2, 1, 6, 5, 4}},
		FlipVertical:   {image, {4, 5, 6, 1, 2, 3}},
		FlipBoth:       {image, {3, 2, 1, 6, 5, 4}, {4, 5, 6, 1, 2, 3}, {6, 5, 4, 3, 2, 1}},
	} {
		ds := augmented(t, ramps(t, 1, 2, 3, 1), 1, RandomFlip{mode})
		counts := make([]int, len(want))
		for epoch := range 400 {
			x := inputs(t, ds.Epoch(epoch), 0)
			i := slices.IndexFunc(want, func(w []float32) bool { return slices.Equal(w, x) })
			if i < 0 {
				t.Fatalf("mode %d gives %v", mode, x)
			}
			counts[i]++
		}
		for i, n := range counts { // 5 standard deviations of a binomial: sqrt(400*p*(1-p)) <= 10
			if d := n - 400/len(want); d < -50 || d > 50 {
				t.Errorf("mode %d gives %v %d times of 400", mode, want[i], n)
			}
		}
	}
	// Pixels stay whole, and series are turned around in time.
	flipped := func(shape ...int) []float32 {
		x := inputs(t, ramps(t, 1, shape...), 0)
		m, _ := imageOf(shape)
		reverse(x, m.height, m.width*m.channels)
		return x
	}
	if diff := cmp.Diff([]float32{3, 4, 1, 2}, flipped(2, 2)) + cmp.Diff([]float32{5, 6, 7, 8, 1, 2, 3, 4}, flipped(2, 2, 2)); diff != "" {
		t.Errorf("reversed:\n%s", diff)
	}
}

// TestWarp: whole pixels and quarter turns copy, half pixels are means.
func TestWarp(t *testing.T) {
	image := image{3, 3, 1}
	x := []float32{1, 2, 3, 4, 5, 6, 7, 8, 9}
	for name, c := range map[string]struct {
		move affine
		fill Fill
		want []float32
	}{
		"not at all":       {affine{cos: 1}, FillConstant, x},
		"down":             {affine{cos: 1, down: -1}, FillConstant, []float32{0, 0, 0, 1, 2, 3, 4, 5, 6}},
		"down, nearest":    {affine{cos: 1, down: -1}, FillNearest, []float32{1, 2, 3, 1, 2, 3, 4, 5, 6}},
		"left":             {affine{cos: 1, right: 1}, FillConstant, []float32{2, 3, 0, 5, 6, 0, 8, 9, 0}},
		"right by a half":  {affine{cos: 1, right: -0.5}, FillConstant, []float32{0.5, 1.5, 2.5, 2, 4.5, 5.5, 3.5, 7.5, 8.5}},
		"right, nearest":   {affine{cos: 1, right: -0.5}, FillNearest, []float32{1, 1.5, 2.5, 4, 4.5, 5.5, 7, 7.5, 8.5}},
		"counterclockwise": {affine{sin: 1}, FillConstant, []float32{3, 6, 9, 2, 5, 8, 1, 4, 7}}, // numpy.rot90
		"half a turn":      {affine{cos: -1}, FillConstant, []float32{9, 8, 7, 6, 5, 4, 3, 2, 1}},
		"far away":         {affine{cos: 1, down: 9}, FillConstant, make([]float32, 9)},
		"far, nearest":     {affine{cos: 1, down: 9}, FillNearest, []float32{7, 8, 9, 7, 8, 9, 7, 8, 9}},
		"down and right": {affine{cos: 1, down: -0.25, right: -0.5}, FillNearest,
			[]float32{1, 1.5, 2.5, 3.25, 3.75, 4.75, 6.25, 6.75, 7.75}},
	} {
		t.Run(name, func(t *testing.T) {
			y := slices.Clone(x)
			image.warp(y, make([]float32, 9), c.move, c.fill)
			if diff := cmp.Diff(c.want, y); diff != "" {
				t.Errorf("pixels (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTranslationOfASeries moves it along time only, by at most the limit.
func TestTranslationOfASeries(t *testing.T) {
	ds := augmented(t, ramps(t, 1, 10, 1), 4, RandomTranslation{Height: 0.2, Width: 1, Fill: FillNearest})
	for epoch := range 50 {
		x := inputs(t, ds.Epoch(epoch), 0)
		shift := 5 - float64(x[4])
		if shift < -2 || shift > 2 {
			t.Fatalf("shifted by %v of 10 steps: %v", shift, x)
		}
		for i, v := range x {
			if want := min(max(float64(i+1)-shift, 1), 10); float64(v)-want > 1e-6 || want-float64(v) > 1e-6 { // float32 rounding
				t.Fatalf("shifted by %v, step %d is %v, want %v", shift, i, v, want)
			}
		}
	}
}

// TestRandomErasing: one rectangle, with area and place inside the limits.
func TestRandomErasing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, w, c := rapid.IntRange(1, 12).Draw(t, "h"), rapid.IntRange(1, 12).Draw(t, "w"), rapid.IntRange(1, 3).Draw(t, "c")
		ds := augmented(t, ramps(t, 1, h, w, c), rapid.Uint64().Draw(t, "seed"), RandomErasing{Probability: 1, MinArea: 0.1, MaxArea: 0.3, Value: -7})
		x, y := make([]float32, h*w*c), make([]float32, 1)
		if err := ds.Epoch(0).Read([]int{0}, x, y); err != nil {
			t.Fatal(err)
		}
		top, left, bottom, right, erased := h, w, -1, -1, 0
		for i, v := range x {
			if v != -7 {
				if v != float32(i+1) {
					t.Fatalf("element %d is %v", i, v)
				}
				continue
			}
			row, column := i/c/w, i/c%w
			top, left, bottom, right = min(top, row), min(left, column), max(bottom, row), max(right, column)
			erased++
		}
		if want := (bottom - top + 1) * (right - left + 1) * c; erased != want || erased == 0 {
			t.Fatalf("%d elements erased in a rectangle of %d", erased, want)
		}
		// Each side is rounded up by at most a half.
		if area := float64(erased / c); area > 0.3*float64(h*w)+float64(h+w)/2+1 {
			t.Fatalf("%v pixels of %d erased", area, h*w)
		}
	})
	ds := augmented(t, ramps(t, 1, 10, 10, 1), 1, RandomErasing{})
	changed := 0
	for epoch := range 400 {
		if slices.Contains(inputs(t, ds.Epoch(epoch), 0), 0) {
			changed++
		}
	}
	if changed < 150 || changed > 250 { // 200 and 5 standard deviations
		t.Errorf("%d of 400 images changed, want half", changed)
	}
}

func TestAugmentErrors(t *testing.T) {
	image, row := ramps(t, 2, 4, 4, 1), ramps(t, 2, 4)
	for name, c := range map[string]struct {
		ds   Dataset
		step Augmentation
		want string
	}{
		"nil":                {image, nil, "step 0 is nil"},
		"flip a vector":      {row, RandomFlip{}, "data.RandomFlip: needs images"},
		"flip":               {image, RandomFlip{3}, "unknown mode 3"},
		"shift a vector":     {row, RandomTranslation{Height: 1}, "not inputs of shape [4]"},
		"shift by nothing":   {image, RandomTranslation{}, "shifts by nothing"},
		"shift a series":     {ramps(t, 1, 4, 2), RandomTranslation{Width: 0.1}, "shifts by nothing"},
		"shift too far":      {image, RandomTranslation{Height: 1.5}, "shift by 1.5"},
		"shift fill":         {image, RandomTranslation{Height: 1, Fill: 2}, "unknown fill 2"},
		"rotate by nothing":  {image, RandomRotation{}, "factor 0"},
		"rotate fill":        {image, RandomRotation{0.1, 9}, "unknown fill 9"},
		"rotate a series":    {ramps(t, 1, 4, 2), RandomRotation{Factor: 0.1}, "not inputs of shape [4 2]"},
		"no noise":           {row, GaussianNoise{}, "standard deviation 0"},
		"erase a vector":     {row, RandomErasing{}, "needs images"},
		"erase never":        {image, RandomErasing{Probability: -1}, "probability -1"},
		"erase areas":        {image, RandomErasing{MinArea: 0.5, MaxArea: 0.1}, "areas from 0.5 to 0.1"},
		"erase aspect":       {image, RandomErasing{MinAspect: 2}, "aspect 2"},
		"erase with nothing": {image, RandomErasing{Value: float32(math.NaN())}, "value is NaN"},
	} {
		_, err := Augment(c.ds, 1, c.step)
		wantError(t, err, "data: augment: step 0", c.want)
		_ = name
	}
	_, err := Augment(image, 1)
	wantError(t, err, "data: augment: no steps")
	_, err = Augment(image, 1, RandomRotation{}, GaussianNoise{})
	if wantError(t, err, "step 0"); !strings.Contains(err.Error(), "step 1") {
		t.Errorf("only the first fault is told: %v", err)
	}
	err = augmented(t, image, 1, RandomFlip{}).Epoch(0).Read([]int{2}, make([]float32, 16), make([]float32, 1))
	wantError(t, err, "row 2 of a set of 2")
}

func BenchmarkAugment(b *testing.B) {
	const rows = 128
	for name, steps := range map[string][]Augmentation{
		"flip": {RandomFlip{}}, "rotate": {RandomRotation{Factor: 0.1}}, "noise": {GaussianNoise{StdDev: 0.1}}, "all": everyStep,
	} {
		b.Run(name, func(b *testing.B) {
			ds := augmented(b, ramps(b, rows, 28, 28, 1), 1, steps...)
			x, y := make([]float32, rows*28*28), make([]float32, rows)
			b.ReportAllocs()
			for epoch := range b.N {
				if err := ds.Epoch(epoch).Read(sequence(rows), x, y); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
