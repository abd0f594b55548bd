package f32_test

import "github.com/goqat/goqat/internal/kernels/f32"

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
