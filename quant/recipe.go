package quant

import (
	"errors"
	"fmt"
	"slices"
)

// Mode says which kind of file a recipe leads to.
type Mode uint8

const (
	// Integer quantizes weights and activations: integer-only inference.
	Integer Mode = iota + 1
	// WeightOnly quantizes weights; activations are quantized while the model
	// runs ("dynamic range"), or not at all.
	WeightOnly
	// HalfFloat stores weights as float16; nothing is quantized.
	HalfFloat
)

var modeNames = map[Mode]string{Integer: "integer", WeightOnly: "weight_only", HalfFloat: "float16"}

func (m Mode) String() string {
	if s, ok := modeNames[m]; ok {
		return s
	}
	return fmt.Sprintf("mode %d", uint8(m))
}

// MarshalText writes the mode by name.
func (m Mode) MarshalText() ([]byte, error) {
	if s, ok := modeNames[m]; ok {
		return []byte(s), nil
	}
	return nil, fmt.Errorf("quant: unknown mode %d", uint8(m))
}

// UnmarshalText reads a mode by name.
func (m *Mode) UnmarshalText(b []byte) error {
	for k, s := range modeNames {
		if s == string(b) {
			*m = k
			return nil
		}
	}
	return fmt.Errorf("quant: unknown mode %q", b)
}

// Scheme describes the quantizers of one kind of tensor.
type Scheme struct {
	// Bits is the width of a code: 8, or 4 for weights and 16 for activations.
	// Depthwise and transposed convolutions, which LiteRT has no kernels of 4 bits
	// for, keep 8 unless the model computes in float32.
	Bits int `json:"bits"`
	// Symmetric fixes the zero point at 0.
	Symmetric bool `json:"symmetric"`
	// Narrow leaves out the most negative code.
	Narrow bool `json:"narrow"`
	// PerChannel gives each output channel a scale of its own; weights only.
	PerChannel bool `json:"per_channel"`
}

// Grid returns the scheme's codes.
func (s Scheme) Grid() Grid { return Signed(s.Bits, s.Narrow) }

// Recipe is plain data that says how a network is quantized. The presets are
// [Int8], [Int8PerTensor], [Int16x8], [DynamicRange], [Int8Weights] and [Float16];
// change their fields for anything else that [Recipe.Check] accepts.
type Recipe struct {
	// Name appears in messages and files.
	Name string `json:"name"`
	Mode Mode   `json:"mode"`
	// Weights and Activations are unused by HalfFloat; WeightOnly ignores
	// Activations.
	Weights     Scheme `json:"weights"`
	Activations Scheme `json:"activations"`
	// Decay of the moving average that observes activations while training.
	Decay float32 `json:"decay"`
	// MinElements is the least number of elements a weight tensor must have for
	// WeightOnly to quantize it; smaller ones stay float32. TensorFlow uses 1024.
	MinElements int `json:"min_elements"`
	// FloatCompute says that a WeightOnly model turns its weights back into float32
	// and computes with these; activations are not quantized.
	FloatCompute bool `json:"float_compute,omitempty"`
	// KeepFloat are patterns, for [Match], of the names of operators that stay
	// float32 amid an integer model, or with float32 weights in a WeightOnly one.
	KeepFloat []string `json:"keep_float,omitempty"`
	// KeepInt8 are patterns of the names of operators whose weights have 8 bits
	// though those of others have 4.
	KeepInt8 []string `json:"keep_int8,omitempty"`
	// PerTensor are patterns of the names of operators whose weights have one scale
	// though those of others have one for each channel, and PerChannel of those that
	// have the latter though others have one. Weights that operators share follow the
	// first of these.
	PerTensor  []string `json:"per_tensor,omitempty"`
	PerChannel []string `json:"per_channel,omitempty"`
}

// Keeps reports whether the operator of a name stays float32.
func (r Recipe) Keeps(name string) bool {
	return slices.ContainsFunc(r.KeepFloat, func(pattern string) bool { return Match(pattern, name) })
}

