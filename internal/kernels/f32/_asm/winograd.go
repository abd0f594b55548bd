package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func winograd() {
	winogradWindow()
	winogradSpread()
	winogradGather()
}

// points addresses the sixteen values of a tile, which are one stride apart, four at a time.
type points struct{ base, stride, stride3 reg.GPVirtual }

func pointsOf(base, stride reg.GPVirtual) points {
	p := points{base, stride, GP64()}
	LEAQ(operand.Mem{Base: stride, Index: stride, Scale: 2}, p.stride3)
	return p
}

// at addresses value i of four.
func (p points) at(i int) operand.Mem { return strideAt(p.base, p.stride, p.stride3, i) }

// strideAt addresses what lies i < 4 strides behind base.
func strideAt(base, stride, stride3 reg.GPVirtual, i int) operand.Mem {
	switch i {
	case 0:
		return operand.Mem{Base: base}
	case 3:
		return operand.Mem{Base: base, Index: stride3, Scale: 1}
	}
	return operand.Mem{Base: base, Index: stride, Scale: uint8(i)}
}

// next moves on to the next four, and back moves from behind the last ones to the first.
func (p points) next() { LEAQ(operand.Mem{Base: p.base, Index: p.stride, Scale: 4}, p.base) }
func (p points) back() {
	t := GP64()
	MOVQ(p.stride, t)
	SHLQ(operand.U8(4), t)
	SUBQ(t, p.base)
}

// image addresses the pixels of some rows of an image.
type image struct {
	rows          []reg.GPVirtual
	pixel, pixel3 reg.GPVirtual // strides of one and three pixels
}

func imageOf(first, line reg.GPVirtual, rows int) image {
	im := image{rows: []reg.GPVirtual{first}, pixel: number("channels")}
	for len(im.rows) < rows {
		next := GP64()
		LEAQ(operand.Mem{Base: im.rows[len(im.rows)-1], Index: line, Scale: 1}, next)
		im.rows = append(im.rows, next)
	}
	SHLQ(operand.U8(2), im.pixel)
	if rows > 2 {
		im.pixel3 = GP64()
		LEAQ(operand.Mem{Base: im.pixel, Index: im.pixel, Scale: 2}, im.pixel3)
	}
	return im
}

func (im image) at(row, col int) operand.Mem {
	return strideAt(im.rows[row], im.pixel, im.pixel3, col)
}

// tilesOf runs body for eight channels after another of one tile after another, which are two pixels apart in the image
// and follow each other among the points.
func tilesOf(im image, p points, body func()) {
	count := number("count")
	Label("tile")
	left := number("channels")
	Label("eight")
	body()
	for _, r := range append([]reg.GPVirtual{p.base}, im.rows...) {
		ADDQ(operand.U8(32), r)
	}
	SUBQ(operand.U8(8), left)
	JNE(operand.LabelRef("eight"))
	for _, r := range im.rows {
		ADDQ(im.pixel, r)
	}
	DECQ(count)
	JNE(operand.LabelRef("tile"))
	end()
}

func loaded(from operand.Mem) reg.VecVirtual { return whole.load(from) }

func sum(a, b operand.Op) reg.VecVirtual {
	v := YMM()
	VADDPS(b, a, v)
	return v
}

func difference(a, b operand.Op) reg.VecVirtual {
	v := YMM()
	VSUBPS(b, a, v)
	return v
}

