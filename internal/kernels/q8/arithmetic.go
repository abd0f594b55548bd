package q8

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/goqat/goqat/internal/kernels/axes"
	"github.com/goqat/goqat/internal/parallel"
	"github.com/goqat/goqat/quant"
)

// ArithmeticSpec describes an int8 ADD, SUB or MUL operator.
type ArithmeticSpec struct {
	A, B, Output quant.Params // per tensor
	Activation   quant.Activation
	Profile      Profile
	Kernel       Kernel
}

// Arithmetic is a prepared int8 operator on two tensors. It is read-only.
type Arithmetic struct {
	// left and right are what the codes of each input contribute: see combine.
	left, right operand
	product     bool // of the contributions; otherwise their sum
	multiplier  quant.Multiplier
	single      float32 // instead of multiplier, in XNNPACK, of a product
	shift       int     // instead of multiplier, in XNNPACK, of a sum
	zero        int32
	clamp       quant.Grid
	kernel      Kernel
	vector      func(dst, a, b *byte, n int, constants *int32) // nil: there is none
	swapped     bool                                           // vector takes b first
	lanes       int
	constants   []int32 // of the inputs as vector takes them and of the result, and the limits
}

// operand turns codes into int32 contributions.
type operand struct {
	zero       int32
	shift      int              // bits of precision added; 0 for MUL
	multiplier quant.Multiplier // applied after the shift, if there is one
	factor     int32            // instead of both, in XNNPACK
	negative   bool
	values     [256]int32 // contribution by code: what of computes
}

// of returns the contribution of a code.
func (o *operand) of(code int8) int32 {
	v := (int32(code) - o.zero) << o.shift
	if o.factor != 0 {
		v *= o.factor
	} else if o.shift > 0 {
		v = o.multiplier.Apply(v)
	}
	if o.negative {
		v = -v
	}
	return v
}

// sumBits is the number of bits by which ADD and SUB raise the precision of
// their inputs.
const sumBits = 20

// NewAdd prepares y = act(a + b) in fixed point:
//
//	r_i = multiply((q_i - z_i) << 20, s_i/(2*max(s_a, s_b)))
//	y = clamp(multiply(r_a + r_b, 2*max(s_a, s_b)/(2^20*s_y)) + z_y)
//
// In [XNNPACK] with factors of 21 bits and one rounding; see coarse.
//
// Errors: parameters that cannot be; a last factor that is not below 1, which
// LiteRT refuses; in XNNPACK an input scale of 256 times the output's or more.
//
// Source: LiteRT, tflite/kernels/add.cc, tflite/kernels/internal/reference/add.h.
func NewAdd(s ArithmeticSpec) (*Arithmetic, error) {
	if s.Profile == TFLM {
		s.Profile = LiteRT
	}
	return newSum(s, "add", level.sum, false)
}

// NewSub prepares y = act(a - b), as [NewAdd] with r_a - r_b. [TFLM] divides the
// scales in float32.
//
// Source: LiteRT, tflite/kernels/sub.cc; tflite-micro,
// tensorflow/lite/micro/kernels/sub_common.cc.
func NewSub(s ArithmeticSpec) (*Arithmetic, error) {
	return newSum(s, "sub", level.difference, true)
}

func newSum(s ArithmeticSpec, name string, routine func(dst, a, b *byte, n int, constants *int32), negative bool) (*Arithmetic, error) {
	if err := s.check(name); err != nil {
		return nil, err
	}
	if s.Profile == XNNPACK {
		o := s.operator(quant.Multiplier{})
		o.right.negative = negative
		if ok, err := o.coarse(s); err != nil {
			return nil, fmt.Errorf("q8: %s: %w", name, err)
		} else if ok {
			o.tabulate(level, nil)
			return o, nil
		}
	}
	a, b, y := s.A.Scale[0], s.B.Scale[0], s.Output.Scale[0]
	twice := 2 * max(a, b) // exact
	ratio := func(over, under float32) float64 { return float64(over) / float64(under) }
	if s.Profile == TFLM {
		ratio = func(over, under float32) float64 { return float64(over / under) }
	}
	// 2^20*s_y is exact too, or overflows where both quotients are 0.
	o := s.operator(quant.QuantizeMultiplier(ratio(twice, (1<<sumBits)*y)))
	if o.multiplier.Exponent > 0 {
		return nil, fmt.Errorf("q8: %s: input scales %v and %v need an output scale above %v, not %v", name, a, b, twice/(1<<sumBits), y)
	}
	o.left.shift, o.right.shift, o.right.negative = sumBits, sumBits, negative
	o.left.multiplier, o.right.multiplier = quant.QuantizeMultiplier(ratio(a, twice)), quant.QuantizeMultiplier(ratio(b, twice))
	o.tabulate(level, routine)
	return o, nil
}

