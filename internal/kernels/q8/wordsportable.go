package q8

// portableWords is an operator on codes of 16 bits in plain Go. A code is 256 times
// its high byte, plus its low one, and so are the sums of products: both are those
// of a [matrix] for codes of 8 bits.
type portableWords struct {
	*Words
	matrix    *matrix // nil: depthwise
	depthwise depthwise
}

func newPortableWords(v *Words) *portableWords {
	s := &v.spec
	if s.Multiplier == 0 {
		return &portableWords{Words: v, matrix: newMatrix(s.Weight, s.Outputs, s.Window.depth())}
	}
	return &portableWords{Words: v, depthwise: depthwise{window: s.Window, multiplier: s.Multiplier, outputs: s.Outputs, weights: s.Weight}}
}

func (p *portableWords) load([]int16) *[]byte { return nil }
func (p *portableWords) free(*[]byte)         {}

func (p *portableWords) compute(dst []int16, _ *[]byte, image []int16, lo, hi int) {
	outputs := p.spec.Outputs
	if p.matrix == nil {
		image := repeated(image, p.spec.Multiplier)
		acc := make([]int32, outputs)
		for ; lo < hi; lo++ {
			depthwiseSums(&p.depthwise, acc, image, lo, 0)
			for o, sum := range acc {
				dst[lo*outputs+o] = p.code(int64(sum), o)
			}
		}
		return
	}
	const pixels = blockItems / 2
	depth := p.matrix.depth
	words, bytes, acc := make([]int16, depth), make([]int8, blockItems*depth), make([]int32, blockItems*outputs)
	for ; lo < hi; lo += pixels {
		n := min(pixels, hi-lo)
		for r := range n {
			gather(&p.spec.Window, words, image, lo+r, 0)
			high, low := bytes[2*r*depth:][:depth], bytes[(2*r+1)*depth:][:depth]
			for i, q := range words {
				high[i], low[i] = int8(q>>8), int8(q^0x80) // less 128
			}
		}
		p.matrix.multiply(acc, bytes, 2*n)
		for r := range n {
			high, low := acc[2*r*outputs:][:outputs], acc[(2*r+1)*outputs:][:outputs]
			for o, sum := range p.matrix.sums {
				dst[(lo+r)*outputs+o] = p.code(256*int64(high[o])+int64(low[o])+128*int64(sum), o)
			}
		}
	}
}
