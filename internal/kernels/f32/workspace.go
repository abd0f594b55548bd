package f32

// Workspace is scratch memory that a caller keeps between calls so that kernels allocate nothing in steady state. The
// zero value is ready; it grows to the largest demand. It serves one call at a time: callers in different goroutines
// need one each.
type Workspace struct {
	buf []float32
}

// floats returns n elements of unspecified content, valid until the next call.
func (w *Workspace) floats(n int) []float32 {
	if cap(w.buf) < n {
		w.buf = make([]float32, n)
	}
	return w.buf[:n]
}
