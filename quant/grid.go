package quant

// Grid is the inclusive interval of integer codes that a quantizer may use.
type Grid struct{ Min, Max int32 }

// Signed returns the two's-complement grid of the given width:
// [-2^(bits-1), 2^(bits-1)-1], or [-(2^(bits-1)-1), 2^(bits-1)-1] when narrow.
// Narrow grids are symmetric about zero; TensorFlow Lite uses them for weights.
func Signed(bits int, narrow bool) Grid {
	g := Grid{Min: -1 << (bits - 1), Max: 1<<(bits-1) - 1}
	if narrow {
		g.Min++
	}
	return g
}

// Contains reports whether code lies in the grid.
func (g Grid) Contains(code int32) bool { return g.Min <= code && code <= g.Max }

// Clamp saturates code to the grid.
func (g Grid) Clamp(code int32) int32 { return min(max(code, g.Min), g.Max) }
