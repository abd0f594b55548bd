package axes

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// shapes draws two shapes that broadcast, and the shape of their result.
func shapes(t *rapid.T) (a, b, y []int) {
	rank := rapid.IntRange(0, 5).Draw(t, "rank")
	for range rank {
		d := rapid.IntRange(1, 4).Draw(t, "size")
		da, db := d, d
		switch rapid.IntRange(0, 3).Draw(t, "side") {
		case 0:
			da = 1
		case 1:
			db = 1
		}
		a, b, y = append(a, da), append(b, db), append(y, max(da, db))
	}
	cut := func(s []int) []int { // leading ones may be missing
		for len(s) > 0 && s[0] == 1 && rapid.Bool().Draw(t, "cut") {
			s = s[1:]
		}
		return s
	}
	return cut(a), cut(b), y
}

// where is the index in an array of the given shape of the element that goes to element i of the result.
func where(shape, y []int, i int) int {
	at, size := 0, 1
	for k := 1; k <= len(y); k++ {
		index := i % y[len(y)-k]
		i /= y[len(y)-k]
		if k <= len(shape) {
			if shape[len(shape)-k] > 1 {
				at += index * size
			}
			size *= shape[len(shape)-k]
		}
	}
	return at
}

func TestBroadcast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, y := shapes(t)
		p := Broadcast(a, b)
		n := 1
		for _, d := range y {
			n *= d
		}
		if p.Len() != n {
			t.Fatalf("%v and %v: %d elements, want %d", a, b, p.Len(), n)
		}
		usesA, usesB := map[int]int{}, map[int]int{}
		for i := range n {
			wantA, wantB := where(a, y, i), where(b, y, i)
			if gotA, gotB := p.At(i); gotA != wantA || gotB != wantB {
				t.Fatalf("%v and %v: element %d comes from %d and %d, want %d and %d", a, b, i, gotA, gotB, wantA, wantB)
			}
			usesA[wantA]++
			usesB[wantB]++
		}
		if got, want := p.Repeats(0), len(usesA) < n; got != want {
			t.Fatalf("%v repeats: %v", a, got)
		}
		if got, want := p.Repeats(1), len(usesB) < n; got != want {
			t.Fatalf("%v repeats: %v", b, got)
		}
		lo := rapid.IntRange(0, n).Draw(t, "lo")
		hi := rapid.IntRange(lo, n).Draw(t, "hi")
		next := lo
		stepA, stepB := p.Steps()
		p.Runs(lo, hi, func(at, a, b, length int) {
			if at != next {
				t.Fatalf("a run begins at %d, want %d", at, next)
			}
			for i := range length {
				if wantA, wantB := p.At(at + i); a+i*stepA != wantA || b+i*stepB != wantB {
					t.Fatalf("element %d of the run from %d", i, at)
				}
			}
			next += length
		})
		if next != hi {
			t.Fatalf("runs end at %d, want %d", next, hi)
		}
		for array := range 2 {
			blocks := p.Outer(array)
			owner := map[int]int{}
			for i := range n {
				at, other := p.At(i)
				if array == 1 {
					at = other
				}
				block := i / (n / blocks)
				if first, seen := owner[at]; seen && first != block {
					t.Fatalf("element %d of array %d serves blocks %d and %d", at, array, first, block)
				}
				owner[at] = block
			}
		}
	})
}

func TestMergedAxes(t *testing.T) {
	for _, c := range []struct {
		a, b []int
		want int // axes that remain
	}{
		{[]int{2, 3, 4, 5}, []int{2, 3, 4, 5}, 1},
		{[]int{2, 3, 4, 5}, []int{5}, 2},
		{[]int{2, 3, 4, 5}, []int{2, 1, 1, 5}, 3},
		{[]int{2, 3, 4, 5}, nil, 1},
		{[]int{2, 3, 4, 1}, []int{2, 3, 4, 5}, 2},
		{[]int{1, 1}, []int{1}, 1},
	} {
		if got := len(Broadcast(c.a, c.b).axes); got != c.want {
			t.Errorf("%v and %v: %d axes, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestConcat(t *testing.T) {
	j := Join([][]int{{2, 1, 2}, {2, 3, 2}, {2, 1, 2}}, 1)
	a, b, c := []int{0, 1, 2, 3}, []int{10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21}, []int{30, 31, 32, 33}
	y := make([]int, 20)
	Concat(j, y, a, b, c)
	want := []int{0, 1, 10, 11, 12, 13, 14, 15, 30, 31, 2, 3, 16, 17, 18, 19, 20, 21, 32, 33}
	if !slices.Equal(y, want) {
		t.Errorf("joined %v, want %v", y, want)
	}
	backA, backC := make([]int, 4), make([]int, 4)
	Split(j, y, backA, nil, backC)
	if !slices.Equal(backA, a) || !slices.Equal(backC, c) {
		t.Errorf("split into %v and %v", backA, backC)
	}
}