func winogradWindow() {
	routine("winogradWindow", "(v []float32, apart int, x []float32, line, channels, count int)",
		"transforms windows d of 4x4 pixels, two pixels apart, to t = B d B', for a multiple of eight channels; strides are bytes:",
		"for tile := range count { for c := range channels {",
		"\tfor i, j < 4: d[i][j] = x[i*line + (2*tile+j)*channels + c]",
		"\tB d is the rows d[0]-d[2], d[1]+d[2], d[2]-d[1], d[3]-d[1]; then the columns likewise",
		"\tfor i, j < 4: v[(4*i+j)*apart + tile*channels + c] = t[i][j]",
		"} }")
	p := pointsOf(slice("v"), number("apart"))
	im := imageOf(slice("x"), number("line"), 4)
	tilesOf(im, p, func() {
		row := func(t [4]reg.VecVirtual) {
			VMOVUPS(difference(t[0], t[2]), p.at(0))
			VMOVUPS(sum(t[1], t[2]), p.at(1))
			VMOVUPS(difference(t[2], t[1]), p.at(2))
			VMOVUPS(difference(t[3], t[1]), p.at(3))
			p.next()
		}
		var one, two, t [4]reg.VecVirtual
		for j := range 4 {
			one[j], two[j] = loaded(im.at(1, j)), loaded(im.at(2, j))
		}
		for j := range 4 {
			t[j] = difference(loaded(im.at(0, j)), two[j])
		}
		row(t)
		for j := range 4 {
			t[j] = sum(one[j], two[j])
		}
		row(t)
		for j := range 4 {
			t[j] = difference(two[j], one[j])
		}
		row(t)
		for j := range 4 {
			t[j] = difference(loaded(im.at(3, j)), one[j])
		}
		row(t)
		p.back()
	})
}

func winogradSpread() {
	routine("winogradSpread", "(v []float32, apart int, x []float32, line, channels, count int)",
		"transforms tiles d of 2x2 pixels to t = A d A', for a multiple of eight channels; strides are bytes:",
		"for tile := range count { for c := range channels {",
		"\tfor i, j < 2: d[i][j] = x[i*line + (2*tile+j)*channels + c]",
		"\tA d is the rows d[0], d[0]+d[1], d[0]-d[1], d[1]; then the columns likewise",
		"\tfor i, j < 4: v[(4*i+j)*apart + tile*channels + c] = t[i][j]",
		"} }")
	p := pointsOf(slice("v"), number("apart"))
	im := imageOf(slice("x"), number("line"), 2)
	tilesOf(im, p, func() {
		row := func(a, b reg.VecVirtual) {
			VMOVUPS(a, p.at(0))
			VMOVUPS(sum(a, b), p.at(1))
			VMOVUPS(difference(a, b), p.at(2))
			VMOVUPS(b, p.at(3))
			p.next()
		}
		a, b := loaded(im.at(0, 0)), loaded(im.at(0, 1))
		c, d := loaded(im.at(1, 0)), loaded(im.at(1, 1))
		row(a, b)
		row(sum(a, c), sum(b, d))
		row(difference(a, c), difference(b, d))
		row(c, d)
		p.back()
	})
}

func winogradGather() {
	routine("winogradGather", "(y []float32, line int, v []float32, apart, channels, count int)",
		"transforms values t of 4x4 to tiles d = A' t A of 2x2 pixels, for a multiple of eight channels; strides are bytes:",
		"for tile := range count { for c := range channels {",
		"\tfor i, j < 4: t[i][j] = v[(4*i+j)*apart + tile*channels + c]",
		"\tA' t is the rows t[0]+t[1]+t[2], t[1]-t[2]+t[3]; then the columns likewise",
		"\tfor i, j < 2: y[i*line + (2*tile+j)*channels + c] = d[i][j]",
		"} }")
	p := pointsOf(slice("v"), number("apart"))
	im := imageOf(slice("y"), number("line"), 2)
	tilesOf(im, p, func() {
		var upper, lower [4]reg.VecVirtual
		for j := range 4 {
			upper[j] = loaded(p.at(j))
		}
		p.next()
		for j := range 4 {
			lower[j] = loaded(p.at(j))
			VADDPS(lower[j], upper[j], upper[j])
		}
		p.next()
		for j := range 4 {
			t := loaded(p.at(j))
			VADDPS(t, upper[j], upper[j])
			VSUBPS(t, lower[j], lower[j])
		}
		p.next()
		for j := range 4 {
			VADDPS(p.at(j), lower[j], lower[j])
		}
		p.next()
		p.back()
		for i, t := range [][4]reg.VecVirtual{upper, lower} {
			VMOVUPS(sum(sum(t[0], t[1]), t[2]), im.at(i, 0))
			VMOVUPS(sum(difference(t[1], t[2]), t[3]), im.at(i, 1))
		}
	})
}
