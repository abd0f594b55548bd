package graph

import "github.com/goqat/goqat/quant"

// Rounding is how a FakeQuant node rounds: its grid, which for the output of a
// [Mean] depends on two ranges.
type Rounding struct {
	op    FakeQuant
	from  *Quantizer // of the codes that a Mean is of; nil for other nodes
	count int
}

// RoundingOf returns how n, a FakeQuant node of g, rounds.
func (g *Graph) RoundingOf(n *Node) Rounding {
	r := Rounding{op: n.Op.(FakeQuant)}
	if p := g.Producer(n.Inputs[0]); p != nil {
		if m, ok := p.Op.(Mean); ok {
			x := p.Inputs[0]
			_, r.count, _ = m.Fold(x.Shape)
			r.from = g.Codes()[x]
		}
	}
	return r
}

// Grid returns the codes of the node's quantizer and the rounding of integer
// kernels between them, by the present ranges: that of [quant.SumOf] behind a
// Mean whose input is quantized and whose ranges are known.
func (r Rounding) Grid() quant.Grid {
	g := r.op.Quantizer.Grid()
	if r.op.Mean {
		g.Ties = quant.FromCodeZero
	}
	if r.from == nil {
		return g
	}
	in, err := r.from.Params()
	if err != nil { // unknown
		return g
	}
	if out, err := r.op.Quantizer.Params(); err == nil {
		g.Sum = quant.SumOf(r.count, in.Scale[0], out.Scale[0])
	}
	return g
}
