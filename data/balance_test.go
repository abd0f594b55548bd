package data

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestClassWeights(t *testing.T) {
	// n/(k*count): 6/(3*3), 6/(3*2), 6/(3*1).
	got, err := ClassWeights(numbered(t, 3, 0, 1, 0, 2, 1, 0))
	if diff := cmp.Diff(map[int]float32{0: 2. / 3, 1: 1, 2: 2}, got); err != nil || diff != "" {
		t.Errorf("%v, weights (-want +got):\n%s", err, diff)
	}
	_, err = ClassWeights(numbered(t, 3, 0, 1))
	wantError(t, err, "data: class 2 of 3 has no rows")
	_, err = ClassWeights(numbered(t, 0, 0, 1))
	wantError(t, err, "not class labels")
}

// TestOversampleProperties: the set comes first, all classes are of one size, and rows of a class occur equally
// often up to one.
func TestOversampleProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const classes = 3
		labels := append([]int{0, 1, 2}, rapid.SliceOfN(rapid.IntRange(0, classes-1), 0, 40).Draw(t, "labels")...)
		seed := rapid.Uint64().Draw(t, "seed")
		ds := numbered(t, classes, labels...)
		over, err := Oversample(ds, seed)
		if err != nil {
			t.Fatal(err)
		}
		rows := over.(*subset).rows
		if !slices.Equal(rows[:len(labels)], sequence(len(labels))) {
			t.Fatalf("rows %v do not begin with the set", rows)
		}
		times, counts := make([]int, len(labels)), make([]int, classes)
		for _, i := range rows {
			times[i]++
			counts[labels[i]]++
		}
		if counts[0] != counts[1] || counts[1] != counts[2] {
			t.Fatalf("classes have %v rows", counts)
		}
		var least, most [classes]int
		for i, l := range labels {
			if least[l] == 0 {
				least[l] = times[i]
			}
			least[l], most[l] = min(least[l], times[i]), max(most[l], times[i])
		}
		for c := range classes {
			if most[c] > least[c]+1 {
				t.Fatalf("rows of class %d occur %d to %d times", c, least[c], most[c])
			}
		}
		again, err := Oversample(ds, seed)
		if err != nil || !slices.Equal(again.(*subset).rows, rows) {
			t.Fatalf("the same seed gives other rows (%v)", err)
		}
	})
	_, err := Oversample(numbered(t, 2, 1, 1), 1)
	wantError(t, err, "data: class 0 of 2 has no rows")
}

// TestSplitGroups: no group is on both sides, nothing is lost, and moving a group across would not help.
func TestSplitGroups(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		groups := append([]int{-1, 7}, rapid.SliceOfN(rapid.IntRange(0, 7), 0, 40).Draw(t, "groups")...)
		fraction := rapid.Float64Range(0.01, 0.99).Draw(t, "fraction")
		a, b, err := SplitGroups(numbered(t, 1, make([]int, len(groups))...), groups, fraction, rapid.Uint64().Draw(t, "seed"))
		if err != nil {
			t.Fatal(err)
		}
		side := map[int]int{}
		sizes := map[int]int{}
		for s, part := range []Dataset{a, b} {
			for _, i := range part.(*subset).rows {
				if was, ok := side[groups[i]]; ok && was != s {
					t.Fatalf("group %d is on both sides", groups[i])
				}
				side[groups[i]] = s
				sizes[groups[i]]++
			}
		}
		all := slices.Concat(a.(*subset).rows, b.(*subset).rows)
		slices.Sort(all)
		if !slices.Equal(all, sequence(len(groups))) || a.Len() == 0 || b.Len() == 0 {
			t.Fatalf("%d and %d of %d rows", a.Len(), b.Len(), len(groups))
		}
		largest := 0
		for _, n := range sizes {
			largest = max(largest, n)
		}
		if off := float64(a.Len()) - fraction*float64(len(groups)); off > float64(largest) || off < -float64(largest) {
			t.Fatalf("%d rows of %d at %v; the largest group has %d", a.Len(), len(groups), fraction, largest)
		}
	})
	ds := numbered(t, 1, 0, 0, 0)
	_, _, err := SplitGroups(ds, []int{1, 2}, 0.5, 1)
	wantError(t, err, "2 names of groups for 3 rows")
	_, _, err = SplitGroups(ds, []int{1, 2, 3}, 1, 1)
	wantError(t, err, "fraction 1")
	_, _, err = SplitGroups(ds, []int{4, 4, 4}, 0.5, 1)
	wantError(t, err, "1 groups")
}

func TestReconstruct(t *testing.T) {
	plain := ramps(t, 3, 4)
	ds := Reconstruct(augmented(t, plain, 1, GaussianNoise{StdDev: 0.1}))
	if !slices.Equal(ds.TargetShape(), []int{4}) || Classes(Reconstruct(numbered(t, 2, 0, 1))) != 0 {
		t.Errorf("targets of shape %v", ds.TargetShape())
	}
	x, y := rows(t, ds, 2, 0)
	if want := inputs(t, plain, 2, 0); !slices.Equal(x, want) || !slices.Equal(y, want) {
		t.Errorf("without an epoch: %v and %v", x, y)
	}
	x, y = rows(t, Epoch(ds, 1), 2, 0)
	if want := inputs(t, plain, 2, 0); slices.Equal(x, want) || !slices.Equal(y, want) {
		t.Errorf("in an epoch: %v and %v", x, y)
	}
	a, err := Fingerprint(ds)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := Fingerprint(Reconstruct(plain)); err != nil || a == b {
		t.Errorf("the noise is not in the fingerprint (%v)", err)
	}
	wantError(t, ds.Read([]int{0}, make([]float32, 3), make([]float32, 4)), "length 3, want 4")
	wantError(t, ds.Read([]int{3}, make([]float32, 4), make([]float32, 4)), "row 3 of a set of 3")
	broken := errors.New("disk on fire")
	if err := Reconstruct(foreign{err: broken}).Read([]int{0}, make([]float32, 1), make([]float32, 1)); !errors.Is(err, broken) {
		t.Errorf("error %v does not wrap the set's", err)
	}
}
