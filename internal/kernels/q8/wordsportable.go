package q8

import "math"

// portableWords is an operator on codes of 16 bits in plain Go.
type portableWords struct {
	*Words
	packed    packed // of depth 0: depthwise
	depthwise depthwise
	scales    []wordScale // nil: halves go away from zero
}

// A wordScale is the bias of a channel and its factor, m/2^shift.
type wordScale struct {
	bias, m, half int64
	shift         uint
}

func newPortableWords(v *Words) *portableWords {
	s := &v.spec
	p := &portableWords{Words: v}
	if s.Multiplier == 0 {
		p.packed = packWeights(s.Weight, s.Outputs, s.Window.depth(), 16)
	} else {
		p.depthwise = depthwise{window: s.Window, multiplier: s.Multiplier, outputs: s.Outputs, weights: s.Weight}
	}
	for o := 0; o < s.Outputs && !s.HalfAway; o++ {
		fraction, exponent := math.Frexp(s.Factor[o])
		shift := uint(wordFactorBits - exponent)
		p.scales = append(p.scales, wordScale{s.Bias[o], int64(math.Ldexp(fraction, wordFactorBits)), 1 << shift >> 1, shift})
	}
	return p
}

// wordFactorBits is how many bits factors have whose products are rounded up.
const wordFactorBits = 15

func (p *portableWords) load([]int16) *[]byte { return nil }
func (p *portableWords) free(*[]byte)         {}

func (p *portableWords) compute(dst []int16, _ *[]byte, image []int16, lo, hi int) {
	outputs := p.spec.Outputs
	if p.packed.depth == 0 {
		image := repeated(image, p.spec.Multiplier)
		acc, sums := make([]int32, outputs), make([]int64, outputs)
		for ; lo < hi; lo++ {
			depthwiseSums(&p.depthwise, acc, image, lo, 0)
			for o, sum := range acc {
				sums[o] = int64(sum)
			}
			p.codes(dst[lo*outputs:][:outputs], sums)
		}
		return
	}
	depth := p.packed.depth
	block := min(blockItems, hi-lo)
	words, acc := make([]int16, block*depth), make([]int64, block*outputs)
	for ; lo < hi; lo += block {
		n := min(block, hi-lo)
		for r := range n {
			gather(&p.spec.Window, words[r*depth:][:depth], image, lo+r, 0)
		}
		multiplyPacked(&p.packed, acc, words, n)
		for r := range n {
			p.codes(dst[(lo+r)*outputs:][:outputs], acc[r*outputs:])
		}
	}
}

// codes writes the codes of sums without biases.
func (p *portableWords) codes(dst []int16, sums []int64) {
	clamp := p.spec.Clamp
	low, high := int64(clamp.Min), int64(clamp.Max)
	sums = sums[:len(dst)]
	if p.scales == nil {
		half := math.Nextafter(.5, 0)
		for o, sum := range sums {
			x := (float64(sum) + p.biases[o]) * p.factors[o]
			dst[o] = int16(min(max(int64(x+math.Copysign(half, x)), low), high))
		}
		return
	}
	scales := p.scales[:len(dst)]
	for o, sum := range sums {
		s := &scales[o]
		code := ((sum+s.bias)*s.m + s.half) >> (s.shift & 63)
		dst[o] = int16(min(max(code, low), high))
	}
}
