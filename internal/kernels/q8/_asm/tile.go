package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Fields of the argument of a tile routine: type tileArgs in package q8.
const (
	tilePlane     = 8 * iota
	tilePixels    // *int32
	tileCount     // of tiles
	tileSegments  // *int32
	tileEnd       // behind the last segment
	tileGroups    // of a segment
	tileWeights   //
	tileConstants //
	tileOut       //
	tileStride    // of out, in bytes
	tileMask      //
	tileMode      //
)

// limitWords is the size in words of the limits behind a panel's constants.
const limitWords = 32

// Epilogues.
const (
	modeClamped = iota // requantize without the correction of signs
	modeSigned
	modeSums
)

// tile makes the routine that multiplies tiles of some pixels with a panel of
// weights that is some vectors wide.
//
// A routine for rows instead multiplies one pixel with several panels, which lie
// one behind the other, as do their constants and outputs.
func tile(i isa, height, vectors int, row bool) {
	name := fmt.Sprintf("tile%s_%dx%d", i.name, height, vectors*i.lanes)
	if row {
		name = fmt.Sprintf("row%s_%d", i.name, vectors*i.lanes)
	}
	TEXT(name, NOSPLIT, "func(a *byte)")
	Doc(fmt.Sprintf("%s computes tiles of %d pixels by %d channels:", name, height, vectors*i.lanes),
		"",
		fmt.Sprintf("\tacc[r][c] = start[c] + sum over segments s, groups g, j < %d: plane[pixels[r] + segments[s] + g][j] * weights[s][g][c][j]", i.group),
		fmt.Sprintf("\tout[r][c] = requantized acc[r][c], or acc[r][c] itself    for r < %d", height))
	Pragma("noescape")
	field := func(args reg.Register, f int) operand.Mem { return operand.Mem{Base: args, Disp: f} }
	arguments := func() reg.Register { return Load(Param("a"), GP64()) }

	args := arguments()
	pixels, out := GP64(), GP64()
	MOVQ(field(args, tilePixels), pixels)
	MOVQ(field(args, tileOut), out)
	i.constants(field(args, tileMask))
	acc := make([]pixel, height)
	for r := range acc {
		for v := range vectors {
			acc[r] = append(acc[r], r*vectors+v)
		}
	}
	free := height * vectors
	p := make([]reg.GPVirtual, height)
	q, w := GP64(), GP64()
	if row {
		MOVQ(field(args, tileConstants), q)
		MOVQ(field(args, tileWeights), w)
	}

	Label("tile")
	args = arguments()
	for r := range p {
		p[r] = GP64()
		MOVLQSX(operand.Mem{Base: pixels, Disp: 4 * r}, p[r])
		ADDQ(field(args, tilePlane), p[r])
	}
	if !row {
		ADDQ(operand.U32(4*height), pixels)
		MOVQ(field(args, tileConstants), q)
		MOVQ(field(args, tileWeights), w)
	}
	for v := range vectors {
		i.load(operand.Mem{Base: q, Disp: v * fields * i.bytes()}, i.register(acc[0][v]))
		for r := 1; r < height; r++ {
			i.move(i.register(acc[0][v]), i.register(acc[r][v]))
		}
	}
	segment := GP64()
	MOVQ(field(args, tileSegments), segment)

	step := func(index reg.Register, n int) {
		if i.bytewise() {
			i.byteStep(operand.Mem{Base: p[0], Index: index, Scale: 1, Disp: 4 * n}, w, n, acc[0])
			return
		}
		for v := range vectors {
			i.load(operand.Mem{Base: w, Disp: (n*vectors + v) * i.bytes()}, i.register(free+v))
		}
		for r := range height {
			x, t := i.register(free+vectors), i.register(min(free+vectors+1, 15))
			if i.vnni {
				x = i.register(free + vectors + r%2)
			}
			VPBROADCASTD(operand.Mem{Base: p[r], Index: index, Scale: 1, Disp: 4 * n}, x)
			for v := range vectors {
				i.dot(i.register(free+v), x, i.register(acc[r][v]), t, v == vectors-1)
			}
		}
	}
	Label("segment")
	index, groups := GP64(), GP64()
	MOVLQSX(operand.Mem{Base: segment}, index)
	ADDQ(operand.U8(4), segment)
	args = arguments()
	MOVQ(field(args, tileGroups), groups)
	SUBQ(operand.U8(2), groups)
	JB(operand.LabelRef("odd"))
	Label("two")
	step(index, 0)
	step(index, 1)
	ADDQ(operand.U8(8), index)
	ADDQ(operand.U32(2*vectors*i.bytes()), w)
	SUBQ(operand.U8(2), groups)
	JAE(operand.LabelRef("two"))
	Label("odd")
	TESTQ(operand.U32(1), groups)
	JE(operand.LabelRef("done"))
	step(index, 0)
	ADDQ(operand.U32(vectors*i.bytes()), w)
	Label("done")
	args = arguments()
	CMPQ(segment, field(args, tileEnd))
	JNE(operand.LabelRef("segment"))

	stride, mode := GP64(), GP64()
	if !row {
		MOVQ(field(args, tileConstants), q)
	}
	MOVQ(field(args, tileStride), stride)
	MOVQ(field(args, tileMode), mode)
	CMPQ(mode, operand.U8(modeSigned))
	JEQ(operand.LabelRef("signed"))
	JA(operand.LabelRef("sums"))
	for _, signed := range []bool{false, true} {
		if signed {
			Label("signed")
		}
		for v := range vectors {
			for r := range height {
				i.requantize(i.register(acc[r][v]), i.register(free+(r+v)%(i.spare(free))), q, v*fields*i.bytes(), signed)
			}
		}
		if !signed {
			JMP(operand.LabelRef("store"))
		}
	}
	Label("store")
	i.store(acc, operand.Mem{Base: q, Disp: vectors * fields * i.bytes()}, out, stride, free)
	JMP(operand.LabelRef("next"))
	Label("sums")
	for r := range height {
		for v := range vectors {
			i.save(i.register(acc[r][v]), operand.Mem{Base: out, Disp: v * i.bytes()})
		}
		if r+1 < height {
			ADDQ(stride, out)
		}
	}
	Label("next")
	ADDQ(stride, out)
	if row {
		ADDQ(operand.U32((vectors*fields*i.lanes+limitWords)*4), q)
	}
	args = arguments()
	DECQ(field(args, tileCount))
	JNE(operand.LabelRef("tile"))
	VZEROUPPER()
	RET()
}

// spare is how many of the registers from the given one on may be used in turn.
func (i isa) spare(from int) int {
	if i.wide {
		return min(4, ones-from)
	}
	return min(4, 16-from)
}

// byteStep adds the products of the group of codes at m with the n-th weights of
// every vector, on AVX2. The instruction that multiplies bytes takes unsigned ones
// on one side: the weights take the signs of the codes. Their pairs fit in 16 bits
// for weights above -128.
func (i isa) byteStep(m operand.Mem, w reg.Register, n int, acc pixel) {
	x, size := ymm[14], ymm[13]
	VPBROADCASTD(m, x)
	VPABSB(x, size)
	for v, a := range acc {
		t := ymm[len(acc)+v%4]
		VMOVDQU(operand.Mem{Base: w, Disp: (n*len(acc) + v) * i.bytes()}, t)
		VPSIGNB(x, t, t)
		VPMADDUBSW(t, size, t)
		VPMADDWD(ymm[units], t, t)
		VPADDD(t, ymm[a], ymm[a])
	}
}
