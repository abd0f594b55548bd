package tflite

import (
	"encoding/binary"
	"fmt"
	"math"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/tflite/internal/schema"
)

const (
	identifier = "TFL3"
	// fileVersion is the schema version; every runtime refuses any other.
	fileVersion = 3
	// alignment of constants in bytes: runtimes map the file and read in place.
	alignment = 16
	// maxRank bounds the axes of a shape; no runtime takes more than 8.
	maxRank = 8
	// maxSize is the most a FlatBuffer can hold.
	maxSize = math.MaxInt32
	// signatureKey names the signature that get_signature_runner finds unasked.
	signatureKey = "serving_default"
	// runtimeKey names the metadata with the least runtime version.
	runtimeKey = "min_runtime_version"
)

// file is what a .tflite file says, with every offset followed and checked but
// nothing judged: indices may be wrong and types unknown.
type file struct {
	data        []byte
	description string
	codes       []opCode
	buffers     []buffer
	subgraphs   []subgraph
	metadata    []metadata
	signatures  []signature
}

// subgraph is one network of a file: the main one, which is the first, or one
// that an operator calls or a signature names.
type subgraph struct {
	name            string
	tensors         []tensor
	inputs, outputs []int
	operators       []fileOperator
}

// signature gives names to the inputs and outputs of a subgraph.
type signature struct {
	key             string
	subgraph        int
	inputs, outputs []entry
}

// entry is a tensor that a signature names.
type entry struct {
	name   string
	tensor int
}

// opCode is an operator at one of its versions.
type opCode struct {
	number  int
	text    string // the name of a custom operator
	version int
}

func (c opCode) custom() bool { return c.number == int(schema.BuiltinOperatorCUSTOM) }

// buffer is a range of the file; size 0 for no data.
type buffer struct{ at, size int }

type tensor struct {
	at               int // byte offset of its table
	name             string
	typ              schema.TensorType
	buffer           int
	shape, signature []int
	scale            []float32
	zero             []int64
	axis             int
	// Byte ranges of the quantization vectors: vectors may be shared.
	quantBytes []buffer
	// unsupported says what of the format the tensor uses that is not read;
	// empty for nothing.
	unsupported string
}

type fileOperator struct {
	at              int // byte offset of its table
	code            int // index into codes
	inputs, outputs []int
	kind            schema.BuiltinOptions
	options         flatbuffers.Table
	// stable is the number of a table of options for StableHLO; 0 for none.
	stable int
	custom buffer // options of a custom operator
	// intermediates counts the tensors for the operator's own use, and mutated
	// says that it changes inputs: state.
	intermediates int
	mutated       bool
}

type metadata struct {
	name   string
	buffer int
}

// bytes returns the constant data of a tensor, nil for none.
func (f *file) bytes(t *tensor) []byte {
	if t.buffer < 0 || t.buffer >= len(f.buffers) || f.buffers[t.buffer].size == 0 {
		return nil
	}
	b := f.buffers[t.buffer]
	return f.data[b.at : b.at+b.size]
}

// runtime returns the least runtime version that the file's metadata names,
// empty if it names none.
func (f *file) runtime() string {
	for _, m := range f.metadata {
		if m.name == runtimeKey && m.buffer >= 0 && m.buffer < len(f.buffers) {
			b := f.buffers[m.buffer]
			text := f.data[b.at : b.at+b.size]
			for i, c := range text {
				if c == 0 {
					text = text[:i]
					break
				}
			}
			return string(text)
		}
	}
	return ""
}

// operatorName returns the name of an operator, by the schema or, for a custom
// one, by its own.
func (c opCode) operatorName() string {
	switch name, known := schema.EnumNamesBuiltinOperator[schema.BuiltinOperator(c.number)]; {
	case c.custom():
		return "custom operator " + c.text
	case known:
		return name
	}
	return fmt.Sprintf("operator %d", c.number)
}

// little is the byte order of the format.
var little = binary.LittleEndian
