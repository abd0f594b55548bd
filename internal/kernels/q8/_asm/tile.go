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
	tileLineIn    // between the lines of codes, in bytes
	tileLineOut   // of sums
)

// limitWords is the size in words of the limits behind a panel's constants.
const limitWords = 32

// Epilogues.
const (
	modeClamped = iota // requantize without the correction of signs
	modeSigned
	modeSingle // in float32
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
	acc, free := accumulators(height, vectors)
	p := make([]reg.GPVirtual, height)
	q, w := GP64(), GP64()
	if row {
		MOVQ(field(args, tileConstants), q)
		MOVQ(field(args, tileWeights), w)
		if i.bytewise() {
			i.negatives(args, pixels)
		}
	}

	Label("tile")
	args = arguments()
	for r := range p {
		p[r] = GP64()
		MOVLQSX(operand.Mem{Base: pixels, Disp: 4 * r}, p[r])
		ADDQ(field(args, tilePlane), p[r])
	}
	if !row {
		if i.bytewise() {
			i.negatives(args, pixels)
			args = arguments()
		}
		ADDQ(operand.U32(4*height), pixels)
		MOVQ(field(args, tileConstants), q)
		MOVQ(field(args, tileWeights), w)
	}
	i.start(q, fields*i.bytes(), acc)
	segment := GP64()
	MOVQ(field(args, tileSegments), segment)

	Label("segment")
	index, groups := GP64(), GP64()
	MOVLQSX(operand.Mem{Base: segment}, index)
	ADDQ(operand.U8(4), segment)
	args = arguments()
	MOVQ(field(args, tileGroups), groups)
	i.products(p, index, w, groups, acc)
	args = arguments()
	CMPQ(segment, field(args, tileEnd))
	JNE(operand.LabelRef("segment"))
	if i.bytewise() {
		for _, a := range acc[0] {
			VPADDD(ymm[negatives], ymm[a], ymm[a])
		}
	}

	stride, mode := GP64(), GP64()
	if !row {
		MOVQ(field(args, tileConstants), q)
	}
	MOVQ(field(args, tileStride), stride)
	MOVQ(field(args, tileMode), mode)
	byMode(mode, "", "sums", func(mode int) {
		for v := range vectors {
			for r := range height {
				i.rescale(mode, i.register(acc[r][v]), i.register(free+(r+v)%(i.spare(free))), q, v*fields*i.bytes(), nil)
			}
		}
	})
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

// lines makes the routine that multiplies tiles of some pixels with a panel of
// weights in every line of Winograd's convolution.
func lines(i isa, height, vectors int) {
	name := fmt.Sprintf("lines%s_%dx%d", i.name, height, vectors*i.lanes)
	TEXT(name, NOSPLIT, "func(a *byte)")
	Doc(fmt.Sprintf("%s computes count lines of %d pixels by %d channels:", name, height, vectors*i.lanes),
		"",
		fmt.Sprintf("\tout[l][r][c] = start[l][c] + sum over groups g, j < %d: plane[l][pixels[r] + g][j] * weights[l][g][c][j]    for r < %d", i.group, height))
	Pragma("noescape")
	args := Load(Param("a"), GP64())
	field := func(f int) operand.Mem { return operand.Mem{Base: args, Disp: f} }
	q, w, out := GP64(), GP64(), GP64()
	MOVQ(field(tileConstants), q)
	MOVQ(field(tileWeights), w)
	MOVQ(field(tileOut), out)
	acc, _ := accumulators(height, vectors)
	p := make([]reg.GPVirtual, height)
	for r := range p {
		p[r] = GP64()
	}
	Label("line")
	index, groups := GP64(), GP64()
	MOVQ(field(tilePixels), index)
	for r := range p {
		MOVLQSX(operand.Mem{Base: index, Disp: 4 * r}, p[r])
		ADDQ(field(tilePlane), p[r])
	}
	i.start(q, i.bytes(), acc)
	ADDQ(operand.U32(vectors*i.bytes()), q)
	XORQ(index, index)
	MOVQ(field(tileGroups), groups)
	i.products(p, index, w, groups, acc)
	to, line := GP64(), GP64()
	MOVQ(out, to)
	for r := range height {
		for v := range vectors {
			i.save(i.register(acc[r][v]), operand.Mem{Base: to, Disp: v * i.bytes()})
		}
		if r+1 < height {
			ADDQ(field(tileStride), to)
		}
	}
	ADDQ(field(tileLineOut), out)
	MOVQ(field(tileLineIn), line)
	ADDQ(line, field(tilePlane))
	DECQ(field(tileCount))
	JNE(operand.LabelRef("line"))
	VZEROUPPER()
	RET()
}

// accumulators numbers registers for a tile; free is the first that is left.
func accumulators(height, vectors int) (acc []pixel, free int) {
	acc = make([]pixel, height)
	for r := range acc {
		for range vectors {
			acc[r] = append(acc[r], free)
			free++
		}
	}
	return acc, free
}

// start loads the accumulators of every pixel from vectors at q, some bytes apart.
func (i isa) start(q reg.Register, apart int, acc []pixel) {
	for v, first := range acc[0] {
		i.load(operand.Mem{Base: q, Disp: v * apart}, i.register(first))
		for _, p := range acc[1:] {
			i.move(i.register(first), i.register(p[v]))
		}
	}
}

// products adds those of some groups of codes, from index on behind what p points
// to, with the weights at w, to acc. It moves index, w and groups.
func (i isa) products(p []reg.GPVirtual, index, w, groups reg.Register, acc []pixel) {
	height, vectors := len(acc), len(acc[0])
	free := height * vectors
	step := func(n int) {
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
	SUBQ(operand.U8(2), groups)
	JB(operand.LabelRef("odd"))
	Label("two")
	step(0)
	step(1)
	ADDQ(operand.U8(8), index)
	ADDQ(operand.U32(2*vectors*i.bytes()), w)
	SUBQ(operand.U8(2), groups)
	JAE(operand.LabelRef("two"))
	Label("odd")
	TESTQ(operand.U32(1), groups)
	JE(operand.LabelRef("done"))
	step(0)
	ADDQ(operand.U32(vectors*i.bytes()), w)
	Label("done")
}

// byMode makes the code of each epilogue, of which one runs; there is a label for
// that of sums, or there are no sums. suffix tells the labels of several such apart.
func byMode(mode operand.Op, suffix, sums string, epilogue func(mode int)) {
	ref := func(name string) operand.LabelRef { return operand.LabelRef(name + suffix) }
	CMPQ(mode, operand.U8(modeSigned))
	JEQ(ref("signed"))
	JA(ref("single"))
	epilogue(modeClamped)
	JMP(ref("rescaled"))
	Label("signed" + suffix)
	epilogue(modeSigned)
	JMP(ref("rescaled"))
	Label("single" + suffix)
	if sums != "" {
		CMPQ(mode, operand.U8(modeSums))
		JEQ(ref(sums))
	}
	epilogue(modeSingle)
	Label("rescaled" + suffix)
}

// spare is how many of the registers from the given one on may be used in turn.
func (i isa) spare(from int) int {
	switch {
	case i.wide:
		return min(4, ones-from)
	case i.bytewise():
		return negatives - 8
	}
	return min(4, 16-from)
}

// byteStep adds the products of the group of codes at m with the n-th weights of
// every vector, on AVX2, less what [isa.negatives] adds. The instruction that
// multiplies bytes takes unsigned ones on one side: the magnitude of codes. Where a
// code is negative, ^w = -w - 1 takes the place of the weight w; pairs of products
// fit in 16 bits, as 2*128*-128 does.
func (i isa) byteStep(m operand.Mem, w reg.Register, n int, acc pixel) {
	const ahead = 1024 // bytes: weights come from the L2 cache
	below, size := ymm[14], ymm[13]
	VPBROADCASTD(m, below)
	VPABSB(below, size)
	VPCMPGTB(below, ymm[none], below)
	for v, a := range acc {
		at := operand.Mem{Base: w, Disp: (n*len(acc) + v) * i.bytes()}
		t := ymm[len(acc)+v%i.spare(len(acc))]
		if at.Disp%64 == 0 {
			next := at
			next.Disp += ahead
			PREFETCHT0(next)
		}
		VPXOR(at, below, t)
		VPMADDUBSW(t, size, t)
		VPMADDWD(ymm[units], t, t)
		VPADDD(t, ymm[a], ymm[a])
	}
}

// negatives sums the magnitudes of negative codes of the pixel that pixels points to,
// in every lane of a register.
func (i isa) negatives(args, pixels reg.Register) {
	field := func(f int) operand.Mem { return operand.Mem{Base: args, Disp: f} }
	sum, x, size := ymm[negatives], ymm[8], ymm[9]
	segment, at, n := GP64(), GP64(), GP64()
	add := func() {
		VPABSB(x, size)
		VPCMPGTB(x, ymm[none], x)
		VPAND(size, x, x)
		VPSADBW(ymm[none], x, x)
		VPADDQ(x, sum, sum)
	}
	VPXOR(sum, sum, sum)
	MOVQ(field(tileSegments), segment)
	Label("signs")
	MOVLQSX(operand.Mem{Base: segment}, at)
	MOVLQSX(operand.Mem{Base: pixels}, n)
	ADDQ(n, at)
	ADDQ(field(tilePlane), at)
	ADDQ(operand.U8(4), segment)
	MOVQ(field(tileGroups), n)
	SUBQ(operand.U8(8), n)
	JB(operand.LabelRef("few"))
	Label("eight")
	VMOVDQU(operand.Mem{Base: at}, x)
	add()
	ADDQ(operand.U8(32), at)
	SUBQ(operand.U8(8), n)
	JAE(operand.LabelRef("eight"))
	Label("few")
	ADDQ(operand.U8(8), n)
	JE(operand.LabelRef("summed"))
	Label("one")
	VMOVD(operand.Mem{Base: at}, x.AsX())
	add()
	ADDQ(operand.U8(4), at)
	DECQ(n)
	JNE(operand.LabelRef("one"))
	Label("summed")
	CMPQ(segment, field(tileEnd))
	JNE(operand.LabelRef("signs"))
	VEXTRACTI128(operand.U8(1), sum, x.AsX())
	VPADDD(x, sum, sum)
	VPSHUFD(operand.U8(0x4e), sum, x)
	VPADDD(x, sum, sum)
	VPBROADCASTD(sum.AsX(), sum)
}
