package zoo

import "github.com/goqat/goqat/layers"

// accelerometer is a network of one-dimensional layers for windows of 128
// samples of three axes. It is our own.
var accelerometer = Network{
	Name:    "accelerometer",
	About:   "activity recognition: windows of 128 samples of 3 axes, one-dimensional layers",
	Source:  "goqat",
	Input:   layers.Input{128, 3},
	Outputs: 4, Parameters: 4_060, // 336+64, 464+96, 888+128, 1696+192, 196
	Layers: func(outputs int) layers.Sequential {
		s := layers.Sequential{
			layers.Conv1D{Filters: 16, Kernel: 7, Strides: 2, Padding: layers.Same, NoBias: true},
			layers.BatchNorm{}, layers.ReLU{},
		}
		for _, filters := range []int{24, 32, 48} {
			s = append(s,
				layers.SeparableConv1D{Filters: filters, Kernel: 5, Padding: layers.Same, NoBias: true},
				layers.BatchNorm{}, layers.ReLU{},
				layers.MaxPool1D{},
			)
		}
		return append(s, layers.GlobalAveragePool1D{}, layers.Dropout{Rate: 0.2}, layers.Dense{Units: outputs})
	},
}