// NewMul prepares y = act(a * b) in fixed point:
//
//	y = clamp(multiply((q_a - z_a)*(q_b - z_b), s_a*s_b/s_y) + z_y)
//
// The factor is computed in float32, in [TFLM] in float64. [XNNPACK] multiplies by
// it in float32 and rounds half to even.
//
// Errors: parameters that cannot be; a factor that shifts products out of int32.
//
// Source: LiteRT, tflite/kernels/mul.cc, tflite/kernels/internal/reference/mul.h;
// tflite-micro, tensorflow/lite/micro/kernels/mul_common.cc.
func NewMul(s ArithmeticSpec) (*Arithmetic, error) {
	if err := s.check("mul"); err != nil {
		return nil, err
	}
	a, b, y := s.A.Scale[0], s.B.Scale[0], s.Output.Scale[0]
	real := float32(a*b) / y
	if s.Profile == XNNPACK && real >= 0x1p-16 && real < 1<<8 {
		o := s.operator(quant.Multiplier{})
		o.product, o.single, o.clamp = true, real, evenRange(s.Activation, s.Output)
		o.tabulate(level, nil)
		return o, nil
	}
	factor := float64(real)
	if s.Profile == TFLM {
		factor = float64(a) * float64(b) / float64(y)
	}
	o := s.operator(quant.QuantizeMultiplier(factor))
	if o.multiplier.Exponent > 15 {
		return nil, fmt.Errorf("q8: mul: scales %v*%v/%v make a factor of %v, beyond 2^15", a, b, y, factor)
	}
	o.product = true
	o.tabulate(level, level.product)
	return o, nil
}

func (s ArithmeticSpec) check(name string) error {
	err := errors.Join(
		checkTensor("first input", s.A, GridOf[int8]()),
		checkTensor("second input", s.B, GridOf[int8]()),
		checkTensor("output", s.Output, GridOf[int8]()),
		s.Activation.Check(),
	)
	if err != nil {
		return fmt.Errorf("q8: %s: %w", name, err)
	}
	return nil
}

// operator returns what all have in common.
func (s ArithmeticSpec) operator(m quant.Multiplier) *Arithmetic {
	return &Arithmetic{
		left: operand{zero: s.A.ZeroPoint[0]}, right: operand{zero: s.B.ZeroPoint[0]},
		multiplier: m, zero: s.Output.ZeroPoint[0],
		clamp: s.Activation.Range(s.Output, GridOf[int8]()), kernel: s.Kernel,
	}
}

// tabulate fills the tables of both operands, and makes constants for a routine
// of the level where it has one that can compute the operator.
func (o *Arithmetic) tabulate(level *dispatch, routine func(dst, a, b *byte, n int, constants *int32)) {
	for i := range 256 {
		o.left.values[i], o.right.values[i] = o.left.of(int8(i)), o.right.of(int8(i))
	}
	o.vector, o.lanes = nil, level.lanes
	switch {
	case o.kernel == Reference || level.lanes == 0:
		return
	case o.shift != 0:
		b := o.right.factor
		if o.right.negative {
			b = -b
		}
		o.setLinear(level, o.left.factor, b, 1<<(o.shift-1), o.shift)
		return
	}
	left, right, result, ok := o.lanesOf(&routine, level)
	if !ok {
		return
	}
	o.vector = routine
	size := fields * level.lanes
	o.constants = aligned[int32](3*size + limitWords)
	for i := range level.lanes {
		left.put(o.constants, level.lanes, i)
		right.put(o.constants[size:], level.lanes, i)
		result.put(o.constants[2*size:], level.lanes, i)
	}
	putLimits(o.constants[3*size:], o.clamp)
	if !o.product {
		o.linearize(level)
	}
}

