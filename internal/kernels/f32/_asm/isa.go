package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// isa is an instruction set with its vector width.
type isa struct {
	name  string
	lanes int // float32 in a vector
}

var (
	avx2   = isa{"AVX2", 8}
	avx512 = isa{"AVX512", 16}
)

// vector returns a fresh register.
func (i isa) vector() reg.VecVirtual {
	if i.lanes == 16 {
		return ZMM()
	}
	return YMM()
}

func (i isa) zero(v reg.VecVirtual) {
	if i.lanes == 16 {
		VPXORD(v, v, v)
		return
	}
	VXORPS(v, v, v)
}

// masks say which lanes of the vectors of a row exist; the AVX2 routines of
// several vectors take whole ones only and have none.
type masks []reg.Register

// loadMasks loads the parameter mask: for AVX2 eight words that are all ones or
// zero, for AVX-512 a word with a bit for each lane.
func (i isa) loadMasks(vectors int) masks {
	if i.lanes == 8 {
		if vectors > 1 {
			return nil
		}
		p := Load(Param("mask"), GP64())
		m := YMM()
		VMOVUPS(operand.Mem{Base: p}, m)
		return masks{m}
	}
	p := Load(Param("mask"), GP64())
	word := GP32()
	MOVL(operand.Mem{Base: p}, word)
	var m masks
	for v := range vectors {
		k := K()
		if v > 0 {
			SHRL(operand.U8(16), word)
		}
		KMOVW(word, k)
		m = append(m, k)
	}
	return m
}

func (i isa) load(p reg.Register, v int, m masks, to reg.VecVirtual) {
	from := operand.Mem{Base: p, Disp: v * i.lanes * 4}
	switch {
	case i.lanes == 16:
		VMOVUPS_Z(from, m[v], to)
	case m != nil:
		VMASKMOVPS(from, m[v], to)
	default:
		VMOVUPS(from, to)
	}
}

func (i isa) store(v reg.VecVirtual, m masks, p reg.Register, n int) {
	to := operand.Mem{Base: p, Disp: n * i.lanes * 4}
	switch {
	case i.lanes == 16:
		VMOVUPS(v, m[n], to)
	case m != nil:
		VMASKMOVPS(v, m[n], to)
	default:
		VMOVUPS(v, to)
	}
}
