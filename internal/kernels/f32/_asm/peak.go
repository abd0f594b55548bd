package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// peak makes a routine for benchmarks: as many independent chains of multiply-adds as hide their latency.
func peak(i isa, chains int) {
	TEXT("peak"+i.name, NOSPLIT, "func(n int)")
	Doc(fmt.Sprintf("peak%s does n times %d multiply-adds of %d lanes, as fast as the processor can.", i.name, chains, i.lanes))
	n, a, b := Load(Param("n"), GP64()), i.vector(), i.vector()
	i.zero(a)
	i.zero(b)
	acc := make([]reg.VecVirtual, chains)
	for j := range acc {
		acc[j] = i.vector()
		i.zero(acc[j])
	}
	Label("again")
	for _, v := range acc {
		VFMADD231PS(a, b, v)
	}
	DECQ(n)
	JNE(operand.LabelRef("again"))
	VZEROUPPER()
	RET()
}
