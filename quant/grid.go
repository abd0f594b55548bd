package quant

// Grid is the inclusive interval of integer codes that a quantizer may use, and
// how a value halfway between two of them is rounded.
type Grid struct {
	Min, Max int32
	Ties     Ties
}

// Ties says which way a value halfway between two codes is rounded.
type Ties uint8

const (
	// FromZeroPoint rounds ties away from the zero point, as QUANTIZE and
	// requantization do: half_away(x/scale) + zero point.
	FromZeroPoint Ties = iota
	// FromCodeZero rounds ties away from code 0, as integer means of codes do:
	// half_away(x/scale + zero point). The mean of n codes is a multiple of 1/n,
	// known in float32 up to rounding error, so quotients within 2^-10 of a tie
	// count as ties: right for means of up to 512 codes.
	FromCodeZero
)

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
