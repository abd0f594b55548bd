package zoo

import "github.com/goqat/goqat/layers"

// resNet8 is MLPerf Tiny's network for image classification: three residual
// blocks of two convolutions.
var resNet8 = Network{
	Name:    "resnet8",
	About:   "image classification: three residual blocks on images of 32x32",
	Source:  "MLPerf Tiny, image_classification, after He et al., Deep residual learning for image recognition, 2015",
	Input:   layers.Input{32, 32, 3},
	Outputs: 10, Parameters: 78_666,
	Layers: func(outputs int) layers.Sequential {
		return layers.Sequential{
			residualConv(16, 3, 1), layers.BatchNorm{}, layers.ReLU{},
			residualBlock(16, 1),
			residualBlock(32, 2),
			residualBlock(64, 2),
			layers.GlobalAveragePool2D{},
			layers.Dense{Units: outputs, KernelInit: layers.HeNormal{}},
		}
	},
}

// residualBlock is two convolutions of 3x3 and, where they change the shape, one
// of 1x1 beside them.
func residualBlock(filters, stride int) layers.Layer {
	b := layers.Residual{
		Body: layers.Sequential{
			residualConv(filters, 3, stride), layers.BatchNorm{}, layers.ReLU{},
			residualConv(filters, 3, 1), layers.BatchNorm{},
		},
		Activation: layers.ActReLU,
	}
	if stride > 1 {
		b.Shortcut = residualConv(filters, 1, stride)
	}
	return b
}

func residualConv(filters, kernel, stride int) layers.Layer {
	return layers.Conv2D{
		Filters: filters, Kernel: [2]int{kernel, kernel}, Strides: [2]int{stride, stride}, Padding: layers.Same, KernelInit: layers.HeNormal{},
	}
}
