package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Fields of the argument of a depthwise routine: type depthwiseArgs in package q8.
const (
	depthwisePlane     = 8 * iota
	depthwiseRows      // *int32, two for each row: offsets in plane and weights
	depthwiseLast      // behind the last row
	depthwiseTaps      // *int32
	depthwiseEnd       // behind the last tap
	depthwiseStep      // between pixels of the plane
	depthwiseWeights   //
	depthwiseConstants //
	depthwiseLimits    //
	depthwiseOut       //
	depthwiseStride    // between pixels of out
	depthwisePixels    //
	depthwiseMask      //
	depthwiseMode      //
)

// depthwise makes the routine for rows of output pixels and one vector of channels.
func depthwise(i isa) {
	name := "depthwise" + i.name
	TEXT(name, NOSPLIT, "func(a *byte)")
	Doc(fmt.Sprintf("%s computes rows of pixels, %d channels:", name, i.lanes),
		"",
		"\tfor y in rows, x < pixels:",
		fmt.Sprintf("\tacc[y][x][c] = start[c] + sum over taps t, j < %d: plane[rows[y] + x*step + taps[t]][c][j] * weights[rows[y]][t][c][j]", i.group),
		"\tout[y][x][c] = requantized acc[y][x][c], or acc[y][x][c] itself")
	Pragma("noescape")
	args := Load(Param("a"), GP64())
	field := func(f int) operand.Mem { return operand.Mem{Base: args, Disp: f} }
	value := func(f int) reg.GPVirtual {
		v := GP64()
		MOVQ(field(f), v)
		return v
	}
	i.constants(field(depthwiseMask))
	out, row := value(depthwiseOut), value(depthwiseRows)
	steps := map[int]reg.GPVirtual{1: value(depthwiseStep)}
	for _, m := range []int{3, 5, 7} {
		if m < i.pixels[0] {
			steps[m] = GP64()
			IMUL3Q(operand.U32(uint32(m)), steps[1], steps[m])
		}
	}
	q, stride := value(depthwiseConstants), value(depthwiseStride)
	Label("row")
	plane, n := GP64(), value(depthwisePixels)
	MOVLQSX(operand.Mem{Base: row}, plane)
	ADDQ(field(depthwisePlane), plane)
	for _, height := range i.pixels {
		label := func(s string) string { return fmt.Sprintf("%s%d", s, height) }
		Label(label("tile"))
		CMPQ(n, operand.U32(uint32(height)))
		JB(operand.LabelRef(label("end")))
		acc := make([]pixel, height)
		for r := range acc {
			acc[r] = pixel{r}
			if r == 0 {
				i.load(operand.Mem{Base: q}, i.register(0))
			} else {
				i.move(i.register(0), i.register(r))
			}
		}
		free := height
		tap, w, at := GP64(), GP64(), GP64()
		MOVQ(field(depthwiseTaps), tap)
		MOVLQSX(operand.Mem{Base: row, Disp: 4}, w)
		ADDQ(field(depthwiseWeights), w)
		Label(label("tap"))
		MOVLQSX(operand.Mem{Base: tap}, at)
		ADDQ(plane, at)
		ADDQ(operand.U8(4), tap)
		i.load(operand.Mem{Base: w}, i.register(free))
		ADDQ(operand.U8(i.bytes()), w)
		for r := range height {
			m := operand.Mem{Base: at}
			for _, scale := range []int{1, 2, 4} {
				if s, ok := steps[r/scale]; ok && r%scale == 0 {
					m.Index, m.Scale = s, uint8(scale)
				}
			}
			x := i.register(free + 1 + r%4)
			if i.wide {
				i.load(m, x)
				i.dot(i.register(free), x, i.register(r), x, true)
			} else {
				VPMADDWD(m, i.register(free), x)
				VPADDD(x, i.register(r), i.register(r))
			}
		}
		CMPQ(tap, field(depthwiseEnd))
		JNE(operand.LabelRef(label("tap")))
		mode, limits := value(depthwiseMode), value(depthwiseLimits)
		byMode(mode, fmt.Sprint(height), "sums", func(mode int) {
			for r := range height {
				i.rescale(mode, i.register(r), i.register(free+r%4), q, 0, nil)
			}
		})
		i.store(acc, operand.Mem{Base: limits}, out, stride, free)
		JMP(operand.LabelRef(label("next")))
		Label(label("sums"))
		for r := range height {
			i.save(i.register(r), operand.Mem{Base: out})
			if r+1 < height {
				ADDQ(stride, out)
			}
		}
		Label(label("next"))
		ADDQ(stride, out)
		LEAQ(operand.Mem{Base: plane, Index: steps[1], Scale: uint8(height)}, plane)
		SUBQ(operand.U32(uint32(height)), n)
		JMP(operand.LabelRef(label("tile")))
		Label(label("end"))
	}
	ADDQ(operand.U8(8), row)
	CMPQ(row, field(depthwiseLast))
	JNE(operand.LabelRef("row"))
	VZEROUPPER()
	RET()
}

