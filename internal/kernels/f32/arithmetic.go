package f32

import (
	"github.com/goqat/goqat/internal/kernels/axes"
	"github.com/goqat/goqat/quant"
)

// Arithmetic is an operation on two numbers.
type Arithmetic uint8

const (
	Plus  Arithmetic = iota // a + b
	Minus                   // a - b
	Times                   // a * b
)

// Combine computes y = act(a op b) over the elements that p pairs. y may be a or b where p is Equal.
func Combine(op Arithmetic, p axes.Pair, y, a, b []float32, act quant.Activation) {
	y = y[:p.Len()]
	if p.Equal() {
		op.vectors(y, a, b)
	} else {
		each(len(y), costMove, pairing{op, p, y, a, b}, func(c pairing, from, to int) {
			stepA, stepB := c.p.Steps()
			c.p.Runs(from, to, func(at, i, j, n int) { c.op.run(c.y[at:at+n], c.a[i:], c.b[j:], stepA, stepB) })
		})
	}
	if act != quant.NoActivation {
		Activate(act, y, y)
	}
}

// pairing is the arguments of a kernel on pairs.
type pairing struct {
	op      Arithmetic
	p       axes.Pair
	y, a, b []float32
}

// vectors computes y = a op b on equal shapes.
func (op Arithmetic) vectors(y, a, b []float32) {
	switch op {
	case Plus:
		AddTo(y, a, b)
	case Minus:
		SubTo(y, a, b)
	default:
		MulTo(y, a, b)
	}
}

// run computes one run of elements; an operand with step 0 has one element for all.
func (op Arithmetic) run(y, a, b []float32, stepA, stepB int) {
	switch op {
	case Plus:
		for i := range y {
			y[i] = a[i*stepA] + b[i*stepB]
		}
	case Minus:
		for i := range y {
			y[i] = a[i*stepA] - b[i*stepB]
		}
	default:
		for i := range y {
			y[i] = a[i*stepA] * b[i*stepB]
		}
	}
}

// CombineGrad computes the gradients of a and b from dy, the gradient before the activation; da or db may be nil.
//
//	da = dy, dy, dy*b    db = dy, -dy, dy*a    for plus, minus, times
//
// An element that serves several of the result gets their sum: one chain of additions in ascending order, starting at
// +0, whatever the number of threads.
func CombineGrad(op Arithmetic, p axes.Pair, da, db, dy, a, b []float32) {
	if da != nil {
		op.grad(p, 0, da, dy, b)
	}
	if db != nil {
		op.grad(p, 1, db, dy, a)
	}
}

// grad computes the gradient of array 0 or 1, given the other.
func (op Arithmetic) grad(p axes.Pair, array int, dx, dy, other []float32) {
	negative := op == Minus && array == 1
	if p.Equal() {
		switch {
		case op == Times:
			MulTo(dx, dy, other)
		case negative:
			ScaleTo(dx, -1, dy)
		default:
			copy(dx, dy)
		}
		return
	}
	clear(dx)
	blocks := p.Outer(array)
	size := p.Len() / blocks
	each(blocks, size*costMove, pairGrad{op, p, array, size, dx, dy, other}, pairGrad.run)
}

// pairGrad is the arguments of grad.
type pairGrad struct {
	op            Arithmetic
	p             axes.Pair
	array, size   int // size of a block
	dx, dy, other []float32
}

// run does the blocks lo to hi-1.
func (g pairGrad) run(lo, hi int) {
	stepX, stepOther := g.p.Steps()
	if g.array == 1 {
		stepX, stepOther = stepOther, stepX
	}
	g.p.Runs(lo*g.size, hi*g.size, func(at, i, j, n int) {
		if g.array == 1 {
			i, j = j, i
		}
		x, o := g.dx[i:], g.other[j:]
		for k, d := range g.dy[at : at+n] {
			switch {
			case g.op == Times:
				d = float32(d * o[k*stepOther])
			case g.op == Minus && g.array == 1:
				d = -d
			}
			x[k*stepX] += d
		}
	})
}
