package format

import (
	"testing"

	flatbuffers "github.com/google/flatbuffers/go"
	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// The text has every table once, in order, with kinds that are known, and the
// tables of the generated code under the same numbers.
func TestOptionTables(t *testing.T) {
	if len(optionTables) != 126 {
		t.Errorf("%d tables, the format has 126", len(optionTables))
	}
	kinds := map[string]bool{"": true, "u32": true, "i64": true, "i8": true, "f32": true, "bool": true, "ints": true, "floats": true, "text": true}
	for kind := range optionEnums {
		kinds[kind] = true
	}
	for i := 1; i <= len(optionTables); i++ {
		table := optionTables[i]
		if table == nil || table.Number != i || OptionTableByName(table.name) != table {
			t.Fatalf("no table %d, or its name is not its own", i)
		}
		if name, ok := schema.EnumNamesBuiltinOptions[schema.BuiltinOptions(i)]; ok && name != table.name+"Options" {
			t.Errorf("table %d is %sOptions, not %s", i, table.name, name)
		}
		for _, f := range table.fields {
			if !kinds[f.kind] {
				t.Errorf("%sOptions: field %s is of unknown kind %s", table.name, f.name, f.kind)
			}
		}
	}
}

// options makes a list of names and values.
func options(list ...any) []graph.Option {
	var made []graph.Option
	for i := 0; i < len(list); i += 2 {
		made = append(made, graph.Option{Name: list[i].(string), Value: list[i+1]})
	}
	return made
}

// readBack decodes a table.
func readBack(t *testing.T, table *OptionTable, b *flatbuffers.Builder, at flatbuffers.UOffsetT) []graph.Option {
	t.Helper()
	b.Finish(at)
	data := b.FinishedBytes()
	return table.read(NewParser(&File{Data: data}), flatbuffers.Table{Bytes: data, Pos: flatbuffers.GetUOffsetT(data)})
}

// What the generated code writes is read as what it is, with the fields at their
// places.
func TestReadOptions(t *testing.T) {
	b := flatbuffers.NewBuilder(0)
	schema.DepthwiseConv2DOptionsStart(b)
	schema.DepthwiseConv2DOptionsAddPadding(b, schema.PaddingVALID)
	schema.DepthwiseConv2DOptionsAddStrideW(b, 2)
	schema.DepthwiseConv2DOptionsAddStrideH(b, 3)
	schema.DepthwiseConv2DOptionsAddDepthMultiplier(b, 4)
	schema.DepthwiseConv2DOptionsAddFusedActivationFunction(b, schema.ActivationFunctionTypeSIGN_BIT)
	schema.DepthwiseConv2DOptionsAddDilationWFactor(b, 1)
	schema.DepthwiseConv2DOptionsAddDilationHFactor(b, 6)
	got := readBack(t, optionTables[2], b, schema.DepthwiseConv2DOptionsEnd(b))
	want := options("padding", "VALID", "stride_w", 2, "stride_h", 3, "depth_multiplier", 4, "fused_activation_function", "SIGN_BIT", "dilation_h_factor", 6)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	b.Reset()
	schema.ResizeBilinearOptionsStart(b)
	schema.ResizeBilinearOptionsAddHalfPixelCenters(b, true)
	got = readBack(t, optionTables[15], b, schema.ResizeBilinearOptionsEnd(b))
	if diff := cmp.Diff(options("half_pixel_centers", true), got); diff != "" {
		t.Error(diff)
	}
}

// Options of every kind come back as they were written.
func TestWriteOptions(t *testing.T) {
	for name, list := range map[string][]graph.Option{
		"ConcatEmbeddings": options("num_channels", 2, "num_columns_per_channel", []int{3, -1}, "embedding_dim_per_channel", []int{}),
		"Bucketize":        options("boundaries", []float32{-0.5, 2}),
		"Call":             options("subgraph", 1<<30),
		"Random":           options("seed", -1<<30, "seed2", 7),
		"VarHandle":        options("container", "", "shared_name", "x"),
		"FakeQuant":        options("min", float32(-1.5), "num_bits", 8, "narrow_range", true),
		"Sub":              options("fused_activation_function", "TANH", "pot_scale_int16", false),
		"Cast":             options("in_data_type", "INT4", "out_data_type", 99),
		"LSTM":             options("kernel_type", "BASIC"),
		"MirrorPad":        options("mode", "SYMMETRIC"),
		"FullyConnected":   options("weights_format", "SHUFFLED4x16INT8"),
		"LSHProjection":    options("type", 2),
		"Pad":              nil,
	} {
		table, b := OptionTableByName(name), flatbuffers.NewBuilder(0)
		at, err := table.Write(b, list)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(list, readBack(t, table, b, at)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for _, o := range options("none", 1, "min", 1, "min", "x", "num_bits", true, "num_bits", []int{1}, "min", nil, "", 1) {
		if _, err := OptionTableByName("FakeQuant").Write(flatbuffers.NewBuilder(0), []graph.Option{o}); err == nil {
			t.Errorf("%+v was written", o)
		}
	}
}
