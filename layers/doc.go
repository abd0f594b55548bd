// Package layers describes networks with Keras' layers and lowers them to
// graphs. A layer is a plain struct: its zero value is Keras' default, it holds
// configuration and never weights, and it may be used in several networks.
//
// The functions you want are [Sequential.Build] and [Sequential.Summary]:
//
//	net, err := layers.Sequential{
//		layers.Conv2D{Filters: 16, Kernel: [2]int{3, 3}, Padding: layers.Same, NoBias: true},
//		layers.BatchNorm{},
//		layers.ReLU{},
//		layers.MaxPool2D{},
//		layers.Flatten{},
//		layers.Dense{Units: 10},
//	}.Build(layers.Input{28, 28, 1}, seed)
//
// Shapes are checked while building; an error names the layer by position, type
// and name. Weights depend on the seed and on the layer's position only, so that
// a layer added at the end changes no weights before it.
//
// A network stays a chain where it branches: [Residual], [Concat], [Add],
// [Subtract] and [Multiply] hold the layers of their branches, and Sequential is
// a layer. A block of another kind is a [Layer] of its own that lowers others;
// see [Builder.Lower].
//
// The package does not compute and does not quantize: quantization is a pass
// over the graph.
package layers
