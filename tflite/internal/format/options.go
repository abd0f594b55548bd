package format

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// optionText lists the option tables of the format: the number of each in the
// union, its name without "Options", and its fields in order, a - for one that is
// no longer used. A field is an int32 unless a kind follows its name, and 0 by
// default unless a number does. The tables of StableHLO operators are another
// union and not here.
//
// Source: LiteRT, tflite/converter/schema/schema.fbs.
const optionText = `
1 Conv2D padding:padding stride_w stride_h fused_activation_function:activation dilation_w_factor=1 dilation_h_factor=1 quantized_bias_type:type
2 DepthwiseConv2D padding:padding stride_w stride_h depth_multiplier fused_activation_function:activation dilation_w_factor=1 dilation_h_factor=1
3 ConcatEmbeddings num_channels num_columns_per_channel:ints embedding_dim_per_channel:ints
4 LSHProjection type:i8
5 Pool2D padding:padding stride_w stride_h filter_width filter_height fused_activation_function:activation
6 SVDF rank fused_activation_function:activation asymmetric_quantize_inputs:bool
7 RNN fused_activation_function:activation asymmetric_quantize_inputs:bool
8 FullyConnected fused_activation_function:activation weights_format:format keep_num_dims:bool asymmetric_quantize_inputs:bool quantized_bias_type:type
9 Softmax beta:f32
10 Concatenation axis fused_activation_function:activation
11 Add fused_activation_function:activation pot_scale_int16:bool=1
12 L2Norm fused_activation_function:activation
13 LocalResponseNormalization radius bias:f32 alpha:f32 beta:f32
14 LSTM fused_activation_function:activation cell_clip:f32 proj_clip:f32 kernel_type:kernel asymmetric_quantize_inputs:bool
15 ResizeBilinear - - align_corners:bool half_pixel_centers:bool
16 Call subgraph:u32
17 Reshape new_shape:ints
18 SkipGram ngram_size max_skip_size include_all_ngrams:bool
19 SpaceToDepth block_size
20 EmbeddingLookupSparse combiner:i8
21 Mul fused_activation_function:activation
22 Pad
23 Gather axis batch_dims
24 BatchToSpaceND; 25 SpaceToBatchND; 26 Transpose
27 Reducer keep_dims:bool
28 Sub fused_activation_function:activation pot_scale_int16:bool=1
29 Div fused_activation_function:activation
30 Squeeze squeeze_dims:ints
31 SequenceRNN time_major:bool fused_activation_function:activation asymmetric_quantize_inputs:bool
32 StridedSlice begin_mask end_mask ellipsis_mask new_axis_mask shrink_axis_mask offset:bool
33 Exp; 34 TopKV2
35 Split num_splits
36 LogSoftmax
37 Cast in_data_type:type out_data_type:type
38 Dequantize; 39 MaximumMinimum
40 ArgMax output_type:type
41 Less; 42 Neg; 43 PadV2; 44 Greater; 45 GreaterEqual; 46 LessEqual; 47 Select; 48 Slice
49 TransposeConv padding:padding stride_w stride_h fused_activation_function:activation quantized_bias_type:type
50 SparseToDense validate_indices:bool
51 Tile; 52 ExpandDims; 53 Equal; 54 NotEqual
55 Shape out_type:type
56 Pow
57 ArgMin output_type:type
58 FakeQuant min:f32 max:f32 num_bits narrow_range:bool
59 Pack values_count axis
60 LogicalOr
61 OneHot axis
62 LogicalAnd; 63 LogicalNot
64 Unpack num axis
65 FloorDiv; 66 Square; 67 ZerosLike; 68 Fill
69 BidirectionalSequenceLSTM fused_activation_function:activation cell_clip:f32 proj_clip:f32 merge_outputs:bool time_major:bool=1 asymmetric_quantize_inputs:bool
70 BidirectionalSequenceRNN time_major:bool fused_activation_function:activation merge_outputs:bool asymmetric_quantize_inputs:bool
71 UnidirectionalSequenceLSTM fused_activation_function:activation cell_clip:f32 proj_clip:f32 time_major:bool asymmetric_quantize_inputs:bool diagonal_recurrent_tensors:bool
72 FloorMod; 73 Range
74 ResizeNearestNeighbor align_corners:bool half_pixel_centers:bool
75 LeakyRelu alpha:f32
76 SquaredDifference
77 MirrorPad mode:mirror
78 Abs
79 SplitV num_splits
80 Unique idx_out_type:type=2
81 ReverseV2; 82 AddN; 83 GatherNd; 84 Cos; 85 Where; 86 Rank
87 ReverseSequence seq_dim batch_dim
88 MatrixDiag; 89 Quantize; 90 MatrixSetDiag; 91 HardSwish
92 If then_subgraph_index else_subgraph_index
93 While cond_subgraph_index body_subgraph_index
94 DepthToSpace block_size
95 NonMaxSuppressionV4; 96 NonMaxSuppressionV5; 97 ScatterNd; 98 SelectV2; 99 Densify
100 SegmentSum
101 BatchMatMul adj_x:bool adj_y:bool asymmetric_quantize_inputs:bool
102 Cumsum exclusive:bool reverse:bool
103 CallOnce init_subgraph_index
104 BroadcastTo; 105 Rfft2d
106 Conv3D padding:padding stride_d stride_w stride_h fused_activation_function:activation dilation_d_factor=1 dilation_w_factor=1 dilation_h_factor=1
107 Hashtable table_id key_dtype:type value_dtype:type
108 HashtableFind; 109 HashtableImport; 110 HashtableSize
111 VarHandle container:text shared_name:text
112 ReadVariable; 113 AssignVariable
114 Random seed:i64 seed2:i64
115 Bucketize boundaries:floats
116 Gelu approximate:bool
117 DynamicUpdateSlice; 118 UnsortedSegmentProd; 119 UnsortedSegmentMax; 120 UnsortedSegmentMin
121 UnsortedSegmentSum; 122 ATan2; 123 Sign; 124 Bitcast; 125 BitwiseXor; 126 RightShift
`

