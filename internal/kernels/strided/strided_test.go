package strided

import (
	"runtime"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// picked lists, by the definition of a view, where the elements of one example are.
func picked(shape, strides []int, offset int) []int {
	at := []int{offset}
	for axis, n := range shape {
		var next []int
		for _, a := range at {
			for i := range n {
				next = append(next, a+i*strides[axis])
			}
		}
		at = next
	}
	return at
}

// rowMajor returns the strides of a dense array, and its size.
func rowMajor(shape []int) (strides []int, size int) {
	strides, size = make([]int, len(shape)), 1
	for axis := len(shape) - 1; axis >= 0; axis-- {
		strides[axis] = size
		size *= shape[axis]
	}
	return strides, size
}

// check holds both directions to the list of places.
func check(t *rapid.T, v View, places []int, size int) {
	t.Helper()
	examples := rapid.SampledFrom([]int{1, 2, 5, 300}).Draw(t, "examples")
	array, dense := make([]int, examples*size), make([]int, examples*len(places))
	for i := range array {
		array[i] = i
	}
	Gather(v, dense, array)
	for i, got := range dense {
		if want := i/len(places)*size + places[i%len(places)]; got != want {
			t.Fatalf("gathered element %d is %d, want %d", i, got, want)
		}
	}
	want := make([]int, len(array))
	for i := range array {
		array[i], want[i] = -1, -1
	}
	for _, at := range dense {
		want[at] = at
	}
	if Scatter(v, array, dense); !slices.Equal(array, want) {
		t.Fatalf("scattered %v, want %v", array, want)
	}
}

func drawShape(t *rapid.T) []int {
	return rapid.SliceOfN(rapid.IntRange(1, 6), 1, 4).Draw(t, "shape")
}

func TestSlice(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	rapid.Check(t, func(t *rapid.T) {
		shape := drawShape(t)
		dense, size := rowMajor(shape)
		var begin, step, count, strides []int
		offset := 0
		for axis, n := range shape {
			first := rapid.IntRange(0, n-1).Draw(t, "begin")
			by := rapid.SampledFrom([]int{1, 1, 2, 3, -1, -2}).Draw(t, "step")
			most := (n - 1 - first) / max(by, 1)
			if by < 0 {
				most = first / -by
			}
			begin, step = append(begin, first), append(step, by)
			count = append(count, rapid.IntRange(1, 1+most).Draw(t, "count"))
			strides, offset = append(strides, by*dense[axis]), offset+first*dense[axis]
		}
		check(t, Slice(shape, begin, step, count), picked(count, strides, offset), size)
	})
}

func TestPermute(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	rapid.Check(t, func(t *rapid.T) {
		shape := drawShape(t)
		dense, size := rowMajor(shape)
		axes := make([]int, len(shape))
		for i := range axes {
			axes[i] = i
		}
		perm := rapid.Permutation(axes).Draw(t, "permutation")
		var to, strides []int
		for _, axis := range perm {
			to, strides = append(to, shape[axis]), append(strides, dense[axis])
		}
		check(t, Permute(shape, perm), picked(to, strides, 0), size)
	})
}

// Whole rows are moved at once.
func TestCompact(t *testing.T) {
	for _, c := range []struct {
		view View
		want []int
	}{
		{Slice([]int{8, 8, 3}, []int{1, 1, 0}, []int{1, 1, 1}, []int{6, 6, 3}), []int{6, 18}},
		{Slice([]int{8, 8, 3}, []int{2, 0, 0}, []int{1, 1, 1}, []int{6, 8, 3}), []int{144}},
		{Slice([]int{8, 1, 3}, []int{0, 0, 0}, []int{-1, 1, 1}, []int{1, 1, 1}), []int{1}},
		{Permute([]int{8, 1, 3}, []int{1, 0, 2}), []int{24}},
		{Permute([]int{4, 5, 6}, []int{2, 0, 1}), []int{6, 20}},
	} {
		if !slices.Equal(c.view.shape, c.want) {
			t.Errorf("axes %v, want %v", c.view.shape, c.want)
		}
	}
}
