package data

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestShuffle(t *testing.T) {
	// Golden: a change here changes every training run.
	if diff := cmp.Diff([]int{6, 9, 2, 1, 5, 4, 7, 8, 0, 3}, Shuffle(10, 1, 0)); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	a := Shuffle(1000, 1, 3)
	if !slices.Equal(a, Shuffle(1000, 1, 3)) {
		t.Error("the same epoch has two orders")
	}
	if slices.Equal(a, Shuffle(1000, 1, 4)) || slices.Equal(a, Shuffle(1000, 2, 3)) {
		t.Error("another epoch or seed has the same order")
	}
	slices.Sort(a)
	if !slices.Equal(a, sequence(1000)) {
		t.Error("not a permutation")
	}
}

func TestBatches(t *testing.T) {
	for name, c := range map[string]struct {
		rows, size int
		want       [][]int
	}{
		"whole":     {4, 2, [][]int{{0, 1}, {2, 3}}},
		"partial":   {5, 2, [][]int{{0, 1}, {2, 3}, {4}}},
		"one":       {3, 10, [][]int{{0, 1, 2}}},
		"huge size": {3, int(^uint(0) >> 1), [][]int{{0, 1, 2}}},
		"none":      {0, 2, nil},
		"size 0":    {3, 0, [][]int{{0, 1, 2}}},
		"size 0, 0": {0, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := slices.Collect(Batches(sequence(c.rows), c.size))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("batches (-want +got):\n%s", diff)
			}
		})
	}
	for range Batches(sequence(5), 2) {
		break // stopping early is allowed
	}
}

func TestFingerprint(t *testing.T) {
	of := func(ds Dataset) string {
		t.Helper()
		s, err := Fingerprint(ds)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	base := numbered(t, 2, 0, 1, 0)
	const golden = "b15b72750c1fdaf0d139277bf396db45d0454b432faf971960e48527428f0fd6"
	if got := of(base); got != golden {
		t.Errorf("fingerprint is %s, want %s: checkpoints would be refused", got, golden)
	}
	same, err := Subset(base, []int{0, 1, 2})
	if err != nil {
		t.Fatal(err)
	}
	if of(same) != golden {
		t.Error("the same rows in another form have another fingerprint")
	}
	order, err := Subset(base, []int{1, 0, 2})
	if err != nil {
		t.Fatal(err)
	}
	shape := func(shape []int) Dataset {
		m, err := NewMemory(Arrays{InputShape: shape, X: make([]float32, 12), Y: make([]float32, 3)})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	seen := map[string]string{golden: "base"}
	for name, ds := range map[string]Dataset{
		"label":     numbered(t, 2, 0, 1, 1),
		"length":    numbered(t, 2, 0, 1),
		"classes":   numbered(t, 3, 0, 1, 0),
		"no labels": numbered(t, 0, 0, 1, 0),
		"order":     order,
		"4":         shape([]int{4}),
		"2x2":       shape([]int{2, 2}),
		"4x1":       shape([]int{4, 1}),
	} {
		if other, ok := seen[of(ds)]; ok {
			t.Errorf("%s has the fingerprint of %s", name, other)
		}
		seen[of(ds)] = name
	}
}
