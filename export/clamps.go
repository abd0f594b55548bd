package export

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
)

// dropIdleClamps takes the fused activation off transposed convolutions whose
// output codes it cannot change, as where a ReLU's range begins at 0:
//
//	[Q(lo), Q(hi)] = [-128, 127]
//
// The codes stay the same; the operator then needs version 3, not 4, and runs
// alike on releases of TensorFlow Lite Micro that ignore this activation in
// integer kernels: those before 2026.
var dropIdleClamps = graph.Pass{Name: "drop idle clamps", Run: func(g *graph.Graph) error {
	grid := quant.Signed(8, false)
	for _, n := range g.Nodes {
		if op, ok := n.Op.(graph.TransposeConv); ok && !kept(g, n) && op.Activate.Range(*n.Output.Quant, grid) == grid {
			n.Op = op.Fuse(quant.NoActivation)
		}
	}
	return nil
}}
