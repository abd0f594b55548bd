package graph

import "github.com/goqat/goqat/quant"

// Op is an operator: its configuration, its shape rule and its quantization
// class. Operators are plain structs, used by value.
type Op interface {
	// Name is the operator's name in TensorFlow Lite's spelling: "CONV_2D".
	Name() string
	// Class says how quantization treats the operator.
	Class() Class
	// Infer returns the output shape for the input shapes. An omitted optional
	// input has a nil shape. The batch may be any size.
	Infer(in [][]int) ([]int, error)
}

// Class says where quantizers go around an operator.
type Class uint8

const (
	// Anchor operators multiply by weights; with a following BatchNorm and
	// fusable activation they form one exported operator.
	Anchor Class = iota + 1
	// Requantize operators compute a new range: their output has a quantizer.
	Requantize
	// SameScale operators share one quantizer between inputs and output.
	SameScale
	// FixedOutput operators have output parameters set by TensorFlow Lite.
	FixedOutput
	// Border operators convert between number types.
	Border
	// TrainingOnly operators never reach a file: passes remove them.
	TrainingOnly
	// Opaque operators are not known: nothing but weights elsewhere in their
	// graph is quantized.
	Opaque
)

var classNames = map[Class]string{
	Anchor: "anchor", Requantize: "requantize", SameScale: "same scale",
	FixedOutput: "fixed output", Border: "border", TrainingOnly: "training only", Opaque: "opaque",
}

func (c Class) String() string { return classNames[c] }

// FixedParams is implemented by operators of class FixedOutput.
type FixedParams interface {
	// FixedParams returns the output parameters for codes of the given width.
	FixedParams(bits int) (quant.Params, error)
}

// Averaging is implemented by SameScale operators that compute new values on
// the shared scale (an average) rather than copy codes.
type Averaging interface {
	Averages() bool
}

// Fusable is an operator that a [Fusing] one can absorb as its fused activation.
type Fusable interface {
	Fused() quant.Activation
}

// Fusing is implemented by operators that can apply an activation to their
// output: anchors, and arithmetic on two tensors.
type Fusing interface {
	Op
	// Fuse returns the operator with the fused activation replaced.
	Fuse(quant.Activation) Op
	// Activation returns the fused activation.
	Activation() quant.Activation
}

// Anchored is implemented by operators of class Anchor.
type Anchored interface {
	Fusing
	// ChannelAxis is the axis of the weights that indexes output channels.
	ChannelAxis() int
}

// Inputs of an anchor, by position.
const (
	InputX = iota
	InputWeights
	InputBias
)