// lanesOf returns the constants of both operands, in the order in which routine
// takes them, and of the result. It may choose a better routine.
func (o *Arithmetic) lanesOf(routine *func(dst, a, b *byte, n int, constants *int32), level *dispatch) (left, right, result lane, ok bool) {
	o.swapped = false
	if o.single != 0 {
		*routine = level.singleProduct
		return lane{fieldStart: -o.left.zero}, lane{fieldStart: -o.right.zero}, singleLane(o.single, o.zero, o.clamp), true
	}
	first, second := &o.left, &o.right
	half := quant.Multiplier{Mantissa: 1 << 30} // that of the larger scale
	halved := false
	if !o.product && !second.negative && (first.multiplier == half || second.multiplier == half) {
		*routine = level.sumOfHalf
		if o.swapped = first.multiplier != half; o.swapped {
			first, second = second, first
		}
		halved = true
	}
	left, okLeft := first.lane()
	right, okRight := second.lane()
	if halved {
		left, okLeft = lane{fieldStart: -first.zero << (sumBits - 1)}, true
	}
	most := int64(1) << (sumBits + 8) // of a sum of two
	if o.product {
		most = 1 << 16
	}
	result, ok = newLane(o.multiplier, o.zero, true, 0, most)
	return left, right, result, ok && okLeft && okRight
}

// setLinear makes o's routine that of
//
//	clamp((A*a + B*b + C) >> shift + zero point)
//
// with C such that the sum is A*(a - z_a) + B*(b - z_b) + half.
func (o *Arithmetic) setLinear(level *dispatch, a, b int32, half int64, shift int) {
	o.vector, o.swapped = level.linear, false
	o.constants = aligned[int32](5*level.lanes + limitWords)
	c := int32(half - int64(a)*int64(o.left.zero) - int64(b)*int64(o.right.zero)) // modulo 2^32
	for k, v := range []int32{a, b, c, int32(shift), o.zero} {
		fill(o.constants[k*level.lanes:][:level.lanes], v)
	}
	putLimits(o.constants[5*level.lanes:], o.clamp)
}

// linearize replaces the routine of a sum or difference by one of a single rounding,
// if that gives the same code for every pair of codes. It usually does: with some 22
// bits behind the point few pairs come so close to a change of the code.
func (o *Arithmetic) linearize(level *dispatch) {
	real := o.multiplier.Real()
	a := o.left.multiplier.Real() * real * (1 << sumBits)
	b := o.right.multiplier.Real() * real * (1 << sumBits)
	shift := 28
	for (a+b+1)*math.Ldexp(256, shift) >= 1<<31 {
		shift--
	}
	if shift < 1 {
		return
	}
	one := math.Ldexp(1, shift)
	first, second := int32(math.Round(a*one)), int32(math.Round(b*one))
	if o.right.negative {
		second = -second
	}
	if half, ok := o.half(first, second, shift); ok {
		o.setLinear(level, first, second, half, shift)
	}
}

