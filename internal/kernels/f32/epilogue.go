package f32

import (
	"math"

	"github.com/goqat/goqat/quant"
)

// An epilogue is what follows a sum of products: act(sum + bias).
type epilogue struct {
	bias   []float32 // of one row or several; nil for zeros
	lo, hi float32
	zero   float32 // added last: +0 where lo is +0, so that no -0 is left there; elsewhere -0, which changes nothing
	none   bool    // nothing to do
}

// limits are the bounds of an epilogue, and its last summand.
type limits struct{ lo, hi, zero float32 }

func (e *epilogue) limits() limits { return limits{e.lo, e.hi, e.zero} }

// newEpilogue returns the epilogue for whole rows; bias may be repeated (see [Workspace.repeated]).
func newEpilogue(act quant.Activation, bias []float32) epilogue {
	e := epilogue{bias: bias, zero: float32(math.Copysign(0, -1)), none: bias == nil && act == quant.NoActivation}
	if e.lo, e.hi = act.Bounds(); e.lo == 0 {
		e.zero = 0
	}
	return e
}

// finish computes dst = act(sums + bias) for a range that starts at a row. It may work in place.
func (e *epilogue) finish(dst, sums []float32) {
	switch {
	case e.none:
		if len(sums) > 0 && &dst[0] != &sums[0] { // not in place
			copy(dst, sums)
		}
	case e.bias == nil:
		level.clamp(dst[:len(sums)], sums, e.lo, e.hi, e.zero)
	default:
		level.biasClamp(dst[:len(sums)], sums, e.bias, e.lo, e.hi, e.zero)
	}
}

func clampPortable(dst, x []float32, lo, hi, _ float32) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = clamp(v, lo, hi)
	}
}

func biasClampPortable(dst, x, bias []float32, lo, hi, _ float32) {
	for len(dst) > 0 {
		n := min(len(bias), len(dst))
		d, s := dst[:n], x[:n]
		for c, b := range bias[:n] {
			d[c] = clamp(s[c]+b, lo, hi)
		}
		dst, x = dst[n:], x[n:]
	}
}
