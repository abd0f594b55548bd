package nodes

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/goqat/goqat/internal/kernels/f32"
)

// fork collects the gradients of a tensor that several operators read. Left to
// itself Gorgonia would add them by an operator of its own, which may overwrite
// one of our buffers. So each reader gets the tensor through a tee of its own,
// and the tee that is differentiated last returns the sum.
type fork struct {
	compiler *compiler
	tees     int
	grads    []*gorgonia.Node // by tee
	pending  int              // tees not yet differentiated
}

// tee adds one reader's node. Its value is the tensor itself.
func (f *fork) tee(n *gorgonia.Node, v *value) (*gorgonia.Node, error) {
	i := f.tees
	f.tees++
	o := &operator{label: fmt.Sprintf("reader %d of %s", i, n.Name()), out: v, run: handOut, differentiable: []bool{true}}
	o.symbolic = func(_ gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
		f.grads[i] = grad
		if f.pending--; f.pending > 0 {
			// Gorgonia asks DiffWRT again after SymDiff: no gradient from here.
			o.differentiable = []bool{false}
			return gorgonia.Nodes{nil}, nil
		}
		sum, err := f.sum(v)
		return gorgonia.Nodes{sum}, err
	}
	return f.compiler.apply(o, n)
}

// sum adds the node that adds the gradients, in the order of the readers.
func (f *fork) sum(v *value) (*gorgonia.Node, error) {
	out := newValue(v.shape)
	return f.compiler.apply(&operator{label: "sum of gradients", out: out, run: func(in [][]float32) error {
		f32.AddTo(out.data, in[0], in[1])
		for _, g := range in[2:] {
			f32.AddTo(out.data, out.data, g)
		}
		return nil
	}}, f.grads...)
}
