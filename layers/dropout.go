package layers

import (
	"fmt"

	"github.com/goqat/goqat/graph"
)

// Dropout zeroes each element with probability Rate while training and scales
// the others by 1/(1-Rate); otherwise it does nothing.
//
// Shapes: any; y as x. Quantized: removed.
//
// Errors: Rate outside [0, 1).
//
// Source: Keras 3, Dropout.
type Dropout struct {
	Rate float32
	Name string
}

// Identity implements [Layer].
func (l Dropout) Identity() (class, name string) { return "Dropout", l.Name }

// Lower implements [Layer].
func (l Dropout) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	if !(l.Rate >= 0 && l.Rate < 1) {
		return nil, fmt.Errorf("rate is %v, want a number in [0, 1)", l.Rate)
	}
	return b.Add("", graph.Dropout{Rate: l.Rate, Seed: b.Key()}, x)
}
