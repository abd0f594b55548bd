package f32

// EachLevel calls f with every implementation that this machine can run in use.
func EachLevel(f func()) {
	defer func(l *dispatch) { level = l }(level)
	for _, level = range levels {
		f()
	}
}
