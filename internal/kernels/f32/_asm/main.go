// Command asm writes the assembly routines of package f32: run go generate there.
package main

import . "github.com/mmcloughlin/avo/build"

func main() {
	ConstraintExpr("amd64,!purego")
	for mr := 1; mr <= 6; mr++ {
		tile(avx2, mr, 2)
		tile(avx2, mr, 1)
	}
	for mr := 1; mr <= 14; mr++ {
		tile(avx512, mr, 2)
		tile(avx512, mr, 1)
	}
	data()
	elementwise()
	rowwise()
	rounding()
	optimizers()
	pools()
	depthwise()
	tail()
	tailPool()
	tailPool2()
	maxPoolGrad2()
	normTail()
	for _, i := range []isa{avx2, avx512} {
		normalizeMaskedGrad(i)
		sumMaskedNormalized(i)
		for _, kind := range []int{clamps, rounds, restores} {
			rectified(i, kind)
		}
	}
	transpose()
	exponentials()
	winograd()
	oneChannel()
	oneChannelGrad()
	sparse()
	packed()
	peak(avx2, 12)
	peak(avx512, 24)
	Generate()
}
