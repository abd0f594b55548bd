package tflite

import (
	"fmt"
	"io"
	"os"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/format"
	"github.com/goqat/goqat/tflite/internal/importer"
)

// Read reads a model. See [Unmarshal].
func Read(r io.Reader) (*graph.Graph, error) {
	data, err := io.ReadAll(io.LimitReader(r, format.MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("tflite: %w", err)
	}
	return Unmarshal(data)
}

// ReadFile reads the model in the named file. See [Unmarshal].
func ReadFile(path string) (*graph.Graph, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("tflite: %w", err)
	}
	g, err := Unmarshal(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return g, nil
}

// Unmarshal returns the network that the bytes of a .tflite file describe:
// float32, float16 weights, int8 or hybrid. All data becomes constants; see
// [Trainable] for more. Fused activations stay in their operators. Operators that
// are not known, or not in their form, become [graph.Foreign]; networks behind the
// first become its Subgraphs, in which all operators do.
//
// Names are those of the file; tensors without a name get one from their index,
// and equal names are numbered. Nodes are named after their outputs, and those that
// the file has not after the operator that they are part of.
//
// Errors: damaged files and those that no graph can hold, all faults joined, each
// with the index of the tensor or operator and the byte offset of its table.
func Unmarshal(data []byte) (*graph.Graph, error) {
	f, err := format.Parse(data)
	if err != nil {
		return nil, err
	}
	g, _, err := importer.Graph(f)
	return g, err
}
