package zoo

import "github.com/goqat/goqat/layers"

// dsCNN is MLPerf Tiny's network for keyword spotting: depthwise separable
// convolutions on 49 frames of 10 MFCC coefficients.
var dsCNN = Network{
	Name:    "ds-cnn",
	About:   "keyword spotting: 49 frames of 10 MFCC coefficients",
	Source:  "MLPerf Tiny, keyword_spotting, after Zhang, Suda, Lai and Chandra, Hello Edge, 2017",
	Input:   layers.Input{49, 10, 1},
	Outputs: 12, Parameters: 24_908,
	Layers: func(outputs int) layers.Sequential {
		const filters = 64
		s := layers.Sequential{
			layers.Conv2D{Filters: filters, Kernel: [2]int{10, 4}, Strides: [2]int{2, 2}, Padding: layers.Same},
			layers.BatchNorm{}, layers.ReLU{}, layers.Dropout{Rate: 0.2},
		}
		for range 4 {
			s = append(s, separable(filters, 1)...)
		}
		return append(s, layers.Dropout{Rate: 0.4}, layers.GlobalAveragePool2D{}, layers.Dense{Units: outputs})
	},
}

// separable is a depthwise convolution of 3x3 and a pointwise one, each with
// BatchNorm and relu.
func separable(filters, stride int) layers.Sequential {
	return layers.Sequential{
		layers.DepthwiseConv2D{Kernel: [2]int{3, 3}, Strides: [2]int{stride, stride}, Padding: layers.Same},
		layers.BatchNorm{}, layers.ReLU{},
		layers.Conv2D{Filters: filters, Kernel: [2]int{1, 1}},
		layers.BatchNorm{}, layers.ReLU{},
	}
}
