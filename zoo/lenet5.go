package zoo

import "github.com/goqat/goqat/layers"

// leNet5 is LeNet-5 as it is taught today: the second convolution sees all
// channels of the first, averages have no weights, and the output is dense.
var leNet5 = Network{
	Name:    "lenet5",
	About:   "handwritten digits: two convolutions and three dense layers with tanh",
	Source:  "LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document recognition, 1998",
	Input:   layers.Input{28, 28, 1},
	Outputs: 10, Parameters: 61_706,
	Layers: func(outputs int) layers.Sequential {
		return layers.Sequential{
			layers.Conv2D{Filters: 6, Kernel: [2]int{5, 5}, Padding: layers.Same, Activation: layers.ActTanh},
			layers.AveragePool2D{},
			layers.Conv2D{Filters: 16, Kernel: [2]int{5, 5}, Activation: layers.ActTanh},
			layers.AveragePool2D{},
			layers.Flatten{},
			layers.Dense{Units: 120, Activation: layers.ActTanh},
			layers.Dense{Units: 84, Activation: layers.ActTanh},
			layers.Dense{Units: outputs},
		}
	},
}
