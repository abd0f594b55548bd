// Command asm writes the assembly routines of package u8: run go generate there.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("amd64,!purego")
	convert()
	prefetch()
	Generate()
}

// pointer and size return those of a slice parameter.
func pointer(name string) reg.GPVirtual { return Load(Param(name).Base(), GP64()).(reg.GPVirtual) }
func size(name string) reg.GPVirtual    { return Load(Param(name).Len(), GP64()).(reg.GPVirtual) }

func splat(name string) reg.VecVirtual {
	p, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	v := YMM()
	VBROADCASTSS(p.Addr, v)
	return v
}

func convert() {
	TEXT("convertAVX2", NOSPLIT, "func(dst []float32, src []uint8, high, low float32)")
	Doc("convertAVX2 scales at least 16 bytes, a multiple of 16:", "",
		"\tfor i, b := range src { dst[i] = fma(float32(b), high, float32(b)*low) }")
	Pragma("noescape")
	dst, src, n := pointer("dst"), pointer("src"), size("src")
	high, low := splat("high"), splat("low")
	Label("next")
	for i := range 2 {
		b, t := YMM(), YMM()
		VPMOVZXBD(operand.Mem{Base: src, Disp: 8 * i}, b)
		VCVTDQ2PS(b, b)
		VMULPS(low, b, t)
		VFMADD231PS(high, b, t)
		VMOVUPS(t, operand.Mem{Base: dst, Disp: 32 * i})
	}
	ADDQ(operand.U8(16), src)
	ADDQ(operand.U8(64), dst)
	SUBQ(operand.U8(16), n)
	JNE(operand.LabelRef("next"))
	VZEROUPPER()
	RET()
}

func prefetch() {
	TEXT("prefetchT0", NOSPLIT, "func(x []uint8)")
	Doc("prefetchT0 asks for every cache line of x.")
	Pragma("noescape")
	x, n := pointer("x"), size("x")
	Label("next")
	TESTQ(n, n)
	JLE(operand.LabelRef("done"))
	PREFETCHT0(operand.Mem{Base: x})
	ADDQ(operand.U8(64), x)
	SUBQ(operand.U8(64), n)
	JMP(operand.LabelRef("next"))
	Label("done")
	RET()
}
