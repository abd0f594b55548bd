package operators

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/schema"
)

var maxPool2D = Row{
	Code:     schema.BuiltinOperatorMAX_POOL_2D,
	Options:  schema.BuiltinOptionsPool2DOptions,
	Kinds:    sameTypeKinds(1, 2, 3),
	Runtimes: []string{"1.5.0", "1.14.0", "2.3.0"},
	Write: func(b *flatbuffers.Builder, op graph.Op) flatbuffers.UOffsetT {
		return writePool(b, op.(graph.MaxPool2D).Pool)
	},
	Read: func(s Source) (graph.Op, []*graph.Tensor, error) {
		p, err := readPool(s)
		return graph.MaxPool2D{Pool: p}, s.Inputs, err
	},
}

var averagePool2D = Row{
	Code:     schema.BuiltinOperatorAVERAGE_POOL_2D,
	Options:  schema.BuiltinOptionsPool2DOptions,
	Kinds:    sameTypeKinds(1, 2, 3),
	Runtimes: []string{"1.5.0", "1.14.0", "2.3.0"},
	Write: func(b *flatbuffers.Builder, op graph.Op) flatbuffers.UOffsetT {
		return writePool(b, op.(graph.AveragePool2D).Pool)
	},
	Read: func(s Source) (graph.Op, []*graph.Tensor, error) {
		p, err := readPool(s)
		return graph.AveragePool2D{Pool: p}, s.Inputs, err
	},
}

// sameTypeKinds are the number types of operators with one input of the
// output's type, with the versions for float, int8 and int16.
func sameTypeKinds(float, integer, wide int) []Kind {
	return append(sameTypeKinds8(float, integer), Kind{[]graph.Type{graph.Int16}, graph.Int16, wide})
}

// sameTypeKinds8 are those of operators that no kernel has for int16.
func sameTypeKinds8(float, integer int) []Kind {
	return []Kind{
		{[]graph.Type{graph.Float32}, graph.Float32, float},
		{[]graph.Type{graph.Int8}, graph.Int8, integer},
	}
}

func writePool(b *flatbuffers.Builder, p graph.Pool) flatbuffers.UOffsetT {
	schema.Pool2DOptionsStart(b)
	schema.Pool2DOptionsAddPadding(b, paddingCode(p.Padding))
	schema.Pool2DOptionsAddStrideW(b, int32(p.StrideW))
	schema.Pool2DOptionsAddStrideH(b, int32(p.StrideH))
	schema.Pool2DOptionsAddFilterWidth(b, int32(p.FilterW))
	schema.Pool2DOptionsAddFilterHeight(b, int32(p.FilterH))
	return schema.Pool2DOptionsEnd(b)
}

func readPool(s Source) (graph.Pool, error) {
	if err := s.Require(schema.BuiltinOptionsPool2DOptions); err != nil {
		return graph.Pool{}, err
	}
	var o schema.Pool2DOptions
	o.Init(s.Table.Bytes, s.Table.Pos)
	if err := noActivation(o.FusedActivationFunction()); err != nil {
		return graph.Pool{}, err
	}
	padding, err := paddingOf(o.Padding())
	return graph.Pool{
		Padding: padding,
		FilterH: int(o.FilterHeight()), FilterW: int(o.FilterWidth()),
		StrideH: int(o.StrideH()), StrideW: int(o.StrideW()),
	}, err
}
