package q8

import (
	"errors"
	"fmt"
	"math"

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
	return newSum(s, "add")
}

// NewSub prepares y = act(a - b), as [NewAdd] with r_a - r_b. [TFLM] divides the
// scales in float32.
//
// Source: LiteRT, tflite/kernels/sub.cc; tflite-micro,
// tensorflow/lite/micro/kernels/sub_common.cc.
func NewSub(s ArithmeticSpec) (*Arithmetic, error) {
	o, err := newSum(s, "sub")
	if err == nil {
		o.right.negative = true
		o.tabulate(level, level.difference)
	}
	return o, err
}

func newSum(s ArithmeticSpec, name string) (*Arithmetic, error) {
	if err := s.check(name); err != nil {
		return nil, err
	}
	if s.Profile == XNNPACK {
		o := s.operator(quant.Multiplier{})
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
	o.left.shift, o.right.shift = sumBits, sumBits
	o.left.multiplier, o.right.multiplier = quant.QuantizeMultiplier(ratio(a, twice)), quant.QuantizeMultiplier(ratio(b, twice))
	o.tabulate(level, level.sum)
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
	if o.kernel == Reference || level.lanes == 0 {
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
	if o.shift == 0 && !o.product { // of the reference kernels
		o.linearize(level)
	}
}

// lanesOf returns the constants of both operands, in the order in which routine
// takes them, and of the result. It may choose a better routine.
func (o *Arithmetic) lanesOf(routine *func(dst, a, b *byte, n int, constants *int32), level *dispatch) (left, right, result lane, ok bool) {
	o.swapped = false
	switch {
	case o.single != 0:
		*routine = level.singleProduct
		return lane{fieldStart: -o.left.zero}, lane{fieldStart: -o.right.zero}, singleLane(o.single, o.zero, o.clamp), true
	case o.shift != 0:
		*routine = level.coarse
		left, right = lane{fieldStart: -o.left.zero, fieldEven: o.left.factor}, lane{fieldStart: -o.right.zero, fieldEven: o.right.factor}
		if o.right.negative {
			right[fieldEven] = -o.right.factor
		}
		return left, right, lane{fieldStart: 1 << (o.shift - 1), fieldShift: int32(o.shift), fieldAdd: o.zero}, true
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

// linearize replaces the routine of a sum or difference by one of a single rounding,
//
//	clamp((A*a + B*b + C) >> shift)
//
// if that gives the same code for every pair of codes. It usually does: with some 22
// bits behind the point few pairs come so close to a change of the code.
func (o *Arithmetic) linearize(level *dispatch) {
	a := o.left.multiplier.Real() * o.multiplier.Real() * (1 << sumBits)
	b := o.right.multiplier.Real() * o.multiplier.Real() * (1 << sumBits)
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
	constants := aligned[int32](4*level.lanes + limitWords)
	set := func(k int, v int32) {
		for i := range level.lanes {
			constants[k*level.lanes+i] = v
		}
	}
	set(0, first)
	set(1, second)
	set(3, int32(shift))
	putLimits(constants[4*level.lanes:], o.clamp)
	c := int64(o.zero)<<shift + 1<<(shift-1) - int64(first)*int64(o.left.zero) - int64(second)*int64(o.right.zero)
	const attempts = 8
	tries := 0
	for low, high := c-1<<shift, c+1<<shift; low <= high; {
		set(2, int32(c))
		x, y, got, want := o.disagreement(level.linear, constants)
		if got == want {
			o.vector, o.constants, o.swapped = level.linear, constants, false
			return
		}
		// The pair says how far C has to move.
		if sum := int64(first)*int64(x) + int64(second)*int64(y); got > want {
			high = min(high-1, int64(want+1)<<shift-1-sum)
			c = high
		} else {
			low = max(low+1, int64(want)<<shift-sum)
			c = low
		}
		if tries++; tries == attempts {
			return
		}
	}
}

// disagreement returns a pair of codes to which another routine gives another code
// than that of o, and both; equal ones if there is none.
func (o *Arithmetic) disagreement(routine func(dst, a, b *byte, n int, constants *int32), constants []int32) (a, b int8, got, want int32) {
	const codes = 256
	var x, y, wants, gots [codes]int8
	for i := range y {
		y[i] = int8(i)
	}
	for code := range codes {
		fill(x[:], int8(code))
		o.compute(wants[:], x[:], y[:])
		routine(pointer(gots[:]), pointer(x[:]), pointer(y[:]), codes, &constants[0])
		if gots == wants {
			continue
		}
		for i := range gots {
			if gots[i] != wants[i] {
				return x[i], y[i], int32(gots[i]), int32(wants[i])
			}
		}
	}
	return 0, 0, 0, 0
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
