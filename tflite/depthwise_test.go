package tflite_test

import (
	"strings"
	"testing"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// depthwiseFile is a float file of one depthwise convolution with the given
// option, of a 1x2x2 image with two channels or what change makes of it.
func depthwiseFile(multiplier int32, change func(*raw)) *raw {
	r := floatFile(schema.BuiltinOperatorDEPTHWISE_CONV_2D, schema.BuiltinOptionsDepthwiseConv2DOptions, func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
		schema.DepthwiseConv2DOptionsStart(b)
		schema.DepthwiseConv2DOptionsAddStrideH(b, 1)
		schema.DepthwiseConv2DOptionsAddStrideW(b, 1)
		schema.DepthwiseConv2DOptionsAddDepthMultiplier(b, multiplier)
		return schema.DepthwiseConv2DOptionsEnd(b)
	}, 0, 1)
	r.tensors[0].shape, r.tensors[1].shape, r.tensors[2].shape = []int32{1, 1, 2, 2}, []int32{1, 1, 1, 4}, []int32{1, 1, 2, 4}
	change(r)
	return r
}

// The depth multiplier that counts is that of the shapes: so do runtimes.
func TestDepthMultiplier(t *testing.T) {
	for _, option := range []int32{0, 1, 2} {
		g, err := tflite.Unmarshal(depthwiseFile(option, func(*raw) {}).bytes())
		if err != nil {
			t.Fatal(err)
		}
		want := graph.DepthwiseConv2D{Padding: graph.Same, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, DepthMultiplier: 2}
		if op := g.Nodes[0].Op; op != graph.Op(want) {
			t.Errorf("option %d: %+v, want %+v", option, op, want)
		}
	}
	for want, change := range map[string]func(*raw){
		"do not fit the channels of an input [1 1 2 3]": func(r *raw) { r.tensors[0].shape = []int32{1, 1, 2, 3} },
		"do not fit the channels of an input [1 4]":     func(r *raw) { r.tensors[0].shape = []int32{1, 4} },
		"no input or no weights":                        func(r *raw) { r.operators[0].inputs = []int32{0} },
		"want [1, KH, KW, 2]":                           func(r *raw) { r.tensors[1].shape = []int32{2, 1, 1, 2} },
		"options are Conv2DOptions, want DepthwiseConv2DOptions": func(r *raw) {
			r.operators[0].kind = schema.BuiltinOptionsConv2DOptions
		},
	} {
		if _, err := understand(depthwiseFile(2, change).bytes()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}
