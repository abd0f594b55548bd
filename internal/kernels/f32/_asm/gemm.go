package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// tile makes the routine that multiplies mr rows of a by a panel of b.
func tile(i isa, mr, vectors int) {
	TEXT(fmt.Sprintf("gemm%s_%dx%d", i.name, mr, vectors*i.lanes), NOSPLIT,
		"func(tiles, next, k, segments, jump int, a *float32, ars, aks int, b *float32, bks int, c *float32, crs int, mask *uint32, add int)")
	Doc(fmt.Sprintf("gemm%s_%dx%d adds products to %d rows of c at a time, in float32 with one rounding each:", i.name, mr, vectors*i.lanes, mr),
		"",
		"\tfor range tiles {",
		"\t\tfor range segments {",
		"\t\t\tfor range k {",
		fmt.Sprintf("\t\t\t\tfor r := range %d { for j where mask: c[r][j] = fma(a[r], b[j], c[r][j]) }", mr),
		"\t\t\t\ta += aks; b += bks",
		"\t\t\t}",
		"\t\t\ta += jump",
		"\t\t}",
		fmt.Sprintf("\t\ta += next; c += %d*crs; b is as at first", mr),
		"\t}",
		"",
		"c starts at 0 unless add is 1. Strides are bytes; rows of a are ars apart, rows of c crs.")
	Pragma("noescape")
	a := rowsOf(Load(Param("a"), GP64()).(reg.GPVirtual), Load(Param("ars"), GP64()).(reg.GPVirtual), mr)
	aks, bks := number("aks"), number("bks")
	c, crs := number("c"), number("crs")
	masks := i.loadMasks(vectors)
	acc := make([][]reg.VecVirtual, mr)
	for r := range acc {
		for range vectors {
			acc[r] = append(acc[r], i.vector())
		}
	}
	Label("tile")
	for r := range acc {
		for _, v := range acc[r] {
			i.zero(v)
		}
	}
	{
		add := number("add")
		TESTQ(add, add)
		JE(operand.LabelRef("start"))
		from := GP64()
		MOVQ(c, from)
		for r := range mr {
			for v := range vectors {
				i.load(from, v, masks, acc[r][v])
			}
			if r+1 < mr {
				ADDQ(crs, from)
			}
		}
	}
	Label("start")
	segments, b := number("segments"), number("b")
	row := make([]reg.VecVirtual, vectors)
	for v := range row {
		row[v] = i.vector()
	}
	Label("segment")
	k := number("k")
	Label("step")
	for v := range row {
		i.load(b, v, masks, row[v])
	}
	ADDQ(bks, b)
	x := i.vector()
	for r := range mr {
		VBROADCASTSS(a.at(r), x)
		for v := range row {
			VFMADD231PS(row[v], x, acc[r][v])
		}
	}
	a.advance(aks)
	DECQ(k)
	JNE(operand.LabelRef("step"))
	a.advance(number("jump"))
	DECQ(segments)
	JNE(operand.LabelRef("segment"))
	for r := range mr {
		for v := range vectors {
			i.store(acc[r][v], masks, c, v)
		}
		ADDQ(crs, c)
	}
	a.advance(number("next"))
	left, err := Param("tiles").Resolve()
	if err != nil {
		panic(err)
	}
	DECQ(left.Addr)
	JNE(operand.LabelRef("tile"))
	VZEROUPPER()
	RET()
}

// rows addresses rows that are one stride apart: one pointer serves three.
type rows struct {
	base   []reg.GPVirtual
	stride reg.GPVirtual
}

func rowsOf(first, stride reg.GPVirtual, n int) rows {
	r := rows{base: []reg.GPVirtual{first}, stride: stride}
	for len(r.base)*3 < n {
		last := r.base[len(r.base)-1]
		next := GP64()
		LEAQ(operand.Mem{Base: last, Index: stride, Scale: 2}, next)
		ADDQ(stride, next)
		r.base = append(r.base, next)
	}
	return r
}

func (r rows) at(i int) operand.Mem {
	m := operand.Mem{Base: r.base[i/3]}
	if i%3 > 0 {
		m.Index, m.Scale = r.stride, uint8(i%3)
	}
	return m
}

func (r rows) advance(by reg.Register) {
	for _, p := range r.base {
		ADDQ(by, p)
	}
}
