package layers

import "math"

// Initializer fills a new tensor.
//
// Source of all formulas: Keras 3, keras/src/initializers/random_initializers.py
// (VarianceScaling).
type Initializer interface {
	Fill(dst []float32, fan Fan, random Random)
}

// Random is a source of random numbers, determined by the network's seed and the
// layer's position.
type Random interface {
	// Float64 is uniform in [0, 1).
	Float64() float64
	// TruncatedNormal is standard normal, drawn again beyond two standard
	// deviations.
	TruncatedNormal() float64
}

// Fan counts the connections of one unit: In is the number of inputs that it
// sums, Out the number of outputs that each input goes to.
type Fan struct{ In, Out int }

// fanOf returns the fan of a kernel [O, ..., I], where the axes between are the
// window of a convolution; that of a vector [C] is C both ways.
func fanOf(shape []int) Fan {
	if len(shape) < 2 {
		f := Fan{1, 1}
		for _, d := range shape {
			f = Fan{d, d}
		}
		return f
	}
	window := 1
	for _, d := range shape[1 : len(shape)-1] {
		window *= d
	}
	return Fan{In: shape[len(shape)-1] * window, Out: shape[0] * window}
}

// GlorotUniform is uniform in ±sqrt(6/(fan in + fan out)): the default for
// kernels.
type GlorotUniform struct{}

// GlorotNormal is a truncated normal of variance 2/(fan in + fan out).
type GlorotNormal struct{}

// HeUniform is uniform in ±sqrt(6/fan in); made for layers followed by ReLU.
type HeUniform struct{}

// HeNormal is a truncated normal of variance 2/fan in; made for layers followed
// by ReLU.
type HeNormal struct{}

// Zeros is the default for biases.
type Zeros struct{}

// Ones fills with 1.
type Ones struct{}

// Constant fills with Value.
type Constant struct{ Value float32 }

// Fill implements [Initializer].
func (GlorotUniform) Fill(dst []float32, fan Fan, r Random) {
	uniform(dst, 2/float64(fan.In+fan.Out), r)
}

// Fill implements [Initializer].
func (GlorotNormal) Fill(dst []float32, fan Fan, r Random) {
	truncatedNormal(dst, 2/float64(fan.In+fan.Out), r)
}

// Fill implements [Initializer].
func (HeUniform) Fill(dst []float32, fan Fan, r Random) { uniform(dst, 2/float64(fan.In), r) }

// Fill implements [Initializer].
func (HeNormal) Fill(dst []float32, fan Fan, r Random) { truncatedNormal(dst, 2/float64(fan.In), r) }

// Fill implements [Initializer].
func (Zeros) Fill(dst []float32, _ Fan, _ Random) { clear(dst) }

// Fill implements [Initializer].
func (Ones) Fill(dst []float32, _ Fan, _ Random) { Constant{1}.Fill(dst, Fan{}, nil) }

// Fill implements [Initializer].
func (c Constant) Fill(dst []float32, _ Fan, _ Random) {
	for i := range dst {
		dst[i] = c.Value
	}
}

// uniform fills with values in ±sqrt(3*variance).
func uniform(dst []float32, variance float64, r Random) {
	limit := math.Sqrt(3 * variance)
	for i := range dst {
		dst[i] = float32(limit * (float64(2*r.Float64()) - 1))
	}
}

// truncatedDeviation is the standard deviation of a standard normal that is cut
// at two standard deviations.
const truncatedDeviation = .87962566103423978

// truncatedNormal fills with truncated normal values of the given variance.
func truncatedNormal(dst []float32, variance float64, r Random) {
	deviation := math.Sqrt(variance) / truncatedDeviation
	for i := range dst {
		dst[i] = float32(deviation * r.TruncatedNormal())
	}
}

// or returns init, or the default where it is nil.
func or(init, byDefault Initializer) Initializer {
	if init == nil {
		return byDefault
	}
	return init
}
