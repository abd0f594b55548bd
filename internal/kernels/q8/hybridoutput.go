package q8

import (
	"math"
	"unsafe"

	"github.com/goqat/goqat/quant"
)

// hybridOutput turns sums of products of codes into real numbers:
//
//	y[c] = activation(float32(acc * float32(factor[c]*s)) + bias[c]),  acc = sum[c] - z*total[c]
//
// or, with last set, float32(float32(acc*factor[c])*s) + bias[c], for codes of
// scale s and zero point z. Channels from outputs on are those of further pixels.
type hybridOutput struct {
	outputs    int
	factors    []float32 // the scales of the weights
	bias       []float32
	totals     []int32 // the sum of a channel's weights; zeros where sums are without zero points
	last       bool
	activation quant.Activation
}

// newHybridOutput returns the output for channels, a multiple of the outputs,
// rounded up to whole vectors.
func newHybridOutput(channels int, scales, bias []float32, activation quant.Activation) hybridOutput {
	const vector = 16
	n := (channels + vector - 1) / vector * vector
	h := hybridOutput{outputs: len(scales), factors: make([]float32, n), bias: make([]float32, n), totals: make([]int32, n), activation: activation}
	for c := range n {
		h.factors[c] = scales[c%len(scales)]
		if bias != nil {
			h.bias[c] = bias[c%len(scales)]
		}
	}
	return h
}

// setTotals sums up weights [outputs, depth].
func (h *hybridOutput) setTotals(weights []int8) {
	depth := len(weights) / h.outputs
	for i, w := range weights {
		h.totals[i/depth] += int32(w)
	}
}

// value returns the output of an accumulator, before the activation.
func (h *hybridOutput) value(acc int32, scale float32, c int) float32 {
	if h.last {
		return float32(float32(float32(acc)*h.factors[c])*scale) + h.bias[c]
	}
	return float32(float32(acc)*float32(h.factors[c]*scale)) + h.bias[c]
}

// hybridArgs is the argument of hybrid routines, which know its layout.
type hybridArgs struct {
	dst             *float32
	sums            *int32
	factors, bias   *float32
	totals          *int32
	mask            *uint32 // of the last vector
	rows, width     int     // without the last vector
	dstStride       int     // in bytes
	stride          int     // of sums
	constants       *hybridConstants
	hybridConstants hybridConstants
}

type hybridConstants struct {
	zeroPoint           int32
	scale, lo, hi, zero float32
}

// maskOf[8-n:] has n words of ones before zeros.
var maskOf = [16]uint32{^uint32(0), ^uint32(0), ^uint32(0), ^uint32(0), ^uint32(0), ^uint32(0), ^uint32(0), ^uint32(0)}

// bitsOf[n] has the lowest n bits set.
var bitsOf = func() (m [17]uint32) {
	for n := range m {
		m[n] = 1<<n - 1
	}
	return m
}()

// write writes count channels, from first on, of some rows; dst and sums begin
// with the first of these, and are as long as their rows apart.
func (h *hybridOutput) write(w *worker, dst []float32, apart int, sums []int32, stride, first, count, rows int, scale float32, zeroPoint int32) {
	lo, hi := h.activation.Bounds()
	run := level.hybridFirst
	if h.last {
		run = level.hybridLast
	}
	if run == nil {
		for r := range rows {
			to, from := dst[r*apart:][:count], sums[r*stride:][:count]
			for i, sum := range from {
				c := first + i
				to[i] = min(max(h.value(sum-zeroPoint*h.totals[c], scale, c), lo), hi)
			}
		}
		return
	}
	_, _ = dst[(rows-1)*apart+count-1], sums[(rows-1)*stride+count-1]
	a := &w.hybrid
	lanes := level.lanes
	tail := (count-1)%lanes + 1
	mask := &maskOf[8-min(tail, 8)]
	if level.masks {
		mask = &bitsOf[tail]
	}
	*a = hybridArgs{
		dst: &dst[0], sums: &sums[0], factors: &h.factors[first], bias: &h.bias[first], totals: &h.totals[first],
		mask: mask, rows: rows, width: count - tail, dstStride: 4 * apart, stride: 4 * stride,
		hybridConstants: hybridConstants{zeroPoint, scale, lo, hi, float32(math.Copysign(0, -1))},
	}
	if lo == 0 {
		a.hybridConstants.zero = 0 // no -0 is left
	}
	a.constants = &a.hybridConstants
	run((*byte)(unsafe.Pointer(a)))
	*a = hybridArgs{}
}
