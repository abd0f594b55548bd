package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// roundNormalized512 is roundNormalized by sixteen lanes. Its operations wait for one another more than for the execution
// units, and twice as many lanes are on their way in the processor's queues; the constants are in registers.
func roundNormalized512(observed bool) {
	if observed {
		routineOn(avx512, "roundNormalized", normTailParams+"mask []uint8, k []float32) (least, most float32, nan bool)", "runs normalize and a tail that rounds, over multiples of sixteen elements and columns")
	} else {
		routineOn(avx512, "restoreNormalized", normTailParams+"k []float32)", "is roundNormalized but for the bits and bounds")
	}
	dst, x, mean, invStd, gamma, beta := slice("dst"), slice("x"), slice("mean"), slice("invStd"), slice("gamma"), slice("beta")
	k := slice("k")
	load := func(i int) reg.VecVirtual {
		v := ZMM()
		VBROADCASTSS(operand.Mem{Base: k, Disp: 32 * i}, v)
		return v
	}
	lo, hi, zero, scale, before, half, sign := load(tailLo), load(tailHi), load(tailZero), load(tailScale), load(tailBefore), load(tailHalf), load(tailSign)
	limit, least, most, zeroPoint := load(tailLimit), load(tailLeast), load(tailMost), load(tailZeroPoint)
	var bottom, top, lowest, highest reg.VecVirtual
	var mask reg.GPVirtual
	numbers := K()
	if observed {
		mask, bottom, top, lowest, highest = slice("mask"), load(tailBottom), load(tailTop), ZMM(), ZMM()
		infinity(lowest, 0x7f800000)
		infinity(highest, 0xff800000)
		KXNORW(numbers, numbers, numbers)
	}
	repeatWhole(16, size("dst"), size("mean"), []reg.GPVirtual{dst, x}, func(i reg.GPVirtual) {
		v, t, s, number := ZMM(), ZMM(), ZMM(), K()
		VMOVUPS(at(x, i), v)
		VSUBPS(at(mean, i), v, v)
		VMULPS(at(invStd, i), v, v)
		VMULPS(at(gamma, i), v, v)
		VADDPS(at(beta, i), v, v)
		VMAXPS(v, lo, v)
		VMINPS(v, hi, v)
		VADDPS(zero, v, v)
		VCMPPS(operand.U8(ordered), v, v, number)
		inside := K()
		if observed {
			VMINPS(lowest, v, lowest)
			VMAXPS(highest, v, highest)
			KANDW(number, numbers, numbers)
			below := K()
			VCMPPS(operand.U8(notAtMost), bottom, v, inside)
			VCMPPS(operand.U8(notAtLeast), top, v, below)
			KANDW(below, inside, inside)
			KANDW(number, inside, inside)
		}
		VDIVPS(scale, v, t)
		VMINPS(limit, t, t)
		VADDPS(before, t, t)
		VPANDD(sign, t, s)
		VPORD(half, s, s)
		VADDPS(s, t, t)
		VCVTTPS2DQ(t, t)
		VPMAXSD(least, t, s)
		VPMINSD(most, s, s)
		if observed {
			same := K()
			VPCMPEQD(t, s, same)
			KANDW(same, inside, inside)
			KMOVW(inside, operand.Mem{Base: mask})
			ADDQ(operand.U8(2), mask)
		}
		VPSUBD(zeroPoint, s, s)
		VCVTDQ2PS(s, s)
		VMULPS(scale, s, s)
		VMOVAPS(s, number, v)
		VMOVUPS(v, at(dst, i))
	})
	if !observed {
		end()
		return
	}
	b := bounds{narrowed(VMINPS, lowest), narrowed(VMAXPS, highest), nil}
	b.fold()
	bits := GP32()
	KMOVW(numbers, bits)
	b.store(bits, 0xffff)
}

// infinity sets all lanes to 32 bits.
func infinity(v reg.VecVirtual, bits uint32) {
	g := GP32()
	MOVL(operand.U32(bits), g)
	VPBROADCASTD(g, v)
}

// narrowed folds sixteen lanes to eight.
func narrowed(f binary, v reg.VecVirtual) reg.VecVirtual {
	h, low := YMM(), YMM()
	VEXTRACTF64X4(operand.U8(1), v, h)
	VMOVAPS(v.AsY(), low)
	f(h, low, low)
	return low
}
