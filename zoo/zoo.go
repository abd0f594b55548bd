package zoo

import (
	"fmt"
	"strings"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
)

// Network is an entry of the zoo.
type Network struct {
	// Name is what commands call it: "resnet8".
	Name string
	// About says in a line what it is for, and Source where it is from.
	About, Source string
	// Input and Outputs are the published shapes. Convolutional networks take
	// other images, and any number of outputs.
	Input   layers.Input
	Outputs int
	// Parameters is the published number of parameters for these shapes, moving
	// statistics included.
	Parameters int
	// Layers returns the network for a number of outputs.
	Layers func(outputs int) layers.Sequential
}

// networks are the entries, in the order in which they are listed.
var networks = []Network{
	resNet8,
	dsCNN,
	mobileNet,
	autoencoder,
	leNet5,
	accelerometer,
}

// Networks returns all entries.
func Networks() []Network { return append([]Network(nil), networks...) }

// ByName returns an entry.
//
// Errors: an unknown name; the error lists the known ones.
func ByName(name string) (Network, error) {
	var known []string
	for _, n := range networks {
		if n.Name == name {
			return n, nil
		}
		known = append(known, n.Name)
	}
	return Network{}, fmt.Errorf("zoo: no network %q: there are %s", name, strings.Join(known, ", "))
}

// Build returns the float network for an input, n.Input or another, and a number
// of outputs; see [layers.Sequential.Build].
//
// Errors: inputs that its layers cannot take, by layer.
func (n Network) Build(in layers.Input, outputs int, seed uint64) (*graph.Graph, error) {
	g, err := n.Layers(outputs).Build(in, seed)
	if err != nil {
		return nil, fmt.Errorf("zoo: %s: %w", n.Name, err)
	}
	g.Name = n.Name
	return g, nil
}
