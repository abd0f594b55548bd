package f32_test

import (
	"math/rand/v2"
	"testing"

	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/quant"
)

// checkPacked compares a kernel with packed weights; it is not fresh the second time, and writes nothing beyond y.
func checkPacked(t tester, ws *f32.Workspace, p interface {
	Run(ws *f32.Workspace, batch int, y, x []float32)
}, batch int, x, want []float32) {
	t.Helper()
	for range 2 {
		got := dirty(len(want) + 64)
		p.Run(ws, batch, got[:len(want)], x)
		equal(t, "y of packed weights", got[:len(want)], want)
		equal(t, "what is behind y", got[len(want):], dirty(64))
	}
}

// TestPackedParts has images and batches that are divided, and numbers of channels of which vectors hold more.
func TestPackedParts(t *testing.T) {
	var ws f32.Workspace
	r := rand.New(rand.NewPCG(1, 2))
	for _, outC := range []int{1, 3, 6, 10, 21, 45} {
		for _, batch := range []int{1, 3} {
			g := f32.Conv{Window: same(40, 33, 3, one), Batch: batch, InC: 1 + 100/outC, OutC: outC}
			x, w, bias := random(r, g.InputLen()), random(r, g.WeightsLen()), random(r, outC)
			want := dirty(g.OutputLen())
			f32.Conv2D(&ws, g, want, x, w, bias, quant.Relu)
			checkPacked(t, &ws, f32.NewConv2D(g, w, bias, quant.Relu), batch, x, want)
		}
		const in, rows = 130, 350
		x, w, want := random(r, rows*in), random(r, outC*in), dirty(rows*outC)
		f32.FullyConnected(&ws, rows, in, outC, want, x, w, nil, quant.NoActivation)
		checkPacked(t, &ws, f32.NewFullyConnected(in, outC, w, nil, quant.NoActivation), rows, x, want)
		d := f32.Depthwise{Window: same(60, 50, 3, one), Batch: 2, Channels: 15 + outC, Multiplier: 1}
		x, w, want = random(r, d.InputLen()), random(r, d.WeightsLen()), dirty(d.OutputLen())
		f32.DepthwiseConv2D(&ws, d, want, x, w, nil, quant.Relu6)
		checkPacked(t, &ws, f32.NewDepthwiseConv2D(d, w, nil, quant.Relu6), 2, x, want)
	}
}
