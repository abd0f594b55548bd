package graph

import "github.com/goqat/goqat/quant"

// Rounding is how a FakeQuant node rounds: its grid, which for the output of a
// [Mean] or [LeakyRelu] depends on two ranges.
type Rounding struct {
	op   FakeQuant
	from *Quantizer // of the codes that the kernel multiplies; nil for other nodes
	// sums gives the multiplications by scales of input and output.
	sums func(in, out float32) (sum, negative quant.Sum)
}

// RoundingOf returns how n, a FakeQuant node of g, rounds.
func (g *Graph) RoundingOf(n *Node) Rounding {
	r := Rounding{op: n.Op.(FakeQuant)}
	p := g.Producer(n.Inputs[0])
	if p == nil {
		return r
	}
	switch op := p.Op.(type) {
	case Mean:
		_, count, _ := op.Fold(p.Inputs[0].Shape)
		r.sums = func(in, out float32) (quant.Sum, quant.Sum) { return quant.SumOf(count, in, out), quant.Sum{} }
	case LeakyRelu:
		if op.Alpha <= 0 {
			return r // the output's sign does not tell which factor it has
		}
		r.sums = func(in, out float32) (quant.Sum, quant.Sum) { return quant.LeakySums(op.Alpha, in, out) }
	default:
		return r
	}
	r.from = g.Codes()[p.Inputs[0]]
	return r
}

// Grid returns the codes of the node's quantizer and the rounding of integer
// kernels between them, by the present ranges: that of [quant.SumOf] behind a
// Mean and of [quant.LeakySums] behind a LeakyRelu whose input is quantized and
// whose ranges are known.
func (r Rounding) Grid() quant.Grid {
	g := r.op.Quantizer.Grid()
	if r.op.Mean {
		g.Ties = quant.FromCodeZero
	}
	if r.from == nil {
		return g
	}
	in, _, err := r.from.Scale()
	if err != nil { // unknown
		return g
	}
	if out, _, err := r.op.Quantizer.Scale(); err == nil {
		g.Sum, g.Negative = r.sums(in, out)
	}
	return g
}
