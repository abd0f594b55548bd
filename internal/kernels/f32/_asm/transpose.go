package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// transpose turns blocks of 8x8: pairs of rows are interleaved, then pairs of pairs, then halves are exchanged.
func transpose() {
	routine("transpose8", "(dst []float32, stride int, src []float32, from, blocks int)", "writes the transpose of eight rows of 8*blocks columns; strides are bytes:",
		"for r := range 8 { for c := range 8*blocks { dst[c*stride+r] = src[r*from+c] } }")
	dst, src, stride, from, n := slice("dst"), slice("src"), number("stride"), number("from"), number("blocks")
	read, write := rowsOf(src, from, 8), rowsOf(dst, stride, 8)
	step := GP64()
	MOVQ(stride, step)
	SHLQ(operand.U8(3), step)
	eight := GP64()
	MOVQ(operand.U32(32), eight)
	Label("block")
	var row, pair, four [8]reg.VecVirtual
	for r := range row {
		row[r] = whole.load(read.at(r))
	}
	read.advance(eight)
	for r := 0; r < 8; r += 2 {
		pair[r], pair[r+1] = YMM(), YMM()
		VUNPCKLPS(row[r+1], row[r], pair[r])
		VUNPCKHPS(row[r+1], row[r], pair[r+1])
	}
	for r := 0; r < 8; r += 4 {
		for i := range 2 { // columns 0, 1 and 2, 3, and 4 more each
			low, high := YMM(), YMM()
			VSHUFPS(operand.U8(0x44), pair[r+2+i], pair[r+i], low)
			VSHUFPS(operand.U8(0xee), pair[r+2+i], pair[r+i], high)
			four[r+2*i], four[r+2*i+1] = low, high
		}
	}
	for c := range 4 {
		low, high := YMM(), YMM()
		VPERM2F128(operand.U8(0x20), four[4+c], four[c], low)
		VPERM2F128(operand.U8(0x31), four[4+c], four[c], high)
		VMOVUPS(low, write.at(c))
		VMOVUPS(high, write.at(c+4))
	}
	write.advance(step)
	DECQ(n)
	JNE(operand.LabelRef("block"))
	end()
}
