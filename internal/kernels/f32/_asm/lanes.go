package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The routines in the other files are AVX2. Each is written once, for a width of
// eight lanes or of one, and its loops use the first width as long as they can.
// Those that wait for arithmetic are AVX-512 too.

// width is the number of lanes that instructions work on.
type width int

const (
	wide   width = 16 // AVX-512
	whole  width = 8
	single width = 1 // instructions work on the lowest lane of XMM registers
)

// vector returns a fresh register.
func (w width) vector() reg.VecVirtual {
	switch w {
	case wide:
		return ZMM()
	case whole:
		return YMM()
	}
	return XMM()
}

// of returns the lanes of v that count.
func (w width) of(v reg.VecVirtual) reg.Register {
	switch w {
	case wide:
		return v.AsZ()
	case whole:
		return v.AsY()
	}
	return v.AsX()
}

// zero clears a register.
func (w width) zero(v reg.VecVirtual) {
	if w == wide {
		VPXORD(v, v, v)
	} else {
		VXORPS(v, v, v)
	}
}

// load returns lanes from memory.
func (w width) load(from operand.Mem) reg.VecVirtual {
	v := w.vector()
	if w == single {
		VMOVSS(from, v)
	} else {
		VMOVUPS(from, v)
	}
	return v
}

// store writes lanes to memory.
func (w width) store(v reg.VecVirtual, to operand.Mem) {
	if w == single {
		VMOVSS(w.of(v), to)
	} else {
		VMOVUPS(v, to)
	}
}

// binary is an instruction on two vectors: Go's order is (b, a, to) for to = a op b.
type binary func(...operand.Op)

// do returns a op b, in a's register.
func (w width) do(f binary, a, b reg.VecVirtual) reg.VecVirtual {
	f(w.of(b), w.of(a), w.of(a))
	return a
}

// compare returns all ones where a and b compare as the predicate says.
func (w width) compare(predicate uint64, a, b reg.VecVirtual) reg.VecVirtual {
	m := w.vector()
	VCMPPS(operand.U8(predicate), w.of(b), w.of(a), m)
	return m
}

// and, or are bitwise, for to = a op b.
func (w width) and(b operand.Op, a, to reg.VecVirtual) {
	if w == wide {
		VPANDD(b, a, to)
	} else {
		VANDPS(b, w.of(a), w.of(to))
	}
}

func (w width) or(b operand.Op, a, to reg.VecVirtual) {
	if w == wide {
		VPORD(b, a, to)
	} else {
		VORPS(b, w.of(a), w.of(to))
	}
}

// whereLess sets lanes of to to v where a < b.
func (w width) whereLess(a reg.VecVirtual, b operand.Op, v, to reg.VecVirtual) {
	if w == wide {
		k := K()
		VCMPPS(operand.U8(less), b, a, k)
		VMOVUPS(v, k, to)
		return
	}
	m := w.vector()
	VCMPPS(operand.U8(less), b, w.of(a), w.of(m))
	VBLENDVPS(w.of(m), w.of(v), w.of(to), w.of(to))
}

// Predicates of compare.
const (
	less       = 0x01 // a < b
	unordered  = 0x03 // a or b is NaN
	notEqual   = 0x04 // NaN too
	notLess    = 0x05 // !(a < b)
	notAtMost  = 0x06 // !(a <= b)
	ordered    = 0x07
	notAtLeast = 0x09 // !(a >= b)
	atLeast    = 0x0d // a >= b
	greater    = 0x0e // a > b
)

// labels counts the labels of a routine, which must differ.
var labels int

func label(name string) string {
	labels++
	return fmt.Sprintf("%s%d", name, labels)
}

// routine begins a routine whose comment is the Go loop that it runs.
func routine(name, signature, purpose string, loop ...string) {
	routineOn(avx2, name, signature, purpose, loop...)
}

func routineOn(i isa, name, signature, purpose string, loop ...string) {
	labels = 0
	TEXT(name+i.name, NOSPLIT, "func"+signature)
	lines := []string{name + i.name + " " + purpose, ""}
	for _, l := range loop {
		lines = append(lines, "\t"+l)
	}
	Doc(lines...)
	Pragma("noescape")
}

// end finishes a routine.
func end() {
	VZEROUPPER()
	RET()
}

// slice returns the pointer of a slice parameter.
func slice(name string) reg.GPVirtual {
	return Load(Param(name).Base(), GP64()).(reg.GPVirtual)
}

