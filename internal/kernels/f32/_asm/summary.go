package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// sumMagnitudes counts by subtracting masks, which are -1.
func sumMagnitudes() {
	routine("sumMagnitudes", "(sum, x []float32) (nonzero int)", "adds len(x) magnitudes, a multiple of 16, to 16 sums and counts those that are not zero:",
		"for i, v := range x { sum[i%16] += abs(v); if v != 0 { nonzero++ } }")
	to, x, n := slice("sum"), slice("x"), size("x")
	var sum, count [2]reg.VecVirtual
	for j := range sum {
		sum[j], count[j] = whole.load(operand.Mem{Base: to, Disp: 32 * j}), YMM()
		VXORPS(count[j], count[j], count[j])
	}
	zero, magnitude := YMM(), constant(0x7fffffff)
	VXORPS(zero, zero, zero)
	Label("vectors")
	CMPQ(n, operand.U8(16))
	JLT(operand.LabelRef("done"))
	for j := range sum {
		v := whole.load(operand.Mem{Base: x, Disp: 32 * j})
		VPSUBD(whole.compare(notEqual, v, zero), count[j], count[j])
		VANDPS(magnitude, v, v)
		VADDPS(v, sum[j], sum[j])
	}
	ADDQ(operand.U8(64), x)
	SUBQ(operand.U8(16), n)
	JMP(operand.LabelRef("vectors"))
	Label("done")
	for j := range sum {
		VMOVUPS(sum[j], operand.Mem{Base: to, Disp: 32 * j})
	}
	VPADDD(count[1], count[0], count[0])
	fold(VPADDD, count[0])
	nonzero := GP32()
	VMOVD(count[0].AsX(), nonzero)
	VZEROUPPER()
	Store(nonzero.As64(), Return("nonzero"))
	RET()
}
