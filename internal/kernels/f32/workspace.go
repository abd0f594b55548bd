package f32

// Workspace is scratch memory that a caller keeps between calls so that kernels allocate nothing in steady state. The
// zero value is ready; it grows to the largest demand. It serves one call at a time: callers in different goroutines
// need one each.
type Workspace struct {
	buf  []float32
	wide [5][]float32
}

// floats returns n elements of unspecified content, valid until the next call.
func (w *Workspace) floats(n int) []float32 {
	if cap(w.buf) < n {
		w.buf = make([]float32, n)
	}
	return w.buf[:n]
}

// repeated returns the parameters p of the columns of a matrix of so many rows, repeated as often as makes whole vectors,
// so that no vector of the matrix stays part empty. A slot serves one slice at a time; nil stays nil.
func (w *Workspace) repeated(slot, rows int, p []float32) []float32 {
	const vector, enough = 8, 64
	n := len(p)
	if n == 0 || n%vector == 0 && n >= enough {
		return p
	}
	times := vector
	for times > 1 && times/2*n%vector == 0 {
		times /= 2
	}
	times *= (enough + times*n - 1) / (times * n)
	if rows < times {
		return p
	}
	wide := w.wide[slot][:0]
	for range times {
		wide = append(wide, p...)
	}
	w.wide[slot] = wide
	return wide
}
