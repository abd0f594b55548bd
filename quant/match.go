package quant

// Match reports whether a name is that of a pattern, in which * stands for any
// number of any characters and ? for one. Names of tensors hold slashes and
// brackets, which mean nothing here.
func Match(pattern, name string) bool {
	// The last * may stand for more: back is where it stands, and rest what it
	// would leave of the name.
	back, rest := -1, 0
	p, n := 0, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			back, rest = p, n
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == name[n]):
			p, n = p+1, n+1
		case back >= 0:
			rest++
			p, n = back+1, rest
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
