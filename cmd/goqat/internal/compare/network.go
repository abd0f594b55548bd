package compare

import (
	"fmt"

	"github.com/goqat/goqat/layers"
)

// Model names a network.
type Model uint8

const (
	// CNN is two convolutions of 3x3 with 16 and 32 filters, each with relu and
	// a maximum over 2x2, and a dense layer. On a [Source] that is small, the
	// convolutions have BatchNorm instead of a bias.
	CNN Model = iota
	// MLP is a dense layer of 128 with relu and one of as many outputs as there
	// are classes.
	MLP
)

var modelNames = [...]string{CNN: "cnn", MLP: "mlp"}

func (m Model) String() string {
	if int(m) < len(modelNames) {
		return modelNames[m]
	}
	return fmt.Sprintf("model %d", uint8(m))
}

// MarshalText writes the model by name.
func (m Model) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads a model by name.
func (m *Model) UnmarshalText(b []byte) error {
	for i, name := range modelNames {
		if name == string(b) {
			*m = Model(i)
			return nil
		}
	}
	return fmt.Errorf("unknown model %q: use cnn or mlp", b)
}

// layers returns the network for images of so many classes, small or not. Its
// outputs are logits.
func (m Model) layers(classes int, small bool) (layers.Sequential, error) {
	logits := layers.Dense{Units: classes}
	switch m {
	case MLP:
		return layers.Sequential{layers.Flatten{}, layers.Dense{Units: 128, Activation: layers.ActReLU}, logits}, nil
	case CNN:
		var net layers.Sequential
		for _, filters := range []int{16, 32} {
			net = append(net, convolution(filters, small), layers.MaxPool2D{Pool: [2]int{2, 2}})
		}
		return append(net, layers.Flatten{}, logits), nil
	}
	return nil, fmt.Errorf("compare: unknown %v", m)
}

// convolution is a convolution with relu.
func convolution(filters int, normalized bool) layers.Layer {
	c := layers.Conv2D{Filters: filters, Kernel: [2]int{3, 3}, Padding: layers.Same}
	if !normalized {
		c.Activation = layers.ActReLU
		return c
	}
	c.NoBias = true
	return layers.Sequential{c, layers.BatchNorm{}, layers.ReLU{}}
}