// depthwise3 is depthwise for kernels of 3 by 3: the weights stay in registers.
func depthwise3(i isa) {
	name := "depthwise3" + i.name
	TEXT(name, NOSPLIT, "func(a *byte)")
	Doc(name + " is depthwise" + i.name + " for kernels of 3 by 3 and whole vectors of channels.")
	Pragma("noescape")
	args := Load(Param("a"), GP64())
	field := func(f int) operand.Mem { return operand.Mem{Base: args, Disp: f} }
	value := func(f int) reg.GPVirtual {
		v := GP64()
		MOVQ(field(f), v)
		return v
	}
	const first, scratch = 4, 10 // registers: weights behind sums, and then what is free
	high := (3 + 1 + i.group - 1) / i.group
	i.constants(field(depthwiseMask))
	order := i.pixelOrder()
	// Of the taps of a group of rows, and of those of the next group.
	var taps [2][3]operand.Mem
	plane, next := GP64(), value(depthwiseTaps)
	for j := range high {
		for x := range taps[j] {
			m := operand.Mem{Base: plane}
			if j > 0 || x == 1 {
				m.Index, m.Scale = GP64(), 1
				MOVLQSX(operand.Mem{Base: next, Disp: 4 * (3*j + x)}, m.Index)
			} else if x == 2 {
				m.Index, m.Scale = taps[j][1].Index, 2
			}
			taps[j][x] = m
		}
	}
	row, out, q, step, stride := value(depthwiseRows), value(depthwiseOut), value(depthwiseConstants), value(depthwiseStep), value(depthwiseStride)
	Label("row")
	n, w := GP64(), GP64()
	MOVLQSX(operand.Mem{Base: row, Disp: 4}, w)
	ADDQ(field(depthwiseWeights), w)
	for k := range 3 * high {
		i.load(operand.Mem{Base: w, Disp: k * i.bytes()}, i.register(first+k))
	}
	MOVLQSX(operand.Mem{Base: row}, plane)
	ADDQ(field(depthwisePlane), plane)
	MOVQ(field(depthwisePixels), n)
	for _, height := range []int{4, 2, 1} {
		label := func(s string) string { return fmt.Sprintf("%s%d", s, height) }
		Label(label("tile"))
		CMPQ(n, operand.U32(uint32(height)))
		JB(operand.LabelRef(label("end")))
		var acc []pixel
		var sums [4]reg.VecPhysical
		for r := range height {
			acc, sums[r] = append(acc, pixel{r}), i.register(r)
			if i.vnni {
				i.load(operand.Mem{Base: q}, sums[r])
			}
			for k := range 3 * high {
				m, weights, x := taps[k/3][k%3], i.register(first+k), i.register(scratch+k%3)
				switch {
				case i.vnni && i.group == 4:
					i.load(m, x)
					VPDPBUSD(weights, x, sums[r])
				case i.vnni:
					VPDPWSSD(m, weights, sums[r])
				case k == 0:
					VPMADDWD(m, weights, sums[r])
					VPADDD(operand.Mem{Base: q}, sums[r], sums[r])
				default:
					VPMADDWD(m, weights, x)
					VPADDD(x, sums[r], sums[r])
				}
			}
			ADDQ(step, plane)
		}
		byMode(field(depthwiseMode), fmt.Sprint(height), "sums", func(mode int) {
			for r := range height {
				i.rescale(mode, sums[r], i.register(scratch+r%3), q, 0, nil)
			}
		})
		if limits := value(depthwiseLimits); height == 4 {
			i.storePixels(sums, order, limits, out, stride)
			LEAQ(operand.Mem{Base: out, Index: stride, Scale: 4}, out)
		} else {
			i.store(acc, operand.Mem{Base: limits}, out, stride, scratch)
			ADDQ(stride, out)
		}
		JMP(operand.LabelRef(label("next")))
		Label(label("sums"))
		for r := range height {
			i.save(sums[r], operand.Mem{Base: out})
			ADDQ(stride, out)
		}
		Label(label("next"))
		SUBQ(operand.U32(uint32(height)), n)
		JMP(operand.LabelRef(label("tile")))
		Label(label("end"))
	}
	ADDQ(operand.U8(8), row)
	CMPQ(row, field(depthwiseLast))
	JNE(operand.LabelRef("row"))
	VZEROUPPER()
	RET()
}
