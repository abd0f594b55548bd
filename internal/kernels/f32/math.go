package f32

import "math"

// The elementary functions below are float32 polynomials after Cody and Waite with the coefficients of the Cephes
// library's expf, logf and tanhf (Stephen L. Moshier, netlib.org/cephes). They use no fused multiply-add and no table,
// so every platform gives the same bits, and every step has a vector instruction.

// ln2Hi + ln2Lo is log(2); ln2Hi has so few bits that its products with exponents are exact.
const (
	ln2Hi = 0.693359375
	ln2Lo = -2.12194440e-4
	log2E = 1.44269504088896341
	// roundMagic rounds a float32 of magnitude below 2^22 to an integer when added and subtracted: 1.5 * 2^23.
	roundMagic = 12582912
)

// Exp returns e^x to within 1 ulp, 1 ulp of a subnormal result included. It is 0 below -104, +Inf above 88.73.
func Exp(x float32) float32 {
	if x != x {
		return x
	}
	x = min(max(x, -104), 89)
	n := float32(float32(x*log2E)+roundMagic) - roundMagic
	r := x - float32(n*ln2Hi)
	r -= float32(n * ln2Lo)
	p := shortExpm1(r) + 1
	// Two factors, since 2^n itself may be outside the range of normal numbers (n is in [-150, 128]).
	i := int32(n)
	return float32(p*pow2(i/2)) * pow2(i-i/2)
}

// shortExpm1 returns e^r - 1 for |r| up to log(2)/2.
func shortExpm1(r float32) float32 {
	p := float32(1.9875691500e-4)
	p = float32(p*r) + 1.3981999507e-3
	p = float32(p*r) + 8.3334519073e-3
	p = float32(p*r) + 4.1665795894e-2
	p = float32(p*r) + 1.6666665459e-1
	p = float32(p*r) + 5.0000001201e-1
	return float32(p*float32(r*r)) + r
}

// Expm1 returns e^x - 1 to within 4 ulp, near 0 too.
func Expm1(x float32) float32 {
	if abs(x) < 0.34 {
		return shortExpm1(x)
	}
	return Exp(x) - 1
}

// pow2 returns 2^n for n in [-126, 127].
func pow2(n int32) float32 { return math.Float32frombits(uint32(n+127) << 23) }

// Log returns the natural logarithm of x to within 1 ulp: -Inf for 0, NaN for negative x.
func Log(x float32) float32 {
	switch {
	case x != x || x > math.MaxFloat32:
		return x
	case x < 0:
		return float32(math.NaN())
	case x == 0:
		return float32(math.Inf(-1))
	}
	var e float32
	if x < 1.17549435e-38 { // subnormal
		x *= 1 << 24
		e = -24
	}
	// x = 2^e * (1+f) with 1+f in [sqrt(1/2), sqrt(2)).
	bits := math.Float32bits(x) - math.Float32bits(math.Sqrt2/2)
	e += float32(int32(bits) >> 23)
	f := math.Float32frombits(bits&(1<<23-1)+math.Float32bits(math.Sqrt2/2)) - 1
	z := float32(f * f)
	p := float32(7.0376836292e-2)
	p = float32(p*f) - 1.1514610310e-1
	p = float32(p*f) + 1.1676998740e-1
	p = float32(p*f) - 1.2420140846e-1
	p = float32(p*f) + 1.4249322787e-1
	p = float32(p*f) - 1.6668057665e-1
	p = float32(p*f) + 2.0000714765e-1
	p = float32(p*f) - 2.4999993993e-1
	p = float32(p*f) + 3.3333331174e-1
	y := float32(float32(p*f) * z)
	y += float32(e * ln2Lo)
	y -= float32(0.5 * z)
	return (f + y) + float32(e*ln2Hi)
}

// Tanh returns the hyperbolic tangent of x to within 2 ulp.
func Tanh(x float32) float32 {
	a := abs(x)
	if a < 0.625 {
		z := float32(x * x)
		p := float32(-5.70498872745e-3)
		p = float32(p*z) + 2.06390887954e-2
		p = float32(p*z) - 5.37397155531e-2
		p = float32(p*z) + 1.33314422036e-1
		p = float32(p*z) - 3.33332819422e-1
		return float32(float32(p*z)*x) + x
	}
	t := 1 - 2/(Exp(float32(2*a))+1)
	if x < 0 {
		return -t
	}
	return t
}

// Sigmoid returns 1/(1+e^-x) to within 3 ulp, without overflow for negative x.
func Sigmoid(x float32) float32 {
	e := Exp(-abs(x))
	if x < 0 {
		return e / (1 + e)
	}
	return 1 / (1 + e)
}

// Softplus returns log(1+e^x) to within 3 ulp: the binary cross-entropy with logit x is Softplus(x) - x*label.
func Softplus(x float32) float32 {
	// log(1+e^x) = max(x, 0) + log1p(u) with u in [0, 1]; the quotient repairs the rounding of 1+u.
	u := Exp(-abs(x))
	w := 1 + u
	return max(x, 0) + (Log(w) + (u-(w-1))/w)
}

// abs clears the sign.
func abs(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }

// ExpTo computes dst = Exp(x), elementwise over len(x) elements. It may work in place, as may [TanhTo] and [SigmoidTo].
func ExpTo(dst, x []float32) { mapBy(costMove, level.exp, dst, x) }

// TanhTo computes dst = Tanh(x).
func TanhTo(dst, x []float32) { mapBy(costMove, level.tanh, dst, x) }

// SigmoidTo computes dst = Sigmoid(x).
func SigmoidTo(dst, x []float32) { mapBy(costMove, level.sigmoid, dst, x) }

// mapBy computes dst from x by a routine of the given cost on their elements.
func mapBy(cost int, run func(dst, x []float32), dst, x []float32) {
	dst = dst[:len(x)]
	type args struct {
		dst, x []float32
		run    func(dst, x []float32)
	}
	each(len(x), cost, args{dst, x, run}, func(a args, i, j int) { a.run(a.dst[i:j], a.x[i:j]) })
}

// eachBy returns the routine that computes dst = f(x).
func eachBy(f func(float32) float32) func(dst, x []float32) {
	return func(dst, x []float32) {
		for i, v := range x {
			dst[i] = f(v)
		}
	}
}
