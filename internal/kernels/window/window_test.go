package window_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/window"
)

var one = [2]int{1, 1}

func TestComplete(t *testing.T) {
	for _, c := range []struct {
		name        string
		w           window.Window
		padding     graph.Padding
		output, pad [2]int
	}{
		// SAME with stride 2 over an even size pads one element, after the image.
		{"same, stride 2", window.Window{Input: [2]int{28, 7}, Kernel: [2]int{3, 3}, Stride: [2]int{2, 2}, Dilation: one}, graph.Same, [2]int{14, 4}, [2]int{0, 1}},
		// An even kernel needs three: one before, two after.
		{"same, even kernel", window.Window{Input: [2]int{5, 5}, Kernel: [2]int{4, 2}, Stride: one, Dilation: one}, graph.Same, [2]int{5, 5}, [2]int{1, 0}},
		{"same, dilated", window.Window{Input: [2]int{9, 9}, Kernel: [2]int{3, 3}, Stride: one, Dilation: [2]int{2, 3}}, graph.Same, [2]int{9, 9}, [2]int{2, 3}},
		{"same, stride above kernel", window.Window{Input: [2]int{7, 9}, Kernel: one, Stride: [2]int{3, 4}, Dilation: one}, graph.Same, [2]int{3, 3}, [2]int{}},
		{"valid", window.Window{Input: [2]int{28, 9}, Kernel: [2]int{3, 3}, Stride: [2]int{2, 1}, Dilation: [2]int{1, 2}}, graph.Valid, [2]int{13, 5}, [2]int{}},
	} {
		w := c.w.Complete(c.padding.Window)
		if w.Output != c.output || w.Pad != c.pad {
			t.Errorf("%s: output %v, padding %v before; want %v, %v", c.name, w.Output, w.Pad, c.output, c.pad)
		}
		if err := w.Check(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		edit func(w *window.Window)
		want string
	}{
		{func(w *window.Window) { w.Input[0] = 0 }, "height: input 0, output 5, kernel 3, stride 1, dilation 1, pad 0"},
		{func(w *window.Window) { w.Output[1] = 0 }, "width: input 7, output 0"},
		{func(w *window.Window) { w.Kernel[1] = -1 }, "kernel -1"},
		{func(w *window.Window) { w.Stride[0] = 0 }, "stride 0"},
		{func(w *window.Window) { w.Dilation[0] = 0 }, "dilation 0"},
		{func(w *window.Window) { w.Pad[1] = -1 }, "pad -1"},
	} {
		w := window.Window{Input: [2]int{7, 7}, Kernel: [2]int{3, 3}, Stride: one, Dilation: one}.Complete(graph.Valid.Window)
		c.edit(&w)
		if err := w.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
}

// ExampleWindow sums the pixels under a 2x2 kernel with dilation 2, padded by one on each side.
func ExampleWindow() {
	image := []int{
		1, 2, 3,
		4, 5, 6,
		7, 8, 9,
	}
	w := window.Window{Input: [2]int{3, 3}, Kernel: [2]int{2, 2}, Stride: one, Dilation: [2]int{2, 2}}.Complete(graph.Same.Window)
	for p := range w.Positions() {
		sum := 0
		w.EachTap(p, func(_, pixel int) { sum += image[pixel] })
		fmt.Print(sum, " ")
	}
	// Output: 5 10 5 10 20 10 5 10 5
}
