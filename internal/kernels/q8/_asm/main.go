// Command asm writes the assembly routines of package q8: run go generate there.
package main

import . "github.com/mmcloughlin/avo/build"

func main() {
	ConstraintExpr("amd64,!purego")
	for _, i := range []isa{avx2, vnni} {
		for _, s := range i.tiles {
			for _, height := range s.heights {
				tile(i, height, s.vectors)
			}
		}
		depthwise(i)
		i.widen()
		i.interleave()
	}
	Generate()
}
