package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Fields of the argument of a packed routine: type packedArgs in package f32.
const (
	packedPlane    = 8 * iota
	packedPixels   // *int32, offset in the plane
	packedCount    // of tiles
	packedSegments // *int32
	packedEnd      // behind the last segment
	packedDepth    // of a segment
	packedWeights  //
	packedPanel    // bytes from a panel's weights to the next
	packedBias     //
	packedOut      //
	packedStride   // of out, in bytes
	packedLimits   // *float32: lo, hi, zero
)

// packedTile makes the routine that multiplies tiles of some pixels with some panels of weights, each some vectors
// wide.
func packedTile(i isa, height, panels, vectors int) {
	name := fmt.Sprintf("packed%s_%dx%d", i.name, height, panels*vectors*i.lanes)
	TEXT(name, NOSPLIT, "func(a *byte)")
	Doc(fmt.Sprintf("%s computes tiles of %d pixels by %d channels, in float32 with one rounding for a product:", name, height, panels*vectors*i.lanes),
		"",
		"\tfor segments s, k < depth { for r, c: acc[r][c] = fma(plane[pixels[r] + segments[s] + k], weights[s][k][c], acc[r][c]) }",
		"\tout[r][c] = min(max(acc[r][c] + bias[c], lo), hi) + zero")
	Pragma("noescape")
	args := GP64()
	field := func(f int) operand.Mem { return operand.Mem{Base: args, Disp: f} }
	Load(Param("a"), args)
	pixels, out, w := GP64(), GP64(), GP64()
	MOVQ(field(packedPixels), pixels)
	MOVQ(field(packedOut), out)

	Label("tile")
	p := make([]reg.GPVirtual, height)
	for r := range p {
		p[r] = GP64()
		MOVLQSX(operand.Mem{Base: pixels, Disp: 4 * r}, p[r])
		ADDQ(field(packedPlane), p[r])
	}
	ADDQ(operand.U8(4*height), pixels)
	MOVQ(field(packedWeights), w)
	panel := GP64()
	if panels > 1 {
		MOVQ(field(packedPanel), panel)
	}
	width := panels * vectors
	acc := make([]reg.VecVirtual, height*width)
	for k := range acc {
		acc[k] = i.vector()
		i.zero(acc[k])
	}
	segment, index, depth := GP64(), GP64(), GP64()
	MOVQ(field(packedSegments), segment)
	Label("segment")
	MOVLQSX(operand.Mem{Base: segment}, index)
	ADDQ(operand.U8(4), segment)
	MOVQ(field(packedDepth), depth)
	Label("step")
	row, x := make([]reg.VecVirtual, width), i.vector()
	if height > 1 {
		for v := range row {
			row[v] = i.vector()
			VMOVUPS(operand.Mem{Base: w, Disp: v * i.lanes * 4}, row[v])
		}
	}
	for r := range p {
		VBROADCASTSS(operand.Mem{Base: p[r], Index: index, Scale: 1}, x)
		for v := range width {
			if height > 1 {
				VFMADD231PS(row[v], x, acc[r*width+v])
				continue
			}
			from := operand.Mem{Base: w, Disp: v % vectors * i.lanes * 4}
			if v >= vectors {
				from.Index, from.Scale = panel, 1
			}
			VFMADD231PS(from, x, acc[v])
		}
	}
	ADDQ(operand.U8(4), index)
	ADDQ(operand.U32(vectors*i.lanes*4), w)
	DECQ(depth)
	JNE(operand.LabelRef("step"))
	CMPQ(segment, field(packedEnd))
	JNE(operand.LabelRef("segment"))

	limits, lo, hi, zero := GP64(), i.vector(), i.vector(), i.vector()
	MOVQ(field(packedLimits), limits)
	VBROADCASTSS(operand.Mem{Base: limits}, lo)
	VBROADCASTSS(operand.Mem{Base: limits, Disp: 4}, hi)
	VBROADCASTSS(operand.Mem{Base: limits, Disp: 8}, zero)
	bias := GP64()
	MOVQ(field(packedBias), bias)
	for r := range p {
		for v := range width {
			a := acc[r*width+v]
			VADDPS(operand.Mem{Base: bias, Disp: v * i.lanes * 4}, a, a)
			VMAXPS(a, lo, a) // NaN and the second of equal zeros stay
			VMINPS(a, hi, a)
			VADDPS(zero, a, a)
			VMOVUPS(a, operand.Mem{Base: out, Disp: v * i.lanes * 4})
		}
		ADDQ(field(packedStride), out)
	}
	DECQ(field(packedCount))
	JNE(operand.LabelRef("tile"))
	VZEROUPPER()
	RET()
}

// packed makes the routines of both instruction sets.
func packed() {
	for _, height := range []int{8, 4, 2, 1} {
		packedTile(avx512, height, 1, 2)
		packedTile(avx2, min(height, 6), 1, 2)
		packedTile(avx2, height, 1, 1)
	}
	packedTile(avx512, 1, 2, 2)
	packedTile(avx2, 1, 2, 2)
}
