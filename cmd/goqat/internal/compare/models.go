package compare

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/zoo"
)

// Model is a network that can be compared.
type Model struct {
	// Name is what the command calls it, About says in a line what it is.
	Name, About string
	// Own are the data that it learns from where none are named.
	Own Own
	// input is one that it takes. Others may have other sizes, but not another
	// number of axes; nil takes any.
	input layers.Input
	// layers returns the network for a number of outputs, for a [Source] that is
	// small or not.
	layers func(outputs int, small bool) layers.Sequential
	task   task
}

// Own are a model's own data.
type Own struct {
	About string
	// epochs and qatEpochs suit them.
	epochs, qatEpochs int
	open              func() (Source, error)
}

// models are the networks by name, in the order in which they are listed.
var models = slices.Concat([]Model{
	{
		Name: "cnn", About: "two convolutions of 3x3 with 16 and 32 filters, each with a maximum over 2x2, and a dense layer",
		Own: Own{"handwritten digits, 8x8", 30, 10, openDigits}, layers: cnn, task: classification{},
	},
	{
		Name: "mlp", About: "a dense layer of 128 and one of as many outputs as there are classes",
		Own: Own{"handwritten digits, 8x8", 30, 10, openDigits}, layers: mlp, task: classification{},
	},
}, zooModels())

// zooModels are the networks of package zoo.
func zooModels() (list []Model) {
	for _, n := range zoo.Networks() {
		m := Model{
			Name: n.Name, About: n.About, input: n.Input, task: classification{},
			Own:    Own{"handwritten digits, 8x8", 15, 6, openDigits},
			layers: func(outputs int, _ bool) layers.Sequential { return n.Layers(outputs) },
		}
		switch n.Name {
		case "accelerometer":
			m.Own = Own{"synthetic motion", 30, 10, openMotion}
		case "autoencoder":
			m.Own, m.task = Own{"synthetic sounds of a machine", 20, 6, openMachine}, detection{}
		case "ds-cnn":
			m.Own = Own{"synthetic spoken words", 25, 5, openWords}
		case "lenet5":
			m.Own = Own{"handwritten digits, enlarged to 32x32", 10, 3, openLargeDigits}
		case "mobilenet":
			m.Own = Own{"handwritten digits, enlarged to 32x32", 20, 6, openLargeDigits}
		}
		list = append(list, m)
	}
	return list
}

// Models returns all networks.
func Models() []Model { return slices.Clone(models) }

// ByName returns a network; the empty name is the first one's.
//
// Errors: an unknown name; the error lists the known ones.
func ByName(name string) (Model, error) {
	var known []string
	for _, m := range models {
		if m.Name == name || name == "" {
			return m, nil
		}
		known = append(known, m.Name)
	}
	return Model{}, fmt.Errorf("unknown model %q: use %s", name, strings.Join(known, ", "))
}

// build returns the network for a source, with fresh weights.
//
// Errors: inputs that its layers cannot take, with what it takes.
func (m Model) build(s Source, seed uint64) (*graph.Graph, error) {
	shape := s.Train.InputShape()
	var g *graph.Graph
	err := errors.New("another number of axes")
	if m.input == nil || len(shape) == len(m.input) {
		g, err = m.layers(m.task.outputs(shape, data.Classes(s.Test)), s.Small).Build(shape, seed)
	}
	if err != nil && m.input != nil {
		err = fmt.Errorf("compare: %s takes inputs such as %v, those of data set %q have shape %v: %w", m.Name, []int(m.input), s.Name, shape, err)
	}
	return g, err
}

// shaped is a set in the shape that the model takes: without the last axis, of
// length 1, of files that hold series.
func (m Model) shaped(ds data.Dataset) data.Dataset {
	shape := ds.InputShape()
	if n := len(shape) - 1; n > 0 && n == len(m.input) && shape[n] == 1 {
		return &reshaped{ds, shape[:n]}
	}
	return ds
}

type reshaped struct {
	data.Dataset
	shape []int
}

func (r *reshaped) InputShape() []int { return r.shape }
func (r *reshaped) Classes() int      { return data.Classes(r.Dataset) }

// cnn has BatchNorm instead of biases on a small source.
func cnn(classes int, small bool) (net layers.Sequential) {
	for _, filters := range []int{16, 32} {
		net = append(net, convolution(filters, small), layers.MaxPool2D{Pool: [2]int{2, 2}})
	}
	return append(net, layers.Flatten{}, layers.Dense{Units: classes})
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

func mlp(classes int, _ bool) layers.Sequential {
	return layers.Sequential{layers.Flatten{}, layers.Dense{Units: 128, Activation: layers.ActReLU}, layers.Dense{Units: classes}}
}
