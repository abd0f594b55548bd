package layers_test

import (
	"fmt"

	"github.com/goqat/goqat/layers"
)

// A residual block that halves the image: the shortcut takes the same strides and
// gives as many channels as the body.
func ExampleResidual() {
	block := layers.Residual{
		Body: layers.Sequential{
			layers.Conv2D{Filters: 16, Kernel: [2]int{3, 3}, Strides: [2]int{2, 2}, Padding: layers.Same, Activation: layers.ActReLU},
			layers.Conv2D{Filters: 16, Kernel: [2]int{3, 3}, Padding: layers.Same},
		},
		Activation: layers.ActReLU,
	}
	_, err := layers.Sequential{block}.Build(layers.Input{8, 8, 4}, 1)
	fmt.Println(err)

	block.Shortcut = layers.Conv2D{Filters: 16, Kernel: [2]int{1, 1}, Strides: [2]int{2, 2}, Padding: layers.Same}
	net, err := layers.Sequential{block}.Build(layers.Input{8, 8, 4}, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, n := range net.Nodes {
		fmt.Println(n.Name, n.Op.Name(), n.Output.Shape)
	}
	// Output:
	// layers: layer 0 (Residual "residual"): the body, which ends in "conv2d_1", has shape (None, 4, 4, 16), but the shortcut, which ends in "input", has shape (None, 8, 8, 4): use Shortcut: Conv2D{Filters: 16, Kernel: [2]int{1, 1}, Strides: [2]int{2, 2}, Padding: Same}
	// conv2d CONV_2D [1 4 4 16]
	// conv2d/relu RELU [1 4 4 16]
	// conv2d_1 CONV_2D [1 4 4 16]
	// conv2d_2 CONV_2D [1 4 4 16]
	// residual ADD [1 4 4 16]
	// residual/relu RELU [1 4 4 16]
}