// OptionTable is a table of options.
type OptionTable struct {
	Number int
	name   string
	fields []optionField
}

// optionField is a field of a table of options.
type optionField struct {
	name string // empty for one that is no longer used
	kind string
	def  float64
}

// optionTables are those of optionText, by number.
var optionTables = parseOptionText(optionText)

func parseOptionText(text string) map[int]*OptionTable {
	tables := map[int]*OptionTable{}
	for _, entry := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == ';' }) {
		words := strings.Fields(entry)
		t := &OptionTable{name: words[1]}
		t.Number, _ = strconv.Atoi(words[0]) // a test holds the text to the format
		for _, w := range words[2:] {
			w, def, _ := strings.Cut(w, "=")
			name, kind, _ := strings.Cut(strings.TrimPrefix(w, "-"), ":")
			f := optionField{name: name, kind: kind}
			f.def, _ = strconv.ParseFloat("0"+def, 64)
			t.fields = append(t.fields, f)
		}
		tables[t.Number] = t
	}
	return tables
}

// optionEnums are the kinds of fields that are numbers with names.
var optionEnums = map[string][]string{
	"padding":    {"SAME", "VALID"},
	"activation": {"NONE", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT"},
	"format":     {"DEFAULT", "SHUFFLED4x16INT8"},
	"mirror":     {"REFLECT", "SYMMETRIC"},
	"kernel":     {"FULL", "BASIC"},
	"type":       typeNames(),
}

// typeNames are the names of number types in the order of their numbers.
func typeNames() []string {
	names := make([]string, len(schema.EnumNamesTensorType))
	for i := range names {
		names[i] = schema.TensorType(i).String()
	}
	return names
}

// read returns the options that an operator has in its table, in order, those at
// their default left out. Damaged tables make it panic; see [Guard].
func (t *OptionTable) read(p *Parser, table flatbuffers.Table) []graph.Option {
	var list []graph.Option
	for i, f := range t.fields {
		at := flatbuffers.UOffsetT(table.Offset(flatbuffers.VOffsetT(4 + 2*i)))
		if f.name == "" || at == 0 {
			continue
		}
		if v := f.read(p, table, at); v != nil {
			list = append(list, graph.Option{Name: f.name, Value: v})
		}
	}
	return list
}

// read returns the value of a field, nil for its default. Lists are charged to p.
func (f optionField) read(p *Parser, table flatbuffers.Table, at flatbuffers.UOffsetT) any {
	number := func(n int) any {
		if n == int(f.def) {
			return nil
		}
		if names := optionEnums[f.kind]; n >= 0 && n < len(names) {
			return names[n]
		}
		return n
	}
	switch f.kind {
	case "":
		return number(int(table.GetInt32(table.Pos + at)))
	case "u32":
		return number(int(table.GetUint32(table.Pos + at)))
	case "i64":
		return number(int(table.GetInt64(table.Pos + at)))
	case "f32":
		if v := table.GetFloat32(table.Pos + at); float64(v) != f.def {
			return v
		}
		return nil
	case "bool":
		if v := table.GetBool(table.Pos + at); v != (f.def != 0) {
			return v
		}
		return nil
	case "text":
		return p.text(table.ByteVector(table.Pos + at))
	case "ints", "floats":
		start, n := table.Vector(at), p.Take(table.VectorLen(at), 8)
		if f.kind == "floats" {
			return List(n, func(i int) float32 { return table.GetFloat32(start + flatbuffers.UOffsetT(4*i)) })
		}
		return List(n, func(i int) int { return int(table.GetInt32(start + flatbuffers.UOffsetT(4*i))) })
	}
	return number(int(table.GetInt8(table.Pos + at)))
}

// OptionTableByName returns the table of a name.
func OptionTableByName(name string) *OptionTable {
	for _, t := range optionTables {
		if t.name == name {
			return t
		}
	}
	return nil
}

// Write appends a table with the given options; the inverse of read.
//
// Errors: options that the table has not, or not of that type.
func (t *OptionTable) Write(b *flatbuffers.Builder, options []graph.Option) (flatbuffers.UOffsetT, error) {
	slot := func(o graph.Option) int {
		return slices.IndexFunc(t.fields, func(f optionField) bool { return f.name == o.Name && f.name != "" })
	}
	vectors := map[string]flatbuffers.UOffsetT{}
	for _, o := range options {
		switch v := o.Value.(type) {
		case string:
			if i := slot(o); i >= 0 && t.fields[i].kind == "text" {
				vectors[o.Name] = b.CreateString(v)
			}
		case []int:
			b.StartVector(4, len(v), 4)
			for _, x := range slices.Backward(v) {
				b.PrependInt32(int32(x))
			}
			vectors[o.Name] = b.EndVector(len(v))
		case []float32:
			b.StartVector(4, len(v), 4)
			for _, x := range slices.Backward(v) {
				b.PrependFloat32(x)
			}
			vectors[o.Name] = b.EndVector(len(v))
		}
	}
	b.StartObject(len(t.fields))
	for _, o := range options {
		i := slot(o)
		if i < 0 || !t.fields[i].write(b, i, o.Value, vectors[o.Name]) {
			return 0, fmt.Errorf("option %s of %v does not belong to %sOptions", o.Name, o.Value, t.name)
		}
	}
	return b.EndObject(), nil
}

// write puts a value, or the vector made of it, into slot i and reports whether
// the field has its type.
func (f optionField) write(b *flatbuffers.Builder, i int, value any, vector flatbuffers.UOffsetT) bool {
	switch v := value.(type) {
	case bool:
		b.PrependBoolSlot(i, v, f.def != 0)
		return f.kind == "bool"
	case float32:
		b.PrependFloat32Slot(i, v, float32(f.def))
		return f.kind == "f32"
	case []int, []float32:
		b.PrependUOffsetTSlot(i, vector, 0)
		_, ints := value.([]int)
		return ints && f.kind == "ints" || !ints && f.kind == "floats"
	case string:
		if f.kind == "text" {
			b.PrependUOffsetTSlot(i, vector, 0)
			return true
		}
		n := slices.Index(optionEnums[f.kind], v)
		return n >= 0 && f.write(b, i, n, 0)
	case int:
		switch f.kind {
		case "":
			b.PrependInt32Slot(i, int32(v), int32(f.def))
		case "u32":
			b.PrependUint32Slot(i, uint32(v), uint32(f.def))
		case "i64":
			b.PrependInt64Slot(i, int64(v), int64(f.def))
		case "i8", "padding", "activation", "format", "mirror", "kernel", "type":
			b.PrependInt8Slot(i, int8(v), int8(f.def))
			return v >= math.MinInt8 && v <= math.MaxInt8
		default:
			return false
		}
		return true
	}
	return false
}

// Options returns the options of an operator and the name of their table, empty
// for none. A table that is not known has its number for a name.
func (p *Parser) Options(o *Operator) (table string, list []graph.Option) {
	t := optionTables[int(o.Kind)]
	switch {
	case o.Stable > 0:
		return fmt.Sprintf("StableHLO %d", o.Stable), nil
	case o.Kind == schema.BuiltinOptionsNONE:
		return "", nil
	case t == nil:
		return fmt.Sprint(int(o.Kind)), nil
	}
	return t.name, t.read(p, o.Options)
}
