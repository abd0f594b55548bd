package f32

import (
	"math"

	"github.com/goqat/goqat/internal/parallel"
	"github.com/goqat/goqat/quant"
)

// Tail is what follows the sums of a layer in one pass: an activation, the bounds of its output, fake quantization by one
// scale, and where the gradient passes both.
type Tail struct {
	k         tailConstants
	rounds    int
	rectified bool // the activation is not below zero, and codes are rounded from there
	found     [parallel.MaxParts]extent
}

// tailConstants are vectors of eight equal numbers, integers among them by their bits.
type tailConstants struct{ lo, hi, zero, bottom, top, scale, before, half, zeroPoint, least, most, limit, minusLimit, sign [8]float32 }

// Activate sets the activation.
func (t *Tail) Activate(act quant.Activation) {
	e := newEpilogue(act, nil)
	bottom, top := e.lo, e.hi
	if act == quant.NoActivation {
		bottom = float32(math.NaN())
	}
	if act == quant.NoActivation || act == quant.Relu { // no bound, not even +Inf
		top = float32(math.NaN())
	}
	t.k.set(&t.k.lo, e.lo)
	t.k.set(&t.k.hi, e.hi)
	t.k.set(&t.k.zero, e.zero)
	t.k.set(&t.k.bottom, bottom)
	t.k.set(&t.k.top, top)
	t.k.set(&t.k.limit, codeLimit)
	t.k.set(&t.k.minusLimit, -codeLimit)
	t.k.set(&t.k.sign, float32(math.Copysign(0, -1)))
	t.rectified = e.lo == 0
}

// Pass leaves out fake quantization.
func (t *Tail) Pass() {
	t.rounds = 0
	t.rectified = t.k.lo[0] == 0
}

// Round sets the fake quantization, that of [FakeQuantize]. g must have no Sum.
func (t *Tail) Round(scale float32, zero int32, g quant.Grid) {
	before, half, after := rule(zero, g)
	t.rounds = 1
	t.rectified = t.k.lo[0] == 0 && before == 0 && g.Min <= zero && zero <= g.Max
	t.k.set(&t.k.scale, scale)
	t.k.set(&t.k.before, before)
	t.k.set(&t.k.half, half)
	t.k.setInt(&t.k.zeroPoint, zero-after) // what would be added to codes is taken from all that they meet
	t.k.setInt(&t.k.least, g.Min-after)
	t.k.setInt(&t.k.most, g.Max-after)
}

func (*tailConstants) set(to *[8]float32, v float32) {
	for i := range to {
		to[i] = v
	}
}

func (k *tailConstants) setInt(to *[8]float32, v int32) { k.set(to, math.Float32frombits(uint32(v))) }

// Run changes y, and computes the bits of mask, which may be nil: those elements pass the gradient that [ActivateGrad] and
// [FakeQuantizeGrad] both pass. It returns the bounds of the activation's output as [MinMax] does.
func (t *Tail) Run(y []float32, mask []uint8) (lo, hi float32, nan bool) {
	blocks := MaskLen(len(y))
	parts := divide(blocks, 8*costUpdate, minPiece)
	t.begin(parts)
	type args struct {
		t             *Tail
		y             []float32
		mask          []uint8
		blocks, parts int
	}
	parallel.Each(parts, parts, args{t, y, mask, blocks, parts}, func(a args, p, _ int) {
		from, to := parallel.Range(a.blocks, a.parts, p)
		a.t.run(p, a.y, 8*from, min(8*to, len(a.y)), a.mask)
	})
	return t.end(parts)
}

// begin prepares for so many parts.
func (t *Tail) begin(parts int) {
	for p := range parts {
		t.found[p] = extent{lo: float32(math.Inf(1)), hi: float32(math.Inf(-1))}
	}
}

// run changes the elements i to j-1, where i is a multiple of 8, in one part.
func (t *Tail) run(part int, y []float32, i, j int, mask []uint8) {
	if mask != nil {
		mask = mask[i/8 : MaskLen(j)]
	}
	t.found[part].add(level.tail(y[i:j], y[i:j], mask, &t.k, t.rounds))
}

// end returns the bounds of all parts.
func (t *Tail) end(parts int) (lo, hi float32, nan bool) {
	all := merged(t.found[:parts])
	return all.lo + 0, all.hi + 0, all.nan
}

func tailPortable(dst, x []float32, mask []uint8, k *tailConstants, rounds int) (least, most float32, nan bool) {
	e := extent{lo: float32(math.Inf(1)), hi: float32(math.Inf(-1))}
	inside := uint8(0)
	for i, v := range x[:len(dst)] {
		var pass uint8
		dst[i], pass = k.apply(v, rounds, &e)
		if inside |= pass << (i % 8); mask != nil && (i%8 == 7 || i == len(dst)-1) {
			mask[i/8], inside = inside, 0
		}
	}
	return e.lo, e.hi, e.nan
}

// apply returns what becomes of v, and 1 if the gradient passes, else 0.
func (k *tailConstants) apply(v float32, rounds int, seen *extent) (float32, uint8) {
	integer := func(v [8]float32) int32 { return int32(math.Float32bits(v[0])) }
	v = clamp(v, k.lo[0], k.hi[0])
	seen.add(minMaxPortable([]float32{v}))
	y, pass := [1]float32{v}, [1]uint8{1}
	if rounds != 0 {
		fakeQuantizePortable(y[:], y[:], pass[:], k.scale[0], k.before[0], k.half[0], 0, integer(k.zeroPoint), integer(k.least), integer(k.most))
	}
	if v != v || v <= k.bottom[0] || v >= k.top[0] {
		pass[0] = 0
	}
	return y[0], pass[0]
}

func tailPoolPortable(y []float32, arg []int32, x, bias []float32, k *tailConstants, rounds int, w windows) (least, most float32, nan bool) {
	e := extent{lo: float32(math.Inf(1)), hi: float32(math.Inf(-1))}
	var best []float32
	var won []int32
	w.each(func(i, first int) {
		best, won = y[i:][:w.channels], arg[i:][:w.channels]
		for c := range best {
			best[c], won[c] = float32(math.Inf(-1)), int32(first+c) // which passes where it stays: then nothing limits or rounds
		}
	}, func(at int) {
		for c, b := range best {
			v, pass := k.apply(x[at+c]+bias[c], rounds, &e)
			if v <= b || b != b {
				continue
			}
			if best[c], won[c] = v, int32(at+c); pass == 0 {
				won[c] = -1
			}
		}
	})
	return e.lo, e.hi, e.nan
}

func clampNormalizedPortable(dst, x, mean, invStd, gamma, beta []float32, mask []uint8, k *tailConstants) {
	if len(mask) == 0 {
		mask = nil
	}
	normalizePortable(dst, x, mean, invStd, gamma, beta)
	tailPortable(dst, dst, mask, k, 0)
}

func roundNormalizedPortable(dst, x, mean, invStd, gamma, beta []float32, mask []uint8, k *tailConstants) (least, most float32, nan bool) {
	normalizePortable(dst, x, mean, invStd, gamma, beta)
	return tailPortable(dst, dst, mask, k, 1)
}

func restoreNormalizedPortable(dst, x, mean, invStd, gamma, beta []float32, k *tailConstants) {
	normalizePortable(dst, x, mean, invStd, gamma, beta)
	tailPortable(dst, dst, nil, k, 1)
}
