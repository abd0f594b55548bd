package format

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/tflite/internal/schema"
)

const (
	// Identifier stands in bytes 4 to 7 of every file.
	Identifier = "TFL3"
	// FileVersion is the schema version; every runtime refuses any other.
	FileVersion = 3
	// Alignment of constants in bytes: runtimes map the file and read in place.
	Alignment = 16
	// MaxRank bounds the axes of a shape; no runtime takes more than 8.
	MaxRank = 8
	// MaxSize is the most a FlatBuffer can hold.
	MaxSize = math.MaxInt32
	// SignatureKey names the signature that get_signature_runner finds unasked.
	SignatureKey = "serving_default"
	// RuntimeKey names the metadata with the least runtime version.
	RuntimeKey = "min_runtime_version"
)

// File is what a .tflite file says, with every offset followed and checked but
// nothing judged: indices may be wrong and types unknown.
type File struct {
	Data        []byte
	Description string
	Codes       []Code
	Buffers     []Buffer
	Subgraphs   []Subgraph
	Metadata    []Metadata
	Signatures  []Signature
}

// Subgraph is one network of a file: the main one, which is the first, or one
// that an operator calls or a signature names.
type Subgraph struct {
	Name            string
	Tensors         []Tensor
	Inputs, Outputs []int
	Operators       []Operator
}

// Signature gives names to the inputs and outputs of a subgraph.
type Signature struct {
	Key             string
	Subgraph        int
	Inputs, Outputs []Entry
}

// Entry is a tensor that a signature names.
type Entry struct {
	Name   string
	Tensor int
}

// Code is an operator at one of its versions.
type Code struct {
	Number  int
	Text    string // the name of a custom operator
	Version int
}

// Custom reports an operator that the format does not define.
func (c Code) Custom() bool { return c.Number == int(schema.BuiltinOperatorCUSTOM) }

// Buffer is a range of the file; size 0 for no data.
type Buffer struct{ At, Size int }

// Tensor is a tensor of a file.
type Tensor struct {
	At               int // byte offset of its table
	Name             string
	Type             schema.TensorType
	Buffer           int
	Shape, Signature []int
	Scale            []float32
	Zero             []int64
	Axis             int
	// Byte ranges of the quantization vectors: vectors may be shared.
	QuantBytes []Buffer
	State      bool // kept from run to run
	Elsewhere  bool // data in another file
	// Unsupported says what of the format the tensor uses that is not read;
	// empty for nothing.
	Unsupported string
}

// Operator is one step of a subgraph.
type Operator struct {
	At              int // byte offset of its table
	Code            int // index into codes
	Inputs, Outputs []int
	Kind            schema.BuiltinOptions
	Options         flatbuffers.Table
	// Stable is the number of a table of options for StableHLO; 0 for none.
	Stable int
	Custom Buffer // options of a custom operator
	// Intermediates counts the tensors for the operator's own use, and Mutates says
	// which inputs, that are state, it changes.
	Intermediates int
	Mutates       []bool
}

type Metadata struct {
	Name   string
	buffer int
}

// Bytes returns the constant data of a tensor, nil for none.
func (f *File) Bytes(t *Tensor) []byte {
	if t.Buffer < 0 || t.Buffer >= len(f.Buffers) || f.Buffers[t.Buffer].Size == 0 {
		return nil
	}
	b := f.Buffers[t.Buffer]
	return f.Data[b.At : b.At+b.Size]
}

// UnknownSize reports a tensor that has sizes which the file does not know, other
// than the batch, the first axis, for which its shape says 1.
func (t *Tensor) UnknownSize() bool {
	return len(t.Signature) > 1 && slices.Contains(t.Signature[1:], -1)
}

// Agrees reports whether a shape is what the file says of a tensor, as far as it
// knows.
func (t *Tensor) Agrees(shape []int) bool {
	known := t.Shape
	if len(t.Signature) > 0 {
		known = t.Signature
	}
	return slices.EqualFunc(known, shape, func(a, b int) bool { return a == b || a == -1 })
}

// Runtime returns the least runtime version that the file's metadata names,
// empty if it names none.
func (f *File) Runtime() string {
	for _, m := range f.Metadata {
		if m.Name == RuntimeKey && m.buffer >= 0 && m.buffer < len(f.Buffers) {
			b := f.Buffers[m.buffer]
			text := f.Data[b.At : b.At+b.Size]
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

// OperatorName returns the name of an operator, by the schema or, for a custom
// one, by its own.
func (c Code) OperatorName() string {
	switch name, known := schema.EnumNamesBuiltinOperator[schema.BuiltinOperator(c.Number)]; {
	case c.Custom():
		return "custom operator " + c.Text
	case known:
		return name
	}
	return fmt.Sprintf("operator %d", c.Number)
}

// little is the byte order of the format.
var little = binary.LittleEndian
