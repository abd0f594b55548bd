package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// widen makes the routine that turns codes into elements of a plane.
func (i isa) widen() {
	TEXT("widen"+i.name, NOSPLIT, "func(dst, src *byte, n int)")
	if i.wide {
		Doc("widenVNNI writes n codes, a multiple of 64, each raised by 128:", "", "\tdst[k] = src[k] ^ 0x80")
	} else {
		Doc("widenAVX2 writes n codes, a multiple of 16, in 16 bits each:", "", "\tdst[k] = int16(src[k])")
	}
	Pragma("noescape")
	dst, src, n := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("n"), GP64())
	flip := i.flip()
	Label("next")
	if i.wide {
		VPXORD(operand.Mem{Base: src}, flip, zmm[0])
		VMOVDQU32(zmm[0], operand.Mem{Base: dst})
		ADDQ(operand.U8(64), src)
		ADDQ(operand.U8(64), dst)
		SUBQ(operand.U8(64), n)
	} else {
		VPMOVSXBW(operand.Mem{Base: src}, ymm[0])
		VMOVDQU(ymm[0], operand.Mem{Base: dst})
		ADDQ(operand.U8(16), src)
		ADDQ(operand.U8(32), dst)
		SUBQ(operand.U8(16), n)
	}
	JNE(operand.LabelRef("next"))
	VZEROUPPER()
	RET()
}

// flip loads the register that raises codes by 128.
func (i isa) flip() reg.VecPhysical {
	if i.wide {
		x := GP32()
		MOVL(operand.U32(0x80808080), x)
		VPBROADCASTD(x, zmm[31])
	}
	return zmm[31]
}

// interleave makes the routine that turns rows of codes into groups.
func (i isa) interleave() {
	TEXT("interleave"+i.name, NOSPLIT, "func(dst, r0, r1, r2, r3 *byte, n int)")
	if i.wide {
		Doc("interleaveVNNI writes the codes of four rows side by side, raised by 128; n is a multiple of 64:", "", "\tdst[k][j] = rj[k] ^ 0x80")
	} else {
		Doc("interleaveAVX2 writes the codes of r0 and r1 side by side, in 16 bits each; n is a multiple of 16:", "", "\tdst[k][j] = int16(rj[k])")
	}
	Pragma("noescape")
	dst, n := Load(Param("dst"), GP64()), Load(Param("n"), GP64())
	rows := make([]reg.Register, i.group)
	for j, name := range []string{"r0", "r1", "r2", "r3"}[:i.group] {
		rows[j] = Load(Param(name), GP64())
	}
	if !i.wide {
		Label("next")
		VMOVDQU(operand.Mem{Base: rows[0]}, xmm[0])
		VMOVDQU(operand.Mem{Base: rows[1]}, xmm[1])
		VPUNPCKLBW(xmm[1], xmm[0], xmm[2])
		VPUNPCKHBW(xmm[1], xmm[0], xmm[3])
		VPMOVSXBW(xmm[2], ymm[2])
		VPMOVSXBW(xmm[3], ymm[3])
		VMOVDQU(ymm[2], operand.Mem{Base: dst})
		VMOVDQU(ymm[3], operand.Mem{Base: dst, Disp: 32})
		ADDQ(operand.U8(16), rows[0])
		ADDQ(operand.U8(16), rows[1])
		ADDQ(operand.U8(64), dst)
		SUBQ(operand.U8(16), n)
		JNE(operand.LabelRef("next"))
		VZEROUPPER()
		RET()
		return
	}
	// The four words of each quarter are scattered to the four quarters first, so
	// that the unpacking within quarters ends in natural order.
	order := GLOBL("scatter", RODATA|NOPTR)
	for k := range 16 {
		DATA(4*k, operand.U32(k/4+k%4*4))
	}
	flip := i.flip()
	VMOVDQU32(order, zmm[30])
	Label("next")
	for j, r := range rows {
		VPERMD(operand.Mem{Base: r}, zmm[30], zmm[j])
		VPXORD(flip, zmm[j], zmm[j])
		ADDQ(operand.U8(64), r)
	}
	for half := range 2 {
		a, b := zmm[4+2*half], zmm[5+2*half]
		VPUNPCKLBW(zmm[2*half+1], zmm[2*half], a)
		VPUNPCKHBW(zmm[2*half+1], zmm[2*half], b)
	}
	for k := range 2 {
		VPUNPCKLWD(zmm[6+k], zmm[4+k], zmm[8])
		VPUNPCKHWD(zmm[6+k], zmm[4+k], zmm[9])
		VMOVDQU32(zmm[8], operand.Mem{Base: dst, Disp: 128 * k})
		VMOVDQU32(zmm[9], operand.Mem{Base: dst, Disp: 128*k + 64})
	}
	ADDQ(operand.U32(256), dst)
	SUBQ(operand.U8(64), n)
	JNE(operand.LabelRef("next"))
	VZEROUPPER()
	RET()
}
