package layers_test

import (
	"context"
	"fmt"
	"os"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/layers"
)

func ExampleSequential_Build() {
	net, err := layers.Sequential{
		layers.Conv2D{Filters: 4, Kernel: [2]int{3, 3}, Padding: layers.Same, NoBias: true},
		layers.BatchNorm{},
		layers.ReLU{},
		layers.MaxPool2D{},
		layers.Flatten{},
		layers.Dense{Units: 10},
	}.Build(layers.Input{8, 8, 1}, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, n := range net.Nodes {
		fmt.Println(n.Output)
	}
	// Output:
	// conv2d float32[1 8 8 4]
	// batch_normalization float32[1 8 8 4]
	// re_lu float32[1 8 8 4]
	// max_pooling2d float32[1 4 4 4]
	// flatten float32[1 64]
	// dense float32[1 10]
}

// Errors name the layer.
func ExampleSequential_Build_error() {
	_, err := layers.Sequential{
		layers.Flatten{},
		layers.Conv2D{Filters: 4, Kernel: [2]int{3, 3}, Name: "late"},
	}.Build(layers.Input{8, 8, 1}, 1)
	fmt.Println(err)
	// Output:
	// layers: layer 1 (Conv2D "late"): graph: node "late" (CONV_2D): input 0 has shape [1 64], want an image [N, H, W, C]
}

func ExampleSequential_Summary() {
	err := layers.Sequential{
		layers.Flatten{},
		layers.Dense{Units: 32, Activation: layers.ActReLU},
		layers.Dense{Units: 10},
	}.Summary(os.Stdout, layers.Input{8, 8})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// Model: "sequential"
	// ┏━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━┳━━━━━━━━━┓
	// ┃ Layer (type)      ┃ Output Shape ┃ Param # ┃
	// ┡━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━╇━━━━━━━━━┩
	// │ flatten (Flatten) │ (None, 64)   │       0 │
	// ├───────────────────┼──────────────┼─────────┤
	// │ dense (Dense)     │ (None, 32)   │   2,080 │
	// ├───────────────────┼──────────────┼─────────┤
	// │ dense_1 (Dense)   │ (None, 10)   │     330 │
	// └───────────────────┴──────────────┴─────────┘
	//  Total params: 2,410 (9.41 KB)
	//  Trainable params: 2,410 (9.41 KB)
	//  Non-trainable params: 0 (0.00 B)
}

// The model of this network takes what the sensor gives, in its own units.
func ExampleNormalization_Adapt() {
	readings, err := data.NewMemory(data.Arrays{InputShape: []int{2}, X: []float32{20, 990, 22, 1010, 24, 1000}, Y: []float32{0, 1, 1}})
	if err != nil {
		fmt.Println(err)
		return
	}
	normalization, err := layers.Normalization{}.Adapt(context.Background(), readings)
	if err != nil {
		fmt.Println(err)
		return
	}
	net, err := layers.Sequential{normalization, layers.Dense{Units: 1}}.Build(layers.Input{2}, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(normalization.Mean, normalization.Variance)
	fmt.Println(net.Nodes[0].Op.Name(), net.Nodes[1].Op.Name())
	// Output:
	// [22 1000] [2.6666667 66.666664]
	// AFFINE FULLY_CONNECTED
}
