package layers

import (
	"fmt"
	"slices"

	"github.com/goqat/goqat/graph"
)

// Residual adds a shortcut around a chain of layers:
//
//	y = activation(Body(x) + Shortcut(x))
//
// Shapes: Body and Shortcut must give equal ones. Where Body changes the number
// of channels or strides, so must the shortcut: the usual one is a Conv2D with a
// 1x1 kernel, as many filters and the same strides.
//
// Quantized: see [graph.Add]; ActReLU and ActReLU6 are fused into it.
//
// Errors: shapes that differ, with a shortcut that would do; whatever is wrong
// with the layers inside.
//
// Source: He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition"
// (arXiv:1512.03385).
type Residual struct {
	Body       Sequential
	Shortcut   Layer // nil: x itself
	Activation Activation
	Name       string
}

// Identity implements [Layer].
func (l Residual) Identity() (class, name string) { return "Residual", l.Name }

// Lower implements [Layer].
func (l Residual) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	body := branch{name: "the body"}
	around := branch{"the shortcut", x}
	var err error
	if body.y, err = b.Lower(0, l.Body, x); err != nil {
		return nil, err
	}
	if l.Shortcut != nil {
		if around.y, err = b.Lower(1, l.Shortcut, x); err != nil {
			return nil, err
		}
	}
	if !slices.Equal(body.y.Shape, around.y.Shape) {
		return nil, fmt.Errorf("%v, but %v: %s", body, around, remedy(x.Shape, body.y.Shape))
	}
	y, err := b.Add("", graph.Add{}, body.y, around.y)
	if err != nil {
		return nil, err
	}
	return b.activate(l.Activation, y)
}

// remedy names a shortcut from one shape to another.
func remedy(from, to []int) string {
	last := len(to) - 1
	switch {
	case len(from) == 2 && len(to) == 2:
		return fmt.Sprintf("use Shortcut: Dense{Units: %d}", to[1])
	case len(from) == 4 && len(to) == 4:
		strides, fits := [2]int{}, true
		for i := range strides {
			// The least stride that gives no more positions than wanted.
			strides[i] = max((from[1+i]+to[1+i]-1)/to[1+i], 1)
			out, _ := Same.Window(from[1+i], 1, strides[i], 1)
			fits = fits && out == to[1+i]
		}
		if !fits {
			break
		}
		if strides == [2]int{1, 1} {
			return fmt.Sprintf("use Shortcut: Conv2D{Filters: %d, Kernel: [2]int{1, 1}}", to[last])
		}
		return fmt.Sprintf("use Shortcut: Conv2D{Filters: %d, Kernel: [2]int{1, 1}, Strides: [2]int{%d, %d}, Padding: Same}", to[last], strides[0], strides[1])
	case len(from) == len(to) && slices.Equal(from[:last], to[:last]):
		return fmt.Sprintf("use Shortcut: Dense{Units: %d}", to[last])
	}
	return "give Body a shape that a Shortcut can reach, for instance with Padding: Same"
}
