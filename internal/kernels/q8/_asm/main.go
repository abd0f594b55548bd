// Command asm writes the assembly routines of package q8: run go generate there.
package main

import . "github.com/mmcloughlin/avo/build"

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
		depthwise3(i)
		i.widen()
		i.interleave()
		arithmetics(i, "", 1, 20)
		arithmetics(i, "Words", 2, 15)
		singleProduct(i)
		linear(i)
		real(i)
	}
	depthwise(vnniWords)
	depthwise3(vnniWords)
	winogradIn()
	winogradOut(avx2)
	winogradOut(vnni)
	quantize("quantize", "/", VDIVPS, false)
	quantize("encode", "*", VMULPS, false)
	quantize("encodeEven", "*", VMULPS, true)
	dequantize()
	pools()
	extent()
	for _, i := range []isa{avx2, vnni} {
		hybrid(i, true)
		hybrid(i, false)
	}
	encodeWide()
	spread()
	interleaveWords()
	for _, i := range []isa{avx2, vnni} {
		words(i, true)
		words(i, false)
	}
	Generate()
}
