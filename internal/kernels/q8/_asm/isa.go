package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// An isa is an instruction set: vectors of 32-bit lanes, each the sum of group
// products of codes.
type isa struct {
	name   string
	lanes  int
	group  int
	wide   bool // vectors of 512 bits, with masks
	vnni   bool // sums four products of bytes at once
	tiles  []tiles
	pixels []int // heights of the depthwise tiles
}

// tiles are the heights of the register tiles that are some vectors wide.
type tiles struct {
	vectors int
	heights []int
	row     bool // and a routine for one row and several panels
	lines   bool // and routines for the lines of Winograd's convolution
}

var (
	avx2 = isa{name: "AVX2", lanes: 8, group: 2, pixels: []int{8, 4, 1},
		tiles: []tiles{{2, []int{6, 4, 1}, false, true}, {1, []int{6, 4, 1}, false, true}}}
	// The same vectors, four products of bytes to a lane: for one row at a time, for
	// which memory is the limit.
	avx2Bytes = isa{name: "AVX2Bytes", lanes: 8, group: 4, tiles: []tiles{{8, []int{1}, true, false}, {4, []int{1}, false, false}, {1, []int{1}, false, false}}}

	vnni = isa{name: "VNNI", lanes: 16, group: 4, wide: true, vnni: true, pixels: []int{8, 4, 2, 1},
		tiles: []tiles{{4, []int{6, 4, 2, 1}, true, false}, {2, []int{8, 4, 2, 1}, false, false}, {1, []int{8, 4, 2, 1}, false, false}}}
	// Two products of 16 bits to a lane, for Winograd's convolution and int16 codes.
	vnniWords = isa{name: "VNNIWords", lanes: 16, group: 2, wide: true, vnni: true, pixels: []int{8, 4, 2, 1}, tiles: []tiles{{1, []int{8, 4, 1}, false, true}, {2, []int{8, 4, 1}, false, true}}}
	// Half as wide, for few channels.
	vnniHalf = isa{name: "VNNIHalf", lanes: 8, group: 4, vnni: true, tiles: []tiles{{1, []int{8, 4, 1}, false, false}}}
)

var (
	zmm = []reg.VecPhysical{
		reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7, reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
		reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23, reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31,
	}
	ymm = []reg.VecPhysical{
		reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7, reg.Y8, reg.Y9, reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14, reg.Y15,
		reg.Y16, reg.Y17, reg.Y18, reg.Y19, reg.Y20, reg.Y21, reg.Y22, reg.Y23, reg.Y24, reg.Y25, reg.Y26, reg.Y27, reg.Y28, reg.Y29, reg.Y30, reg.Y31,
	}
	xmm = []reg.VecPhysical{
		reg.X0, reg.X1, reg.X2, reg.X3, reg.X4, reg.X5, reg.X6, reg.X7, reg.X8, reg.X9, reg.X10, reg.X11, reg.X12, reg.X13, reg.X14, reg.X15,
		reg.X16, reg.X17, reg.X18, reg.X19, reg.X20, reg.X21, reg.X22, reg.X23, reg.X24, reg.X25, reg.X26, reg.X27, reg.X28, reg.X29, reg.X30, reg.X31,
	}
)

// register returns the n-th vector register.
func (i isa) register(n int) reg.VecPhysical {
	if i.wide {
		return zmm[n]
	}
	return ymm[n]
}

// bytes is the size of a vector.
func (i isa) bytes() int { return i.lanes * 4 }

// Masks of the wide registers.
var (
	kStore = reg.K1 // bytes of a row of outputs that exist
	kEven  = reg.K2 // lanes 0, 2, 4, ...
	kAbove = reg.K3
)

// Registers of constants, see [isa.constants]: -1 in every lane, wide only; for
// bytes on AVX2 1 in every int16, 0, and see [isa.negatives].
const (
	ones      = 31
	units     = 15
	none      = 12
	negatives = 11
)

// bytewise reports whether products of bytes take several instructions.
func (i isa) bytewise() bool { return i.group == 4 && !i.vnni }

