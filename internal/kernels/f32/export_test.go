package f32

// EachLevel calls f with every implementation that this machine can run in use.
func EachLevel(f func()) {
	defer func(l *dispatch) { level = l }(level)
	for _, level = range levels {
		f()
	}
}

// Peak does multiply-adds as fast as the processor can with the registers of the level in use, and returns how many
// operations those are; 0 where none is known.
func Peak() float64 {
	if level.peak == nil {
		return 0
	}
	const n = 1 << 16
	level.peak(n)
	return n * level.peakOps
}

// Groups is the number of groups of images whose sums a layer adds up.
func (l *Layer) Groups() int { return l.groups }
