package zoo

import "github.com/goqat/goqat/layers"

// mobileNet is MLPerf Tiny's network for visual wake words: MobileNetV1 with a
// quarter of its channels.
var mobileNet = Network{
	Name:    "mobilenet",
	About:   "visual wake words: MobileNetV1 at width 0.25 on images of 96x96",
	Source:  "MLPerf Tiny, visual_wake_words, after Howard et al., MobileNets, 2017",
	Input:   layers.Input{96, 96, 3},
	Outputs: 2, Parameters: 221_794,
	Layers: func(outputs int) layers.Sequential {
		s := layers.Sequential{
			layers.Conv2D{Filters: 8, Kernel: [2]int{3, 3}, Strides: [2]int{2, 2}, Padding: layers.Same},
			layers.BatchNorm{}, layers.ReLU{},
		}
		for _, b := range []struct{ filters, stride int }{
			{16, 1}, {32, 2}, {32, 1}, {64, 2}, {64, 1}, {128, 2}, {128, 1}, {128, 1}, {128, 1}, {128, 1}, {128, 1}, {256, 2}, {256, 1},
		} {
			s = append(s, separable(b.filters, b.stride)...)
		}
		return append(s, layers.GlobalAveragePool2D{}, layers.Dense{Units: outputs})
	},
}
