package bench

import "github.com/goqat/goqat/layers"

// Network is a network to train: ten classes of images of 28x28.
type Network struct {
	Name   string
	About  string
	Layers layers.Sequential
}

// Networks are all there are. Their outputs are logits.
var Networks = []Network{
	{"mlp", "784-128-10", layers.Sequential{
		layers.Flatten{}, layers.Dense{Units: 128, Activation: layers.ActReLU}, logits,
	}},
	{"tutorial", "conv 3x3x12 valid, pool, dense: that of TensorFlow's QAT tutorial", layers.Sequential{
		layers.Conv2D{Filters: 12, Kernel: [2]int{3, 3}, Activation: layers.ActReLU}, pool, layers.Flatten{}, logits,
	}},
	{"cnn", "conv 3x3x16 same, pool, conv 3x3x32 same, pool, dense", layers.Sequential{
		layers.Conv2D{Filters: 16, Kernel: [2]int{3, 3}, Padding: layers.Same, Activation: layers.ActReLU}, pool,
		layers.Conv2D{Filters: 32, Kernel: [2]int{3, 3}, Padding: layers.Same, Activation: layers.ActReLU}, pool,
		layers.Flatten{}, logits,
	}},
	{"dscnn", "conv 3x3x32 stride 2, three times depthwise 3x3 and 1x1x32, each with BatchNorm, mean, dense", layers.Sequential{
		normalized(layers.Conv2D{Filters: 32, Kernel: [2]int{3, 3}, Strides: [2]int{2, 2}, Padding: layers.Same, NoBias: true}),
		separable, separable, separable,
		layers.GlobalAveragePool2D{}, logits,
	}},
}

var (
	logits    = layers.Dense{Units: classes}
	pool      = layers.MaxPool2D{Pool: [2]int{2, 2}}
	separable = layers.Sequential{
		normalized(layers.DepthwiseConv2D{Kernel: [2]int{3, 3}, Padding: layers.Same, NoBias: true}),
		normalized(layers.Conv2D{Filters: 32, Kernel: [2]int{1, 1}, Padding: layers.Same, NoBias: true}),
	}
)

// normalized is a convolution with BatchNorm and relu.
func normalized(l layers.Layer) layers.Layer {
	return layers.Sequential{l, layers.BatchNorm{}, layers.ReLU{}}
}