// size returns the length of a slice parameter.
func size(name string) reg.GPVirtual {
	return Load(Param(name).Len(), GP64()).(reg.GPVirtual)
}

// number returns an integer parameter.
func number(name string) reg.GPVirtual {
	return Load(Param(name), GP64()).(reg.GPVirtual)
}

// splat returns a float32 or int32 parameter in all lanes.
func splat(name string) reg.VecVirtual {
	p, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	v := YMM()
	VBROADCASTSS(p.Addr, v)
	return v
}

// constant returns 32 bits in all lanes.
func constant(bits uint32) reg.VecVirtual {
	g, v := GP32(), YMM()
	MOVL(operand.U32(bits), g)
	VMOVD(g, v.AsX())
	VPBROADCASTD(v.AsX(), v)
	return v
}

// number32 returns a float32 in all lanes.
func number32(v float32) reg.VecVirtual { return constant(math.Float32bits(v)) }

// at addresses element i of a slice.
func at(p, i reg.Register) operand.Mem { return operand.Mem{Base: p, Index: i, Scale: 4} }

// each runs body for i from 0 to n-1, eight elements at a time and then one at a time.
func each(n reg.Register, body func(w width, i reg.GPVirtual)) {
	i, most := GP64(), GP64()
	XORQ(i, i)
	MOVQ(n, most)
	ANDQ(operand.I8(-8), most)
	wide, narrow, done := label("wide"), label("narrow"), label("done")
	between := label("between")
	JZ(operand.LabelRef(between))
	Label(wide)
	body(whole, i)
	ADDQ(operand.U8(8), i)
	CMPQ(i, most)
	JLT(operand.LabelRef(wide))
	Label(between)
	CMPQ(i, n)
	JGE(operand.LabelRef(done))
	Label(narrow)
	body(single, i)
	INCQ(i)
	CMPQ(i, n)
	JLT(operand.LabelRef(narrow))
	Label(done)
}

// eachOf is each for given widths, the widest first.
func eachOf(widths []width, n reg.Register, body func(w width, i reg.GPVirtual)) {
	i, end := GP64(), GP64()
	XORQ(i, i)
	for _, w := range widths {
		next, done := label("next"), label("done")
		Label(next)
		LEAQ(operand.Mem{Base: i, Disp: int(w)}, end)
		CMPQ(end, n)
		JGT(operand.LabelRef(done))
		body(w, i)
		MOVQ(end, i)
		JMP(operand.LabelRef(next))
		Label(done)
	}
}

// repeat runs body for i from 0 to period-1, over and over until n elements are done, and moves the pointers on by a
// period each time.
func repeat(n, period reg.GPVirtual, data []reg.GPVirtual, body func(w width, i reg.GPVirtual)) {
	periods(n, period, data, func(run reg.GPVirtual) { each(run, body) })
}

// repeatWhole is repeat where n and period are multiples of the number of lanes.
func repeatWhole(lanes uint8, n, period reg.GPVirtual, data []reg.GPVirtual, body func(i reg.GPVirtual)) {
	periods(n, period, data, func(run reg.GPVirtual) {
		i, next := GP64(), label("wide")
		XORQ(i, i)
		Label(next)
		body(i)
		ADDQ(operand.U8(lanes), i)
		CMPQ(i, run)
		JLT(operand.LabelRef(next))
	})
}

// periods runs body for a period at a time until n elements are done, and moves the pointers on.
func periods(n, period reg.GPVirtual, data []reg.GPVirtual, body func(run reg.GPVirtual)) {
	next, done := label("period"), label("end")
	Label(next)
	TESTQ(n, n)
	JLE(operand.LabelRef(done))
	run := GP64()
	MOVQ(period, run)
	CMPQ(n, period)
	CMOVQLT(n, run)
	body(run)
	for _, p := range data {
		LEAQ(operand.Mem{Base: p, Index: run, Scale: 4}, p)
	}
	SUBQ(period, n)
	JMP(operand.LabelRef(next))
	Label(done)
}

