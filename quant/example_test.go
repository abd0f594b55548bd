package quant_test

import (
	"encoding/json"
	"fmt"

	"github.com/goqat/goqat/quant"
)

func ExampleAsymmetric() {
	scale, zero, err := quant.Asymmetric(-1, 3, quant.Signed(8, false))
	fmt.Printf("%.6f %d %v\n", scale, zero, err)

	// Whatever the range, zero is exact, and 3 is within half a step.
	fmt.Println(quant.Code(0, scale, zero, quant.Signed(8, false)), quant.Code(3, scale, zero, quant.Signed(8, false)))

	_, _, err = quant.Asymmetric(3, -1, quant.Signed(8, false))
	fmt.Println(err)
	// Output:
	// 0.015686 -64 <nil>
	// -64 127
	// quant: invalid range: [3, -1] is inverted
}

func ExampleParams_FakeQuantize() {
	p := quant.PerTensor(0.5, 0)
	x := []float32{0.1, 0.25, -0.25, 3.1, 63.7, 64}
	y, mask := make([]float32, len(x)), make([]bool, len(x))
	if err := p.FakeQuantize(y, x, mask, []int{len(x)}, quant.Signed(8, false)); err != nil {
		fmt.Println(err)
	}
	fmt.Println(y)
	fmt.Println(mask)
	// Output:
	// [0 0.5 -0.5 3 63.5 63.5]
	// [true true true true true false]
}

// Weights get a scale for each output channel, so that a channel of small
// weights keeps its resolution.
func ExampleLastValue() {
	weights := []float32{
		1.27, -0.5,
		0.0127, 0.005,
	}
	p, err := quant.LastValue(weights, []int{2, 2}, 0, quant.Signed(8, true))
	if err != nil {
		fmt.Println(err)
	}
	codes := make([]int8, 4)
	if err := quant.Quantize(p, codes, weights, []int{2, 2}, quant.Signed(8, true)); err != nil {
		fmt.Println(err)
	}
	fmt.Println(p.Scale, codes)
	// Output:
	// [0.01 0.0001] [127 -50 127 50]
}

// Ranges are observed batch by batch. Division by the weight removes the bias of
// the start at zero.
func ExampleRange_Averaged() {
	var r quant.Range
	for _, hi := range []float32{4, 4, 8} {
		r, _ = r.Averaged(0, hi, 0.5)
		_, bound := r.Bounds()
		fmt.Printf("%.4f ", bound)
	}
	fmt.Println()
	// Output: 4.0000 4.0000 6.2857
}

// A recipe is plain data.
func ExampleRecipe() {
	r := quant.DynamicRange()
	r.MinElements = 0
	text, err := json.Marshal(r)
	fmt.Println(string(text), err)

	r.Weights.Bits = 3
	fmt.Println(r.Check())
	// Output:
	// {"name":"dynamic-range","mode":"weight_only","weights":{"bits":8,"symmetric":true,"narrow":true,"per_channel":true},"activations":{"bits":0,"symmetric":false,"narrow":false,"per_channel":false},"decay":0,"min_elements":0} <nil>
	// quant: recipe "dynamic-range": weights of 3 bits; only 4 and 8 are supported
}

func ExampleQuantizeMultiplier() {
	m := quant.QuantizeMultiplier(0.0375)
	fmt.Println(m.Mantissa, m.Exponent, m.Apply(1000))
	// Output: 1288490189 -4 38
}
