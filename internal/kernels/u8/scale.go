package u8

// Scale is what bytes are read as: quotients by a number, rounded to float32.
type Scale struct {
	value [256]float32
	// high + low is the inverse of the divisor. vectors says that b*high + b*low, with one rounding at the end, is value[b]
	// for every b.
	high, low float32
	vectors   bool
}

// NewScale returns the scale of a divisor that is positive and finite.
func NewScale(divisor float32) *Scale {
	s := new(Scale)
	var all [256]uint8
	for i := range s.value {
		all[i], s.value[i] = uint8(i), float32(i)/divisor
	}
	inverse := 1 / float64(divisor)
	s.high = float32(inverse)
	s.low = float32(inverse - float64(s.high))
	var got [256]float32
	s.vectors = convert(got[:], all[:], s.high, s.low) == len(all) && got == s.value
	return s
}

// Value returns what b is read as.
func (s *Scale) Value(b uint8) float32 { return s.value[b] }

// Convert writes what the bytes are read as; dst is as long.
func (s *Scale) Convert(dst []float32, src []uint8) {
	dst = dst[:len(src)]
	if s.vectors {
		n := convert(dst, src, s.high, s.low)
		dst, src = dst[n:], src[n:]
	}
	for i, b := range src {
		dst[i] = s.value[b]
	}
}

// Prefetch asks for the memory of x and does not wait for it.
func Prefetch(x []uint8) { prefetch(x) }