// columns runs body over the rows of matrices of cols columns, for the given numbers of vectors of columns at a time, and
// at last for some columns of a vector. begin loads the sums and operands of the vectors of a block, body adds one row of one of its
// vectors, and finish stores the sums.
func columns(counts []int, cols, rows reg.GPVirtual, data []reg.GPVirtual, begin func(c reg.GPVirtual, vectors int, mask reg.VecVirtual), body func(v int, row []reg.VecVirtual), finish func(c reg.GPVirtual, mask reg.VecVirtual)) {
	c, left := GP64(), GP64()
	XORQ(c, c)
	MOVQ(cols, left)
	done := label("done")
	block := func(vectors int, mask reg.VecVirtual) {
		begin(c, vectors, mask)
		at := make([]reg.GPVirtual, len(data))
		for i, p := range data {
			at[i] = GP64()
			LEAQ(operand.Mem{Base: p, Index: c, Scale: 4}, at[i])
		}
		r := GP64()
		MOVQ(rows, r)
		next := label("row")
		Label(next)
		for v := range vectors {
			row := make([]reg.VecVirtual, len(data))
			for i, p := range at {
				row[i] = YMM()
				from := operand.Mem{Base: p, Disp: 32 * v}
				if mask == nil {
					VMOVUPS(from, row[i])
				} else {
					VMASKMOVPS(from, mask, row[i])
				}
			}
			body(v, row)
		}
		for _, p := range at {
			LEAQ(operand.Mem{Base: p, Index: cols, Scale: 4}, p)
		}
		DECQ(r)
		JNE(operand.LabelRef(next))
		finish(c, mask)
	}
	for _, vectors := range counts {
		again, fewer := label("block"), label("fewer")
		Label(again)
		CMPQ(left, operand.U8(8*vectors))
		JLT(operand.LabelRef(fewer))
		block(vectors, nil)
		ADDQ(operand.U8(8*vectors), c)
		SUBQ(operand.U8(8*vectors), left)
		JMP(operand.LabelRef(again))
		Label(fewer)
	}
	TESTQ(left, left)
	JE(operand.LabelRef(done))
	block(1, firstLanes(left))
	Label(done)
}

// loadColumns loads vector v of the columns from c on.
func loadColumns(p, c reg.GPVirtual, v int, mask reg.VecVirtual) reg.VecVirtual {
	from, to := operand.Mem{Base: p, Index: c, Scale: 4, Disp: 32 * v}, YMM()
	if mask == nil {
		VMOVUPS(from, to)
	} else {
		VMASKMOVPS(from, mask, to)
	}
	return to
}

// storeColumns is the reverse.
func storeColumns(a reg.VecVirtual, p, c reg.GPVirtual, v int, mask reg.VecVirtual) {
	to := operand.Mem{Base: p, Index: c, Scale: 4, Disp: 32 * v}
	if mask == nil {
		VMOVUPS(a, to)
	} else {
		VMASKMOVPS(a, mask, to)
	}
}

// tails holds eight words of ones and eight of zeros: from 8-n words on, the mask of the first n lanes.
var tails operand.Mem

func data() {
	tails = GLOBL("tails", attr.RODATA|attr.NOPTR)
	for i := range 16 {
		DATA(4*i, operand.U32(0xffffffff*uint64(1-i/8)))
	}
	counting = GLOBL("counting", attr.RODATA|attr.NOPTR)
	for i := range 8 {
		DATA(4*i, operand.U32(i))
	}
	eightBits = GLOBL("eightBits", attr.RODATA|attr.NOPTR)
	for i := range 8 {
		DATA(4*i, operand.U32(1<<i))
	}
}

// passing expands bits of a mask, as that of fakeQuantize.
type passing struct{ bits reg.VecVirtual }

func loadPassing() passing {
	p, bits := GP64(), YMM()
	LEAQ(eightBits, p)
	VMOVUPS(operand.Mem{Base: p}, bits)
	return passing{bits}
}

// lanes returns all ones in the lanes whose bit is set in the byte at from.
func (p passing) lanes(from operand.Mem) reg.VecVirtual {
	m := YMM()
	VPBROADCASTB(from, m)
	VPAND(p.bits, m, m)
	VPCMPEQD(p.bits, m, m)
	return m
}

// counting numbers the lanes; eightBits has bit i in lane i.
var counting, eightBits operand.Mem

// firstLanes returns the mask of the first n lanes.
func firstLanes(n reg.GPVirtual) reg.VecVirtual {
	p, back := GP64(), GP64()
	LEAQ(tails, p)
	MOVQ(n, back)
	NEGQ(back)
	m := YMM()
	VMOVUPS(operand.Mem{Base: p, Index: back, Scale: 4, Disp: 32}, m)
	return m
}