// half returns an H with which, for every pair of codes,
//
//	(A*(a - z_a) + B*(b - z_b) + H) >> shift
//
// becomes the same code as the sum of contributions, if there is one. Both round the
// same real number, but for errors of the contributions, of A and B, and of 2^-n where
// multipliers round twice: pairs that come no closer to a tie agree.
func (o *Arithmetic) half(a, b int32, shift int) (half int64, ok bool) {
	const codes = 256
	one := int64(1) << shift
	real := math.Ldexp(o.multiplier.Real(), shift)
	worst := math.Ldexp(1, shift+o.multiplier.Exponent) + 1
	var sums, parts [codes]int64 // of A; parts of one that B's leave, with b in the low bits
	var worstA, worstB float64
	for i := range codes {
		x, y := int64(a)*int64(int32(int8(i))-o.left.zero), int64(b)*int64(int32(int8(i))-o.right.zero)
		worstA = max(worstA, math.Abs(float64(x)-real*float64(o.left.values[i])))
		worstB = max(worstB, math.Abs(float64(y)-real*float64(o.right.values[i])))
		sums[i], parts[i] = x, y&(one-1)*codes+int64(i)
	}
	reach := int64(worst+worstA+worstB) + 1
	if 4*reach >= one {
		return 0, false
	}
	slices.Sort(parts[:])
	// H is within reach of one half, or there is none, and pairs matter that come as close to a tie.
	low, high := one/2-reach, one/2+reach
	for i, x := range sums {
		from := (-x - one/2 - reach) & (one - 1)
		at, _ := slices.BinarySearch(parts[:], from*codes)
		for range codes {
			part := parts[at%codes]
			if (part/codes-from)&(one-1) > 2*reach {
				break
			}
			j := part % codes
			sum := x + int64(b)*int64(int32(int8(j))-o.right.zero)
			code := int64(o.combine(o.left.values[i], o.right.values[j])) - int64(o.zero)
			if code > int64(o.clamp.Min-o.zero) {
				low = max(low, code<<shift-sum)
			}
			if code < int64(o.clamp.Max-o.zero) {
				high = min(high, (code+1)<<shift-1-sum)
			}
			at++
		}
	}
	return min(max(one/2, low), high), low <= high
}

// compute runs the routine.
func (o *Arithmetic) compute(dst, a, b []int8) {
	first, second := pointer(a), pointer(b)
	if o.swapped {
		first, second = second, first
	}
	o.vector(pointer(dst), first, second, len(dst), &o.constants[0])
}

// lane returns the constants of the contribution that [operand.of] computes: the
// zero point alone where there is no multiplier.
func (o *operand) lane() (l lane, ok bool) {
	if o.shift == 0 {
		return lane{fieldStart: -o.zero}, true
	}
	return newLane(o.multiplier, 0, true, -o.zero<<o.shift, 128<<o.shift)
}

// combine returns the code for the contributions of two elements.
func (o *Arithmetic) combine(a, b int32) int8 {
	v := a + b
	if o.product {
		v = a * b
	}
	switch {
	case o.single != 0:
		return int8(halfEven(float32(v)*o.single, o.zero, o.clamp))
	case o.shift != 0:
		return int8(o.clamp.Clamp((v+1<<(o.shift-1))>>o.shift + o.zero))
	}
	return int8(o.clamp.Clamp(o.multiplier.Apply(v) + o.zero))
}

// Run computes dst from the elements of a and b that p pairs.
func (o *Arithmetic) Run(p axes.Pair, dst, a, b []int8) {
	if o.kernel == Reference {
		for i := range dst[:p.Len()] {
			ia, ib := p.At(i)
			dst[i] = o.combine(o.left.of(a[ia]), o.right.of(b[ib]))
		}
		return
	}
	const worthwhile = 1 << 17 // elements: some tens of microseconds
	parts := parallel.Parts(p.Len(), worthwhile, parallel.MaxParts)
	parallel.Each(p.Len(), parts, pairs{o, p, dst, a, b}, pairs.each)
}

// pairs are elements that meet.
type pairs struct {
	*Arithmetic
	pair      axes.Pair
	dst, a, b []int8
}

func (p pairs) each(lo, hi int) { p.run(p.pair, p.dst, p.a, p.b, lo, hi) }

// run computes elements [lo, hi).
func (o *Arithmetic) run(p axes.Pair, dst, a, b []int8, lo, hi int) {
	stepA, stepB := p.Steps()
	p.Runs(lo, hi, func(at, i, j, n int) {
		k := 0
		if o.vector != nil && stepA+stepB == 2 && n >= o.lanes {
			k = n / o.lanes * o.lanes
			o.compute(dst[at:at+k], a[i:i+k], b[j:j+k])
		}
		for ; k < n; k++ {
			dst[at+k] = o.combine(o.left.values[uint8(a[i+k*stepA])], o.right.values[uint8(b[j+k*stepB])])
		}
	})
}
