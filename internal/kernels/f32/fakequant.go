package f32

import (
	"math"

	"github.com/goqat/goqat/quant"
)

// MaskLen is the number of bytes of a mask of n bits.
func MaskLen(n int) int { return (n + 7) / 8 }

// FakeQuantize computes what quant.Params.FakeQuantize defines, for one scale. Bit i%8 of mask[i/8] says whether the
// gradient of element i passes; mask may be nil. It may work in place.
func FakeQuantize(y, x []float32, mask []uint8, scale float32, zero int32, g quant.Grid) {
	y = y[:len(x)]
	if mask != nil {
		mask = mask[:MaskLen(len(x))]
	}
	before, half, after := rule(zero, g)
	a := fakeQuantize{y, x, mask, g, scale, before, half, after, zero}
	each(MaskLen(len(x)), 8*costUpdate, a, fakeQuantize.run)
}

// fakeQuantize is the arguments of FakeQuantize.
type fakeQuantize struct {
	y, x                []float32
	mask                []uint8
	g                   quant.Grid
	scale, before, half float32
	after, zero         int32
}

// run works on eight elements for each number from i to j-1.
func (a fakeQuantize) run(i, j int) {
	x, y := a.x[8*i:min(8*j, len(a.x))], a.y[8*i:min(8*j, len(a.y))]
	var bits []uint8
	if a.mask != nil {
		bits = a.mask[i:j]
	}
	if a.g.Sum != (quant.Sum{}) {
		fakeQuantizeMean(y, x, bits, a.scale, a.zero, a.g)
		return
	}
	level.fakeQuantize(y, x, bits, a.scale, a.before, a.half, a.after, a.zero, a.g.Min, a.g.Max)
}

// rule returns how codes are rounded: a quotient plus before, its magnitude plus half, truncated, plus after.
func rule(zero int32, g quant.Grid) (before, half float32, after int32) {
	if g.Ties == quant.FromCodeZero {
		return float32(zero), meanHalf, 0
	}
	return 0, belowHalf, zero
}

// codeLimit bounds quotients before they become integers.
const codeLimit = 1 << 22

// The numbers that round halves away from zero when added before truncation, as package quant defines them: the float32
// below one half keeps 0.49999997 at 0, and the one above counts what is almost a tie as one.
const (
	belowHalf = float32(0x1.fffffep-2)
	meanHalf  = float32(0.5 + 0x1p-10)
)

// fakeQuantizeMean is FakeQuantize for grids with a Sum, by the definition itself: such tensors are small.
func fakeQuantizeMean(y, x []float32, mask []uint8, scale float32, zero int32, g quant.Grid) {
	var inside [256]bool
	for len(x) > 0 {
		n := min(len(x), len(inside))
		quant.FakeQuantize(y[:n], x[:n], inside[:n], scale, zero, g)
		if mask != nil {
			PackMask(mask, inside[:n])
			mask = mask[MaskLen(n):]
		}
		x, y = x[n:], y[n:]
	}
}

// PackMask writes the bits of inside to a mask as that of [FakeQuantize].
func PackMask(mask []uint8, inside []bool) {
	clear(mask[:MaskLen(len(inside))])
	for i, in := range inside {
		if in {
			mask[i/8] |= 1 << (i % 8)
		}
	}
}

// FakeQuantizeGrad computes dx = dy where the mask of [FakeQuantize] has a bit, 0 elsewhere. It may work in place.
func FakeQuantizeGrad(dx, dy []float32, mask []uint8) {
	dy = dy[:len(dx)]
	type args struct {
		dx, dy []float32
		mask   []uint8
	}
	each(MaskLen(len(dx)), 8*costMove, args{dx, dy, mask}, func(a args, from, to int) {
		i, j := 8*from, min(8*to, len(a.dx))
		level.maskGrad(a.dx[i:j], a.dy[i:j], a.mask[from:to])
	})
}

func fakeQuantizePortable(y, x []float32, mask []uint8, scale, before, half float32, after, zero, lo, hi int32) {
	y = y[:len(x)]
	for i, v := range x {
		if mask != nil && i%8 == 0 {
			mask[i/8] = 0
		}
		if v != v {
			y[i] = v
			continue
		}
		t := min(max(v/scale, -codeLimit), codeLimit) + before
		q := int32(t+float32(math.Copysign(float64(half), float64(t)))) + after
		if mask != nil && lo <= q && q <= hi {
			mask[i/8] |= 1 << (i % 8)
		}
		y[i] = scale * float32(min(max(q, lo), hi)-zero)
	}
}

func maskGradPortable(dx, dy []float32, mask []uint8) {
	dy = dy[:len(dx)]
	for i, d := range dy {
		pass := -uint32(mask[i/8] >> (i % 8) & 1)
		dx[i] = math.Float32frombits(math.Float32bits(d) & pass)
	}
}
