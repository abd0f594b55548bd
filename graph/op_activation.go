package graph

import "github.com/goqat/goqat/quant"

// Relu is max(x, 0). Shapes: y as x.
//
// Quantized: fused into a preceding anchor where possible; otherwise input and
// output have parameters of their own.
type Relu struct{}

func (Relu) Name() string            { return "RELU" }
func (Relu) Class() Class            { return Requantize }
func (Relu) Fused() quant.Activation { return quant.Relu }

// Infer implements [Op].
func (Relu) Infer(in [][]int) ([]int, error) { return elementwise(in) }

// Relu6 is min(max(x, 0), 6). Shapes: y as x.
//
// Quantized: fused as [Relu] is; by itself best with equal parameters of input
// and output, which package fakequant gives it: TensorFlow Lite Micro's kernel
// clamps the codes and does not rescale them.
type Relu6 struct{}

func (Relu6) Name() string            { return "RELU6" }
func (Relu6) Class() Class            { return Requantize }
func (Relu6) Fused() quant.Activation { return quant.Relu6 }

// Infer implements [Op].
func (Relu6) Infer(in [][]int) ([]int, error) { return elementwise(in) }

// Softmax is exp(x)/sum(exp(x)) over the last axis. Shapes: y as x.
//
// Quantized: the output has scale 1/256 and zero point -128 at 8 bits, 1/32768 and
// 0 at 16.
type Softmax struct{}

func (Softmax) Name() string { return "SOFTMAX" }
func (Softmax) Class() Class { return FixedOutput }

// Infer implements [Op].
func (Softmax) Infer(in [][]int) ([]int, error) { return elementwise(in) }

// FixedParams implements [FixedParams].
func (o Softmax) FixedParams(bits int) (quant.Params, error) {
	return fixedOutput(o, bits, quant.PerTensor(1.0/256, -128))
}

// elementwise is the shape rule of operators that keep the shape of their one
// input.
func elementwise(in [][]int) ([]int, error) {
	if err := arity(in, 1, 1); err != nil {
		return nil, err
	}
	return append([]int{}, in[0]...), nil // of a scalar not nil
}
