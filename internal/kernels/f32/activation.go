package f32

import (
	"math"

	"github.com/goqat/goqat/internal/parallel"
	"github.com/goqat/goqat/quant"
)

// clamp limits v to [lo, hi]; NaN stays NaN.
func clamp(v, lo, hi float32) float32 { return min(max(v, lo), hi) }

// Activate computes y = act(x), elementwise over len(x) elements. It may work in place; NaN stays NaN.
func Activate(act quant.Activation, y, x []float32) {
	y = y[:len(x)]
	type args struct {
		e    epilogue
		y, x []float32
	}
	each(len(x), costMove, args{newEpilogue(act, nil), y, x}, func(a args, from, to int) { a.e.finish(a.y[from:to], a.x[from:to]) })
}

// ActivateGrad computes dx = dy where the activation passed its input through unclamped and 0 elsewhere, judging by its
// output y: relu passes where y > 0, relu6 where 0 < y < 6, relu-n1-to-1 where -1 < y < 1, as in Keras. It may work in
// place.
func ActivateGrad(act quant.Activation, dx, dy, y []float32) {
	dx, dy = dx[:len(y)], dy[:len(y)]
	lo, hi := act.Bounds()
	if act == quant.Relu {
		hi = float32(math.NaN())
	}
	if act == quant.NoActivation {
		copy(dx, dy)
		return
	}
	type args struct {
		dx, dy, y []float32
		lo, hi    float32
	}
	each(len(y), costMove, args{dx, dy, y, lo, hi}, func(a args, i, j int) { level.gate(a.dx[i:j], a.dy[i:j], a.y[i:j], a.lo, a.hi) })
}

// gatePortable passes dy where y lies between the bounds; a NaN for hi is no bound. Signs are random, so a branch per
// element would be mispredicted half of the time.
func gatePortable(dx, dy, y []float32, lo, hi float32) {
	dx, dy = dx[:len(y)], dy[:len(y)]
	if hi != hi {
		for i, v := range y {
			dx[i] = math.Float32frombits(math.Float32bits(dy[i]) & positive(v-lo))
		}
		return
	}
	for i, v := range y {
		dx[i] = math.Float32frombits(math.Float32bits(dy[i]) & positive(v-lo) & positive(hi-v))
	}
}

// positive returns all ones if v > 0 and 0 otherwise, NaN included, without a branch: positive numbers up to +Inf are
// the bit patterns 1 to infBits.
func positive(v float32) uint32 {
	return uint32((int64(math.Float32bits(v)-1) - infBits) >> 63)
}

// infBits is the bit pattern of +Inf.
const infBits = 0xff << 23

// each runs f over disjoint ranges [from, to) that cover n elements of the given cost each, on all cores. See [parallel.Each]
// for args.
func each[A any](n, cost int, args A, f func(args A, from, to int)) {
	parallel.Each(n, divide(n, cost, minPiece), args, f)
}
