package window_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/window"
)

// drawWindow draws a window with everything that can differ between axes.
func drawWindow(t *rapid.T) window.Window {
	two := func(hi int, name string) [2]int {
		return [2]int{rapid.IntRange(1, hi).Draw(t, name+" height"), rapid.IntRange(1, hi).Draw(t, name+" width")}
	}
	w := window.Window{Input: two(9, "input"), Kernel: two(4, "kernel"), Stride: two(4, "stride"), Dilation: two(3, "dilation")}
	return w.Complete(graph.Same.Window)
}

// TestPhases: between them, the phases join the very pixels that the window
// joins, by the same taps, and visit every pixel of the larger image once.
func TestPhases(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWindow(t)
		var want, got [][3]int // smaller pixel, larger pixel, tap
		for p := range w.Positions() {
			w.EachTap(p, func(tap, pixel int) { want = append(want, [3]int{p, pixel, tap}) })
		}
		visits := make([]int, w.Pixels())
		for p := range w.Phases() {
			for position := range p.Positions() {
				large := p.Pixel(position)
				visits[large]++
				if p.Taps() == 0 {
					continue
				}
				p.EachTap(position, func(tap, small int) { got = append(got, [3]int{small, large, p.Tap(tap)}) })
			}
		}
		slices.SortFunc(want, func(a, b [3]int) int { return slices.Compare(a[:], b[:]) })
		slices.SortFunc(got, func(a, b [3]int) int { return slices.Compare(a[:], b[:]) })
		if !slices.Equal(got, want) {
			t.Fatalf("joined %v, want %v", got, want)
		}
		if slices.Min(visits) != 1 || slices.Max(visits) != 1 {
			t.Fatalf("pixels are visited %v times", visits)
		}
	})
}

// TestCopy repeats columns and leaves out a row.
func TestCopy(t *testing.T) {
	r := window.Resize{Input: [2]int{3, 2}, Channels: 2, Rows: []int{0, 2}, Cols: []int{1, 1, 0}}
	got := make([]int8, r.OutputLen())
	window.Copy(r, got, []int8{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
	if want := []int8{3, 4, 3, 4, 1, 2, 11, 12, 11, 12, 9, 10}; r.InputLen() != 12 || !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
