package q16

import (
	"errors"
	"fmt"
	"sync"

	"github.com/goqat/goqat/internal/kernels/axes"
	"github.com/goqat/goqat/internal/kernels/q8"
	"github.com/goqat/goqat/internal/parallel"
	"github.com/goqat/goqat/quant"
)

// Arithmetic is a prepared ADD, SUB or MUL operator. It is read-only.
type Arithmetic struct {
	left, right, result quant.Multiplier
	product             bool
	sign                int32 // of the second input of a sum
	clamp               quant.Grid
	reference           bool                // run the formula
	words               *q8.WordsArithmetic // nil: plain Go
}

// sumBits is the number of bits by which ADD and SUB raise the precision of
// their inputs.
const sumBits = 15

// NewAdd prepares y = act(a + b) in fixed point:
//
//	r_i = multiply(q_i << 15, s_i/(2*max(s_a, s_b)))
//	y = clamp(multiply(r_a + r_b, 2*max(s_a, s_b)/(2^15*s_y)))
//
// The same in every profile.
//
// Errors: parameters that cannot be; a last factor that is not below 1, which
// LiteRT refuses.
//
// Source: LiteRT, tflite/kernels/add.cc, tflite/kernels/internal/reference/add.h.
func NewAdd(s q8.ArithmeticSpec) (*Arithmetic, error) { return newSum(s, "add", 1, q8.LiteRT) }

// NewSub prepares y = act(a - b), as [NewAdd] with r_a - r_b. [q8.TFLM] divides
// the scales in float32.
//
// Source: LiteRT, tflite/kernels/sub.cc; tflite-micro,
// tensorflow/lite/micro/kernels/sub_common.cc.
func NewSub(s q8.ArithmeticSpec) (*Arithmetic, error) {
	return newSum(s, "sub", -1, s.Profile)
}

func newSum(s q8.ArithmeticSpec, name string, sign int32, profile q8.Profile) (*Arithmetic, error) {
	if err := checkArithmetic(s, name); err != nil {
		return nil, err
	}
	a, b, y := s.A.Scale[0], s.B.Scale[0], s.Output.Scale[0]
	twice := 2 * max(a, b) // exact
	ratio := func(over, under float32) quant.Multiplier {
		if profile == q8.TFLM {
			return quant.QuantizeMultiplier(float64(over / under))
		}
		return quant.QuantizeMultiplier(float64(over) / float64(under))
	}
	o := &Arithmetic{
		left: ratio(a, twice), right: ratio(b, twice), result: ratio(twice, (1<<sumBits)*y), sign: sign,
		clamp: s.Activation.Range(s.Output, Grid), reference: s.Kernel == q8.Reference,
	}
	if o.result.Exponent > 0 {
		return nil, fmt.Errorf("q16: %s: input scales %v and %v need an output scale above %v, not %v", name, a, b, twice/(1<<sumBits), y)
	}
	if s.Kernel == q8.Fast {
		o.words = q8.NewWordsSum(o.left, o.right, o.result, sign < 0, o.clamp)
	}
	return o, nil
}

// NewMul prepares y = act(a * b) in fixed point:
//
//	y = clamp(multiply(q_a*q_b, s_a*s_b/s_y))
//
// The factor is computed in float32, in [q8.TFLM] in float64.
//
// Errors: parameters that cannot be; a factor of 1 or more, which shifts products
// out of int32.
//
// Source: LiteRT, tflite/kernels/mul.cc, tflite/kernels/internal/reference/mul.h;
// tflite-micro, tensorflow/lite/micro/kernels/mul_common.cc.
func NewMul(s q8.ArithmeticSpec) (*Arithmetic, error) {
	if err := checkArithmetic(s, "mul"); err != nil {
		return nil, err
	}
	a, b, y := s.A.Scale[0], s.B.Scale[0], s.Output.Scale[0]
	factor := float64(float32(float32(a*b) / y))
	if s.Profile == q8.TFLM {
		factor = float64(a) * float64(b) / float64(y)
	}
	o := &Arithmetic{result: quant.QuantizeMultiplier(factor), product: true, clamp: s.Activation.Range(s.Output, Grid), reference: s.Kernel == q8.Reference}
	if o.result.Exponent > 0 {
		return nil, fmt.Errorf("q16: mul: scales %v*%v/%v make a factor of %v, not below 1", a, b, y, factor)
	}
	if s.Kernel == q8.Fast {
		o.words = q8.NewWordsProduct(o.result, o.clamp)
	}
	return o, nil
}

