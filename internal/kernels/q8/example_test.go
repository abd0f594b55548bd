package q8_test

import (
	"fmt"

	"github.com/goqat/goqat/internal/kernels/q8"
	"github.com/goqat/goqat/quant"
)

func ExampleNewFullyConnected() {
	fc, err := q8.NewFullyConnected(q8.FullyConnectedSpec{
		Inputs: 2, Outputs: 1,
		Input:  quant.PerTensor(0.5, 0),
		Weight: quant.PerTensor(0.25, 0),
		Output: quant.PerTensor(1, 0),
	}, []int8{4, -8}, []int32{16}) // weights 1 and -2, bias 16 * 0.5 * 0.25 = 2
	if err != nil {
		fmt.Println(err)
		return
	}
	src := []int8{6, 2, 100, -100} // 3, 1; 50, -50
	dst := make([]int8, 2)
	fc.Run(dst, src, 2)
	fmt.Println(dst) // 3 - 2 + 2; 50 + 100 + 2 saturates
	// Output: [3 127]
}

func ExampleNewRequantize() {
	toUnsigned, err := q8.NewRequantize[int8, uint8](quant.PerTensor(0.5, 0), quant.PerTensor(0.25, 128), q8.LiteRT)
	if err != nil {
		fmt.Println(err)
		return
	}
	dst := make([]uint8, 3)
	toUnsigned.Run(dst, []int8{-10, 0, 10})
	fmt.Println(dst)
	// Output: [108 128 148]
}

func ExampleQuantizeAsymmetric() {
	codes := make([]int8, 3)
	scale, zeroPoint := q8.QuantizeAsymmetric(codes, []float32{0, 51, 255})
	fmt.Println(codes, scale, zeroPoint)
	// Output: [-128 -77 127] 1 -128
}
