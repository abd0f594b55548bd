package tflite_test

import (
	"math"
	"strings"
	"testing"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/tflite"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// Files that can be read but break a rule.
func TestVerifyFaults(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*raw)
		want   string
	}{
		{"alignment", func(r *raw) { r.buffers[1].unplaced = true }, "model: buffer 1 starts at byte"},
		{"buffer 0", func(r *raw) {
			r.buffers = append(r.buffers, rawBuffer{})
			r.buffers[0].data, r.tensors[0].buffer, r.tensors[3].buffer = []byte{1}, 3, 3
		}, "buffer 0 must exist and be empty"},
		{"signature", func(r *raw) { r.signature[1] = 4 }, "a signature names tensor 4, there are 4"},
		{"runtime", func(r *raw) { r.runtime = "1.9.0" }, `min_runtime_version is "1.9.0", but its operators need "1.14.0"`},
		{"old version", func(r *raw) { r.codes[0].version = 3 }, "operator 0, FULLY_CONNECTED (byte"},
		{"old version", func(r *raw) { r.codes[0].version = 3 }, "version 3, but its types and options need version 4"},
		{"new version", func(r *raw) { r.codes[0].version = 15 }, "version 15 is newer than the newest known, 14"},
		{"input scale", func(r *raw) { r.tensors[0].scale = nil }, `int8 "x" has no scale`},
		{"output scale", func(r *raw) { r.tensors[3].scale = nil }, `int8 "y" has no scale`},
		{"weight scale", func(r *raw) { r.tensors[1].scale = nil }, `int8 "w" has no scale`},
		{"weight axis", func(r *raw) { r.tensors[1].axis = 1 }, `weights "w" have scales along axis 1, want 0`},
		{"weight zero point", func(r *raw) { r.tensors[1].zero[1] = 3 }, `weights "w": zero point of channel 1 is 3, want 0`},
		{"weight code", func(r *raw) { r.buffers[1].data[2] = 0x80 }, `weights "w": element 2 is -128`},
		{"activation per channel", func(r *raw) {
			r.tensors[0].scale, r.tensors[0].zero, r.tensors[0].axis = []float32{1, 2}, []int64{0, 0}, 1
		}, "activations must have one scale"},
		{"bias unscaled", func(r *raw) { r.tensors[2].scale = nil }, `bias "b" must have as many scales as weights "w", 2`},
		{"bias scale", func(r *raw) { r.tensors[2].scale[1] = 0.0626 }, `bias "b": scale of channel 1 is 0.0626, want input times weights, 0.0625`},
		{"bias zero point", func(r *raw) { r.tensors[2].zero[0] = -1 }, `bias "b": zero point of channel 0 is -1, want 0`},
		{"sum", func(r *raw) { r.buffers[2].data = []byte{0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0} }, "channel 0 can sum to 2147484037, which does not fit 32 bits"},
		{"factor", func(r *raw) { r.tensors[3].scale[0] = 1e-12 }, "beyond 2^30"},
		{"zero point", func(r *raw) { r.tensors[0].zero[0] = 128 }, `tensor "x": zero point 128 of channel 0 is outside [-128, 127]`},
	} {
		r := denseFile()
		c.change(r)
		data := r.bytes()
		if _, err := tflite.Unmarshal(data); err != nil {
			t.Errorf("%s: cannot be read: %v", c.name, err)
		}
		err := tflite.Verify(data)
		if err == nil || !strings.HasPrefix(err.Error(), "tflite: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
}

// One float32 step from the product of scales is allowed, two are not.
func TestVerifyBiasRounding(t *testing.T) {
	r := denseFile()
	r.tensors[0].scale[0] = 0.1
	for c, s := range []float32{0.3, 0.7} {
		r.tensors[1].scale[c] = s
		r.tensors[2].scale[c] = r.tensors[0].scale[0] * s
	}
	if err := tflite.Verify(r.bytes()); err != nil {
		t.Error(err)
	}
	r.tensors[2].scale[0] = math.Nextafter32(r.tensors[2].scale[0], 1)
	if err := tflite.Verify(r.bytes()); err != nil {
		t.Error(err)
	}
	r.tensors[2].scale[0] = math.Nextafter32(r.tensors[2].scale[0], 1)
	if err := tflite.Verify(r.bytes()); err == nil {
		t.Error("two steps off found correct")
	}
}

// The same rules on operators without weights.
func TestVerifyOtherOperators(t *testing.T) {
	int8File := func(code schema.BuiltinOperator, kind schema.BuiltinOptions, options func(b *flatbuffers.Builder) flatbuffers.UOffsetT) *raw {
		r := floatFile(code, kind, options, 0)
		for i := range r.tensors {
			r.tensors[i].typ, r.tensors[i].scale, r.tensors[i].zero = schema.TensorTypeINT8, []float32{0.5}, []int64{1}
		}
		r.buffers[1].data = make([]byte, 4)
		return r
	}
	reshape := int8File(schema.BuiltinOperatorRESHAPE, schema.BuiltinOptionsReshapeOptions, newShape(-1, 2))
	if err := tflite.Verify(reshape.bytes()); err != nil {
		t.Error(err)
	}
	reshape.tensors[2].zero[0] = 2
	wants(t, reshape, `input "x" and output "y" must have the same scale and zero point`)

	softmax := int8File(schema.BuiltinOperatorSOFTMAX, schema.BuiltinOptionsSoftmaxOptions, func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
		schema.SoftmaxOptionsStart(b)
		schema.SoftmaxOptionsAddBeta(b, 1)
		return schema.SoftmaxOptionsEnd(b)
	})
	softmax.codes[0].version = 2
	wants(t, softmax, `output "y" must have scale 0.00390625 and zero point -128`)

	float := floatFile(schema.BuiltinOperatorFULLY_CONNECTED, schema.BuiltinOptionsFullyConnectedOptions, dense(0), 0, 1)
	wants(t, float, "version 1, but its types and options need version 6")
	float.codes[0].version = 6
	if err := tflite.Verify(float.bytes()); err != nil {
		t.Error(err)
	}
	float.buffers[1].data[10], float.buffers[1].data[11] = 0xc0, 0x7f
	wants(t, float, `tensor "w": element 2 is NaN`)

	half := floatFile(schema.BuiltinOperatorDEQUANTIZE, 0, nil, 1)
	half.codes[0].version = 3
	half.tensors[1].typ, half.buffers[1].data = schema.TensorTypeFLOAT16, []byte{0, 0, 0, 0, 0, 0x7c, 0, 0}
	half.tensors[2].shape = []int32{2, 2}
	wants(t, half, `tensor "w": element 2 is NaN or Inf`)

	bare := floatFile(schema.BuiltinOperatorCONV_2D, schema.BuiltinOptionsConv2DOptions, func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
		schema.Conv2DOptionsStart(b)
		schema.Conv2DOptionsAddStrideH(b, 1)
		schema.Conv2DOptionsAddStrideW(b, 1)
		return schema.Conv2DOptionsEnd(b)
	}, 0, 1)
	bare.tensors[0].shape, bare.tensors[1].shape, bare.tensors[2].shape = []int32{1, 2, 2, 1}, []int32{4, 1, 1, 1}, []int32{1, 2, 2, 4}
	wants(t, bare, "no bias, which LiteRT's kernel demands")
}

func wants(t *testing.T, r *raw, want string) {
	t.Helper()
	if err := tflite.Verify(r.bytes()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want one with %q", err, want)
	}
}