func checkArithmetic(s q8.ArithmeticSpec, name string) error {
	err := errors.Join(checkTensor("first input", s.A), checkTensor("second input", s.B), checkTensor("output", s.Output), s.Activation.Check())
	if err != nil {
		return fmt.Errorf("q16: %s: %w", name, err)
	}
	return nil
}

// Run computes dst from the elements of a and b that p pairs.
func (o *Arithmetic) Run(p axes.Pair, dst, a, b []int16) {
	if o.reference {
		each(p.Len(), 1, func(lo, hi int) { o.formula(p, dst, a, b, lo, hi) })
		return
	}
	parallel.Each(p.Len(), parallel.Parts(p.Len(), worthwhile, parallel.MaxParts), pairs{o, p, dst, a, b}, pairs.run)
}

// pairs are elements that meet.
type pairs struct {
	*Arithmetic
	pair      axes.Pair
	dst, a, b []int16
}

// run computes elements [lo, hi).
func (p pairs) run(lo, hi int) {
	stepA, stepB := p.pair.Steps()
	if stepA+stepB == 2 {
		p.pair.Runs(lo, hi, func(at, i, j, n int) { p.equal(p.dst[at:at+n], p.a[i:i+n], p.b[j:j+n]) })
		return
	}
	c := scratches.Get().(*copies)
	p.pair.Runs(lo, hi, func(at, i, j, n int) {
		for n > 0 {
			many := min(n, len(c.a))
			p.equal(p.dst[at:at+many], repeated(c.a[:many], p.a[i:], stepA), repeated(c.b[:many], p.b[j:], stepB))
			at, i, j, n = at+many, i+many*stepA, j+many*stepB, n-many
		}
	})
	scratches.Put(c)
}

// copies are those of an element that meets several.
type copies struct{ a, b [256]int16 }

var scratches = sync.Pool{New: func() any { return new(copies) }}

// repeated returns as many elements of src, or the first one as often, in scratch.
func repeated(scratch, src []int16, step int) []int16 {
	if step > 0 {
		return src[:len(scratch)]
	}
	for i := range scratch {
		scratch[i] = src[0]
	}
	return scratch
}

// equal computes elements one by one.
func (o *Arithmetic) equal(dst, a, b []int16) {
	if o.words != nil {
		done := o.words.Run(dst, a, b)
		dst, a, b = dst[done:], a[done:], b[done:]
	}
	b = b[:len(dst)]
	low, high, last := int64(o.clamp.Min), int64(o.clamp.Max), factorOf(o.result)
	if o.product {
		for i, q := range a[:len(dst)] {
			dst[i] = int16(min(max(last.times(int64(q)*int64(b[i])), low), high))
		}
		return
	}
	left, right := factorOf(o.left), factorOf(o.right)
	sign := int64(o.sign)
	for i, q := range a[:len(dst)] {
		x := left.times(int64(q)<<sumBits) + sign*right.times(int64(b[i])<<sumBits)
		dst[i] = int16(min(max(last.times(x), low), high))
	}
}

// A factor is a [quant.Multiplier] without left shift, of numbers up to 2^30.
type factor struct {
	mantissa, unit int64
	shift          uint
}

func factorOf(m quant.Multiplier) factor {
	n := -m.Exponent
	return factor{int64(m.Mantissa), 1 << n, uint(n + 1)}
}

// times is [quant.Multiplier.Apply].
func (f *factor) times(x int64) int64 {
	high := (x*f.mantissa + 1<<30) >> 31
	return (2*high + f.unit + high>>63) >> (f.shift & 63)
}

// formula computes elements [lo, hi).
func (o *Arithmetic) formula(p axes.Pair, dst, a, b []int16, lo, hi int) {
	for i := lo; i < hi; i++ {
		ia, ib := p.At(i)
		dst[i] = o.code(a[ia], b[ib])
	}
}

// code returns that of two elements.
func (o *Arithmetic) code(a, b int16) int16 {
	x, y := int32(a), int32(b)
	if o.product {
		x *= y
	} else {
		x = o.left.Apply(x<<sumBits) + o.sign*o.right.Apply(y<<sumBits)
	}
	return int16(o.clamp.Clamp(o.result.Apply(x)))
}
