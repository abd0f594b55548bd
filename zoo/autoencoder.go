package zoo

import "github.com/goqat/goqat/layers"

// autoencoder is MLPerf Tiny's network for anomaly detection in the sound of
// machines. It learns to give its input back: five frames of 128 log-mel bands
// of normal sound. What it gives back badly is an anomaly.
var autoencoder = Network{
	Name:    "autoencoder",
	About:   "anomaly detection: 5 frames of 128 log-mel bands, given back",
	Source:  "MLPerf Tiny, anomaly_detection, after the DCASE 2020 task 2 baseline",
	Input:   layers.Input{640},
	Outputs: 640, Parameters: 269_992,
	Layers: func(outputs int) layers.Sequential {
		var s layers.Sequential
		for _, units := range []int{128, 128, 128, 128, 8, 128, 128, 128, 128} {
			s = append(s, layers.Dense{Units: units}, layers.BatchNorm{}, layers.ReLU{})
		}
		return append(s, layers.Dense{Units: outputs})
	},
}
