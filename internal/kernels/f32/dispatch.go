package f32

// dispatch is one implementation of the routines below the kernels.
type dispatch struct {
	name   string
	fused  bool // products are added with one rounding
	gemm   func(m, n, k int, c []float32, ldc int, a matrix, b []float32, ldb int, add bool)
	packed []packedWidth // of [Packed], the narrowest first
	vectors

	peak    func(n int) // for benchmarks: n times as many operations as peakOps counts
	peakOps float64
}

// levels are the implementations that this machine can run, the fastest first; level is the one in use.
var (
	levels = detected()
	level  = levels[0]
)

// Fused says whether matrix products add with one rounding (a fused multiply-add), as every vector level does, or round
// the product first, as plain Go does. Levels that agree in it give the same bits.
func Fused() bool { return level.fused }

// Level names the implementation in use: "AVX512", "AVX2" or "portable".
func Level() string { return level.name }