// constants sets up what [isa.requantize] and [isa.store] need; mask is where the
// mask of the outputs that exist stands.
func (i isa) constants(mask operand.Mem) {
	if i.bytewise() {
		VPCMPEQD(ymm[units], ymm[units], ymm[units])
		VPSRLW(operand.U8(15), ymm[units], ymm[units])
		VPXOR(ymm[none], ymm[none], ymm[none])
	}
	if !i.wide {
		return
	}
	KMOVQ(mask, kStore)
	even := GP32()
	MOVL(operand.U32(0x5555), even)
	KMOVW(even, kEven)
	VPTERNLOGD(operand.U8(0xff), zmm[ones], zmm[ones], zmm[ones])
}

func (i isa) load(m operand.Mem, v reg.VecPhysical) {
	if i.wide {
		VMOVDQU32(m, v)
		return
	}
	VMOVDQU(m, v)
}

func (i isa) save(v reg.VecPhysical, m operand.Mem) {
	if i.wide {
		VMOVDQU32(v, m)
		return
	}
	VMOVDQU(v, m)
}

func (i isa) move(from, to reg.VecPhysical) {
	if i.wide {
		VMOVDQA32(from, to)
		return
	}
	VMOVDQA(from, to)
}

// dot adds, in every lane, the products of the group of codes in x with the
// weights w to acc. x is destroyed if spoil is true; t is scratch.
func (i isa) dot(w operand.Op, x, acc, t reg.VecPhysical, spoil bool) {
	if i.vnni && i.group == 4 {
		VPDPBUSD(w, x, acc) // unsigned x, signed w
		return
	}
	if i.vnni {
		VPDPWSSD(w, x, acc)
		return
	}
	if spoil {
		t = x
	}
	VPMADDWD(w, x, t)
	VPADDD(t, acc, acc)
}

// Fields of the constants of one vector of output channels, in vectors: where
// accumulators start, and see [isa.requantize].
const (
	fieldStart = iota
	fieldEven
	fieldOdd
	fieldAdd
	fieldAbove
	fieldShift
	fields
)

// rescale turns accumulators into output codes by a mode other than sums: see
// requantize and single.
func (i isa) rescale(mode int, acc, t reg.VecPhysical, q reg.Register, disp int, unit operand.Op) {
	if mode == modeSingle {
		i.single(acc, q, disp)
		return
	}
	i.requantize(acc, t, q, disp, mode == modeSigned, unit)
}

// Fields of the constants of [isa.single].
const (
	singleFactor = fieldEven
	singleZero   = fieldAdd
	singleLow    = fieldAbove // limits of the code, less the zero point
	singleHigh   = fieldShift
)

// single turns accumulators into output codes in float32:
//
//	acc = half_even(clamp(acc * factor)) + zero
//
// q + disp is where the constants of these channels stand.
func (i isa) single(acc reg.VecPhysical, q reg.Register, disp int) {
	field := func(n int) operand.Mem { return operand.Mem{Base: q, Disp: disp + n*i.bytes()} }
	VCVTDQ2PS(acc, acc)
	VMULPS(field(singleFactor), acc, acc)
	VMAXPS(field(singleLow), acc, acc)
	VMINPS(field(singleHigh), acc, acc)
	VCVTPS2DQ(acc, acc)
	VPADDD(field(singleZero), acc, acc)
}

