package graph

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
)

// operators is the table of operators that files can hold, by name. An operator
// is stored as its name and the JSON of its struct.
var operators = map[string]func(options []byte) (Op, error){
	Add{}.Name():             decoder[Add],
	Concat{}.Name():          decoder[Concat],
	FullyConnected{}.Name():  decoder[FullyConnected],
	Conv2D{}.Name():          decoder[Conv2D],
	DepthwiseConv2D{}.Name(): decoder[DepthwiseConv2D],
	MaxPool2D{}.Name():       decoder[MaxPool2D],
	AveragePool2D{}.Name():   decoder[AveragePool2D],
	Mul{}.Name():             decoder[Mul],
	Reshape{}.Name():         decoder[Reshape],
	Pad{}.Name():             decoder[Pad],
	StridedSlice{}.Name():    decoder[StridedSlice],
	Transpose{}.Name():       decoder[Transpose],
	Mean{}.Name():            decoder[Mean],
	ReduceMax{}.Name():       decoder[ReduceMax],
	Softmax{}.Name():         decoder[Softmax],
	Sub{}.Name():             decoder[Sub],
	Relu{}.Name():            decoder[Relu],
	Relu6{}.Name():           decoder[Relu6],
	LeakyRelu{}.Name():       decoder[LeakyRelu],
	Prelu{}.Name():           decoder[Prelu],
	Elu{}.Name():             decoder[Elu],
	HardSwish{}.Name():       decoder[HardSwish],
	Logistic{}.Name():        decoder[Logistic],
	Tanh{}.Name():            decoder[Tanh],
	Quantize{}.Name():        decoder[Quantize],
	Dequantize{}.Name():      decoder[Dequantize],
	Affine{}.Name():          decoder[Affine],
	BatchNorm{}.Name():       decoder[BatchNorm],
	FoldWeights{}.Name():     decoder[FoldWeights],
	FoldBias{}.Name():        decoder[FoldBias],
	Dropout{}.Name():         decoder[Dropout],
	FakeQuant{}.Name():       decoder[FakeQuant],
	TransposeConv{}.Name():   decoder[TransposeConv],

	ResizeNearestNeighbor{}.Name(): decoder[ResizeNearestNeighbor],
}

// Operators returns every operator with its zero configuration, by name. Other
// packages' tests hold their own tables against it.
func Operators() []Op {
	var ops []Op
	for _, name := range slices.Sorted(maps.Keys(operators)) {
		op, err := operators[name]([]byte("{}"))
		if err == nil { // an empty object has no field to refuse
			ops = append(ops, op)
		}
	}
	return ops
}

// decoder reads the options of operator T.
func decoder[T Op](options []byte) (Op, error) {
	var op T
	err := unmarshalStrict(options, &op)
	return op, err
}

// unmarshalStrict is json.Unmarshal that refuses unknown fields and anything
// after the value: what we would drop silently, a newer version may need.
func unmarshalStrict(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("byte %d of %d: %w", d.InputOffset(), len(data), err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("byte %d of %d: more than one value", d.InputOffset(), len(data))
	}
	return nil
}