// Int8 is full integer quantization: weights int8 symmetric narrow per output
// channel, activations int8 asymmetric observed by a moving average of decay
// 0.99, biases int32.
func Int8() Recipe {
	return Recipe{
		Name: "int8", Mode: Integer,
		Weights:     Scheme{Bits: 8, Symmetric: true, Narrow: true, PerChannel: true},
		Activations: Scheme{Bits: 8},
		Decay:       0.99,
	}
}

// Int8PerTensor is [Int8] with one scale per weight tensor.
func Int8PerTensor() Recipe {
	r := Int8()
	r.Name, r.Weights.PerChannel = "int8-per-tensor", false
	return r
}

// Int16x8 is [Int8] with activations of 16 bits, symmetric, and biases int64: the
// outputs are nearly those of weights that alone are rounded, the activations take
// twice the memory, and few kernels are fast.
func Int16x8() Recipe {
	r := Int8()
	r.Name, r.Activations = "int16x8", Scheme{Bits: 16, Symmetric: true}
	return r
}

// DynamicRange stores weights as int8, symmetric narrow per output channel;
// activations stay float32 in the file and are quantized as the model runs.
// Weights of fewer than 1024 elements stay float32, as in TensorFlow.
func DynamicRange() Recipe {
	return Recipe{
		Name: "dynamic-range", Mode: WeightOnly,
		Weights:     Scheme{Bits: 8, Symmetric: true, Narrow: true, PerChannel: true},
		MinElements: 1024,
	}
}

// Int8Weights is [DynamicRange] with a model that computes in float32: it turns
// its int8 weights into float32 as it starts. The file is as small, the outputs
// lose nothing but what rounding weights costs, and it runs as fast as the float
// network. Weights of fewer than 128 elements stay float32: their scales would take
// more bytes than they save.
func Int8Weights() Recipe {
	r := DynamicRange()
	r.Name, r.FloatCompute, r.MinElements = "int8-weights", true, 128
	return r
}

// Float16 stores weights as IEEE half precision; biases stay float32.
func Float16() Recipe { return Recipe{Name: "float16", Mode: HalfFloat} }

// Check reports every fault of the recipe at once.
func (r Recipe) Check() error {
	var faults []error
	fault := func(format string, a ...any) {
		faults = append(faults, fmt.Errorf("quant: recipe %q: "+format, append([]any{r.Name}, a...)...))
	}
	if _, known := modeNames[r.Mode]; !known {
		fault("unknown mode %d", uint8(r.Mode))
	}
	if r.Mode == Integer || r.Mode == WeightOnly {
		if r.Weights.Bits != 4 && r.Weights.Bits != 8 {
			fault("weights of %d bits; only 4 and 8 are supported", r.Weights.Bits)
		}
		if !r.Weights.Symmetric || !r.Weights.Narrow {
			fault("weights must be symmetric and narrow: integer kernels assume zero point 0 and [-127, 127]")
		}
	}
	if r.Mode == Integer {
		switch b := r.Activations.Bits; {
		case b != 8 && b != 16:
			fault("activations of %d bits; only 8 and 16 are supported", b)
		case b == 16 && !r.Activations.Symmetric:
			fault("activations of 16 bits must be symmetric: integer kernels assume zero point 0")
		}
		if r.Activations.PerChannel || r.Activations.Narrow {
			fault("activations must be per tensor and use the full range")
		}
		if !(r.Decay >= 0 && r.Decay < 1) {
			fault("decay %v is outside [0, 1)", r.Decay)
		}
	}
	if r.FloatCompute && r.Mode != WeightOnly {
		fault("FloatCompute goes with mode %v, not %v", WeightOnly, r.Mode)
	}
	if len(r.KeepInt8) > 0 && r.Weights.Bits != 4 {
		fault("KeepInt8 goes with weights of 4 bits, not %d", r.Weights.Bits)
	}
	if scaled := r.Mode == Integer || r.Mode == WeightOnly; len(r.PerTensor) > 0 && !(scaled && r.Weights.PerChannel) {
		fault("PerTensor goes with weights that have a scale for each channel")
	} else if len(r.PerChannel) > 0 && !(scaled && !r.Weights.PerChannel) {
		fault("PerChannel goes with weights that have one scale")
	}
	if r.MinElements < 0 {
		fault("MinElements is negative: %d", r.MinElements)
	}
	return errors.Join(faults...)
}
