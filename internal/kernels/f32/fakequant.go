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
	each(MaskLen(len(x)), 8*costUpdate, func(from, to int) {
		x, y := x[8*from:min(8*to, len(x))], y[8*from:min(8*to, len(y))]
		var bits []uint8
		if mask != nil {
			bits = mask[from:to]
		}
		if g.Sum != (quant.Sum{}) {
			fakeQuantizeMean(y, x, bits, scale, zero, g)
			return
		}
		before, half, after := rule(zero, g)
		level.fakeQuantize(y, x, bits, scale, before, half, after, zero, g.Min, g.Max)
	})
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
	p := quant.PerTensor(scale, zero)
	inside := make([]bool, len(x))
	if err := p.FakeQuantize(y, x, inside, []int{len(x)}, g); err != nil {
		panic(err) // programmer error: a scale that is not positive
	}
	if mask != nil {
		PackMask(mask, inside)
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

// FakeQuantizeRows is FakeQuantize without a mask for rows of x [len(scale), n] with scales of their own and zero point 0.
func FakeQuantizeRows(y, x, scale []float32, g quant.Grid) {
	n := len(x) / len(scale)
	each(len(scale), n*costUpdate, func(from, to int) {
		for r := from; r < to; r++ {
			level.fakeQuantize(y[r*n:][:n], x[r*n:][:n], nil, scale[r], 0, belowHalf, 0, 0, g.Min, g.Max)
		}
	})
}

// FakeQuantizeGrad computes dx = dy where the mask of [FakeQuantize] has a bit, 0 elsewhere. It may work in place.
func FakeQuantizeGrad(dx, dy []float32, mask []uint8) {
	dy = dy[:len(dx)]
	each(MaskLen(len(dx)), 8*costMove, func(from, to int) {
		i, j := 8*from, min(8*to, len(dx))
		level.maskGrad(dx[i:j], dy[i:j], mask[from:to])
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