// requantize turns accumulators into output codes that are not yet clamped:
//
//	v = high 32 bits of acc * multiplier, unsigned, + add
//	if signed and v > above: v++
//	acc = v >> shift
//
// q + disp is where the constants of these channels stand; t is scratch. What the
// correction of signs adds may be another number: unit, unless it is nil.
func (i isa) requantize(acc, t reg.VecPhysical, q reg.Register, disp int, signed bool, unit operand.Op) {
	field := func(n int) operand.Mem { return operand.Mem{Base: q, Disp: disp + n*i.bytes()} }
	VPSRLQ(operand.U8(32), acc, t)
	VPMULUDQ(field(fieldOdd), t, t)
	VPMULUDQ(field(fieldEven), acc, acc)
	if i.wide {
		VMOVSHDUP(acc, kEven, t)
		VPADDD(field(fieldAdd), t, acc)
		if signed {
			VPCMPGTD(field(fieldAbove), acc, kAbove)
			if unit != nil {
				VPADDD(unit, acc, kAbove, acc)
			} else {
				VPSUBD(zmm[ones], acc, kAbove, acc)
			}
		}
	} else {
		VPSRLQ(operand.U8(32), acc, acc)
		VPBLENDD(operand.U8(0xaa), t, acc, acc)
		VPADDD(field(fieldAdd), acc, acc)
		if signed {
			VPCMPGTD(field(fieldAbove), acc, t)
			if unit != nil {
				VPAND(unit, t, t)
				VPADDD(t, acc, acc)
			} else {
				VPSUBD(t, acc, acc)
			}
		}
	}
	VPSRAVD(field(fieldShift), acc, acc)
}

// A pixel is the accumulators of one row of outputs, by register number.
type pixel []int

// store narrows accumulators to codes, clamps them to the two vectors at limits,
// and writes them to out, one pixel after the other, stride apart; out ends at
// the last. t is the number of a scratch register.
func (i isa) store(pixels []pixel, limits operand.Mem, out, stride reg.Register, t int) {
	upper := limits
	upper.Disp += 64
	next := func(n int) {
		if n+1 < len(pixels) {
			ADDQ(stride, out)
		}
	}
	at := operand.Mem{Base: out}
	if i.wide {
		for n, p := range pixels {
			a := p[0]
			v := zmm[a]
			switch len(p) {
			case 1:
				VPMOVSDB(zmm[a], xmm[a])
				v = xmm[a]
			case 2:
				VPACKSSDW(zmm[p[1]], zmm[a], zmm[a])
				VPMOVSWB(zmm[a], ymm[a])
				v = ymm[a]
			case 4:
				VPACKSSDW(zmm[p[1]], zmm[a], zmm[a])
				VPACKSSDW(zmm[p[3]], zmm[p[2]], zmm[p[2]])
				VPACKSSWB(zmm[p[2]], zmm[a], zmm[a])
			}
			VPMAXSB(limits, v, v)
			VPMINSB(upper, v, v)
			VMOVDQU8(v, kStore, at)
			next(n)
		}
		return
	}
	for n := 0; n < len(pixels); n += 2 {
		p, other := pixels[n], pixels[min(n+1, len(pixels)-1)]
		both := n+1 < len(pixels)
		z, x := ymm[p[0]], xmm[p[0]]
		if len(p) >= 4 { // of one pixel
			for at := at; len(p) > 0; p = p[4:] {
				z := ymm[p[0]]
				VPACKSSDW(ymm[p[1]], z, z)
				VPACKSSDW(ymm[p[3]], ymm[p[2]], ymm[p[2]])
				VPACKSSWB(ymm[p[2]], z, z)
				VPMAXSB(limits, z, z)
				VPMINSB(upper, z, z)
				VMOVDQU(z, at)
				at.Disp += 32
			}
			continue
		}
		if len(p) == 2 {
			VPACKSSDW(ymm[p[1]], z, z)
			if both {
				VPACKSSDW(ymm[other[1]], ymm[other[0]], ymm[other[0]])
			}
			VPACKSSWB(ymm[other[0]], z, z)
			VPMAXSB(limits, z, z)
			VPMINSB(upper, z, z)
			VPERMQ(operand.U8(0xd8), z, z)
			VMOVDQU(x, at)
			next(n)
			if both {
				VEXTRACTI128(operand.U8(1), z, xmm[t])
				VMOVDQU(xmm[t], at)
				next(n + 1)
			}
			continue
		}
		VPACKSSDW(ymm[other[0]], z, z)
		VPACKSSWB(z, z, z)
		VPMAXSB(limits, z, z)
		VPMINSB(upper, z, z)
		VEXTRACTI128(operand.U8(1), z, xmm[t])
		VPUNPCKLDQ(xmm[t], x, x)
		VMOVQ(x, at)
		next(n)
		if both {
			VPEXTRQ(operand.U8(1), x, at)
			next(n + 1)
		}
	}
}
