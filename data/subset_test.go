package data

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// numbered is a set whose row i has the input i and a label from the list.
func numbered(t interface{ Fatal(...any) }, classes int, labels ...int) *Memory {
	x, y := make([]float32, len(labels)), make([]float32, len(labels))
	for i, l := range labels {
		x[i], y[i] = float32(i), float32(l)
	}
	m, err := NewMemory(Arrays{InputShape: []int{1}, X: x, Y: y, Classes: classes})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSubset(t *testing.T) {
	m := numbered(t, 2, 0, 1, 0, 1, 0)
	index := []int{4, 1, 1, 0}
	s, err := Subset(m, index)
	if err != nil {
		t.Fatal(err)
	}
	index[0] = 99 // the set keeps its own copy
	inner, err := Subset(s, []int{0, 3})
	if err != nil {
		t.Fatal(err)
	}
	x, y := rows(t, s, 0, 1, 2, 3)
	if diff := cmp.Diff([]float32{4, 1, 1, 0}, x) + cmp.Diff([]float32{0, 1, 1, 0}, y); diff != "" {
		t.Errorf("rows differ:\n%s", diff)
	}
	if x, _ := rows(t, inner, 0, 1); !slices.Equal(x, []float32{4, 0}) {
		t.Errorf("a subset of a subset holds %v", x)
	}
	if Classes(inner) != 2 {
		t.Errorf("%d classes, want those of the set below", Classes(inner))
	}
	_, err = Subset(m, nil)
	wantError(t, err, "data: ", "no rows")
	_, err = Subset(m, []int{0, 5})
	wantError(t, err, "data: ", "row 5 of a set of 5")
}

// TestSplitProperties: the parts are disjoint, together they are everything, they have the promised size, and
// a stratified split is within one row of each class's share.
func TestSplitProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const classes = 4
		labels := rapid.SliceOfN(rapid.IntRange(0, classes-1), 2, 60).Draw(t, "labels")
		fraction := rapid.Float64Range(0.01, 0.99).Draw(t, "fraction")
		seed := rapid.Uint64().Draw(t, "seed")
		m := numbered(t, classes, labels...)
		for name, split := range map[string]func(Dataset, float64, uint64) (Dataset, Dataset, error){
			"Split": Split, "SplitStratified": SplitStratified,
		} {
			a, b, err := split(m, fraction, seed)
			want := int(fraction*float64(len(labels)) + 0.5)
			if want == 0 || want == len(labels) {
				if err == nil {
					t.Fatalf("%s: a part without rows was accepted", name)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if a.Len() != want || a.Len()+b.Len() != len(labels) {
				t.Fatalf("%s: %d and %d rows of %d, want %d in the first", name, a.Len(), b.Len(), len(labels), want)
			}
			all := slices.Concat(a.(*subset).rows, b.(*subset).rows)
			slices.Sort(all)
			if !slices.Equal(all, sequence(len(labels))) {
				t.Fatalf("%s: parts overlap: %v", name, all)
			}
			if name == "Split" {
				continue
			}
			var got, total [classes]float64
			for i, l := range labels {
				total[l]++
				if slices.Contains(a.(*subset).rows, i) {
					got[l]++
				}
			}
			for c := range got {
				if d := got[c] - fraction*total[c]; d <= -1 || d >= 1 {
					t.Fatalf("class %d has %v of %v rows at %v", c, got[c], total[c], fraction)
				}
			}
		}
	})
}

func TestSplitSeed(t *testing.T) {
	m := numbered(t, 1, make([]int, 100)...)
	part := func(seed uint64) []int {
		a, _, err := Split(m, 0.5, seed)
		if err != nil {
			t.Fatal(err)
		}
		return a.(*subset).rows
	}
	if !slices.Equal(part(1), part(1)) {
		t.Error("the same seed gives different parts")
	}
	if slices.Equal(part(1), part(2)) {
		t.Error("different seeds give the same parts")
	}
	if slices.IsSorted(part(1)) {
		t.Error("the rows are not shuffled")
	}
}

// foreign is a set from outside this package, with a label of its choice.
type foreign struct {
	label float32
	err   error
}

func (foreign) Len() int           { return 3 }
func (foreign) InputShape() []int  { return []int{1} }
func (foreign) TargetShape() []int { return []int{1} }
func (foreign) Classes() int       { return 2 }
func (f foreign) Read(index []int, x, y []float32) error {
	for i := range index {
		x[i], y[i] = 0, f.label
	}
	return f.err
}

func TestSplitErrors(t *testing.T) {
	m := numbered(t, 0, 0, 1, 0, 1)
	for _, fraction := range []float64{-1, 0, 1, 2} {
		_, _, err := Split(m, fraction, 1)
		wantError(t, err, "data: split fraction")
	}
	_, _, err := Split(m, 0.01, 1)
	wantError(t, err, "without rows")
	_, _, err = SplitStratified(m, 0.5, 1)
	wantError(t, err, "not class labels")
	_, _, err = SplitStratified(foreign{label: 2}, 0.5, 1)
	wantError(t, err, "row 0: label 2")
	broken := errors.New("disk on fire")
	if _, _, err := SplitStratified(foreign{err: broken}, 0.5, 1); !errors.Is(err, broken) {
		t.Errorf("error %v does not wrap the set's", err)
	}
}
