// Command asm writes the assembly routines of package q8: run go generate there.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("amd64,!purego")
	for _, i := range []isa{avx2, avx2Bytes, vnni, vnniHalf, vnniWords} {
		for _, s := range i.tiles {
			for _, height := range s.heights {
				tile(i, height, s.vectors, false)
				if s.lines {
					lines(i, height, s.vectors)
				}
			}
			if s.row {
				tile(i, 1, s.vectors, true)
			}
		}
	}
	for _, i := range []isa{avx2, vnni} {
		depthwise(i)
		i.widen()
		i.interleave()
		add := func(a, b reg.VecPhysical) { VPADDD(a, b, b) }
		arithmetic(i, "sum", "requantized a + b, both requantized first", [2]int{20, 20}, add)
		arithmetic(i, "sumOfHalf", "requantized a + b, b requantized first and a halved", [2]int{19, 20}, add)
		arithmetic(i, "difference", "requantized a - b, both requantized first", [2]int{20, 20}, func(a, b reg.VecPhysical) { VPSUBD(a, b, b) })
		arithmetic(i, "product", "requantized a * b, both less their zero points", [2]int{}, func(a, b reg.VecPhysical) { VPMULLD(a, b, b) })
		real(i)
	}
	depthwise(vnniWords)
	winogradIn()
	winogradOut(avx2)
	winogradOut(vnni)
	quantize("quantize", "/", VDIVPS)
	quantize("encode", "*", VMULPS)
	dequantize()
	pools()
	extent()
	hybrid(true)
	hybrid(false)
	spread()
	interleaveWords()
	for _, i := range []isa{avx2, vnni} {
		words(i, true)
		words(i, false)
	}
	Generate()
}
