package tflite_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite"
)

func marshal(t testing.TB, g *graph.Graph) []byte {
	t.Helper()
	data, err := tflite.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Writing, reading and writing again must not change anything: neither the
// graph that was read nor the bytes.
func TestRoundTrip(t *testing.T) {
	for _, m := range models {
		t.Run(m.name, func(t *testing.T) {
			g := m.build(t)
			data := marshal(t, g)
			if again := marshal(t, m.build(t)); !bytes.Equal(data, again) {
				t.Error("equal graphs gave different bytes")
			}
			if err := tflite.Verify(data); err != nil {
				t.Error(err)
			}
			read, err := tflite.Unmarshal(data)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, g, read)
			second := marshal(t, read)
			if !bytes.Equal(data, second) {
				t.Error("writing what was read gave other bytes")
			}
			read2, err := tflite.Unmarshal(second)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(read.String(), read2.String()); d != "" {
				t.Error(d)
			}
		})
	}
}

// compare holds what was read against what was written: everything but the
// biases that convolutions get in a file and the node names that it loses.
func compare(t *testing.T, g, read *graph.Graph) {
	t.Helper()
	for i, n := range g.Nodes {
		m := read.Nodes[i]
		if d := cmp.Diff(n.Op, m.Op); d != "" {
			t.Errorf("operator of node %q: %s", n.Name, d)
		}
		for j, x := range append(slices.Clone(n.Inputs), n.Output) {
			y := append(slices.Clone(m.Inputs[:len(n.Inputs)]), m.Output)[j]
			if d := cmp.Diff(x, y); d != "" {
				t.Errorf("node %q, tensor %d: %s", n.Name, j, d)
			}
		}
	}
	if g.Name != read.Name || len(g.Nodes) != len(read.Nodes) {
		t.Errorf("read %q with %d nodes, want %q with %d", read.Name, len(read.Nodes), g.Name, len(g.Nodes))
	}
}

// Versions as in LiteRT's op_version.cc, and the release that has them as in
// runtime_version.cc.
func TestVersions(t *testing.T) {
	perTensor := func(s float32) *quant.Params { p := quant.PerTensor(s, 0); return &p }
	fc := func(s storage, perChannel bool, op graph.FullyConnected, bare bool) *graph.Graph {
		n := newNet(t, "", s, perChannel)
		typ, q := n.activation()
		x := n.input(typ, q, 1, 4)
		return n.done(n.anchor("y", op, x, bare, 2, 4))
	}
	convolution := func(s storage, perChannel bool) *graph.Graph {
		n := newNet(t, "", s, perChannel)
		typ, q := n.activation()
		x := n.input(typ, q, 1, 4, 4, 1)
		return n.done(n.anchor("y", conv(graph.Same, 0), x, false, 2, 3, 3, 1))
	}
	depthwiseOf := func(s storage, perChannel bool, dilation int) *graph.Graph {
		n := newNet(t, "", s, perChannel)
		typ, q := n.activation()
		op := depthwise(1, 0)
		op.DilationW = dilation
		channels := 1
		if perChannel {
			channels = 2
		}
		return n.done(n.anchor("y", op, n.input(typ, q, 1, 4, 4, channels), false, 1, 2, 2, channels))
	}
	one := func(op graph.Op, s storage, shape ...int) *graph.Graph {
		n := newNet(t, "", s, false)
		typ, q := n.activation()
		x := n.input(typ, q, shape...)
		return n.done(n.same("y", op, x))
	}
	fixed := func(s storage) *graph.Graph {
		n := newNet(t, "", s, false)
		typ, q := n.activation()
		return n.done(n.softmax(n.input(typ, q, 1, 4)))
	}
	border := func(op graph.Op, from, to graph.Type) *graph.Graph {
		n := newNet(t, "", float, false)
		var in, out *quant.Params
		if from != graph.Float32 {
			in = perTensor(0.5)
		}
		if to != graph.Float32 {
			out = perTensor(0.25)
		}
		return n.done(n.add("y", op, to, out, n.input(from, in, 1, 4)))
	}
	constant := func(typ graph.Type, data any, q *quant.Params) *graph.Graph {
		n := newNet(t, "", float, false)
		x := n.input(graph.Float32, nil, 1, 2)
		w := &graph.Tensor{Name: "w", Type: typ, Role: graph.Constant, Shape: []int{2, 2}, Data: data, Quant: q}
		return n.done(n.add("y", graph.FullyConnected{}, graph.Float32, nil, x, n.add("d", graph.Dequantize{}, graph.Float32, nil, w)))
	}
	two := &quant.Params{Scale: []float32{1, 2}, ZeroPoint: []int32{0, 0}}
	for _, c := range []struct {
		name    string
		g       *graph.Graph
		op      string
		version int
		runtime string
	}{
		{"fc float", fc(float, false, graph.FullyConnected{}, false), "FULLY_CONNECTED", 1, "1.5.0"},
		{"fc hybrid", fc(hybrid, false, graph.FullyConnected{}, false), "FULLY_CONNECTED", 3, "1.14.0"},
		{"fc int8", fc(int8s, true, graph.FullyConnected{}, false), "FULLY_CONNECTED", 4, "1.14.0"},
		{"fc kept axes", fc(int8s, true, graph.FullyConnected{KeepDims: true}, false), "FULLY_CONNECTED", 5, "2.0.0"},
		{"fc without bias", fc(int8s, true, graph.FullyConnected{KeepDims: true}, true), "FULLY_CONNECTED", 6, "2.1.0"},
		{"fc asymmetric", fc(hybrid, false, graph.FullyConnected{AsymmetricInputs: true}, false), "FULLY_CONNECTED", 9, "2.3.0"},
		{"fc hybrid per channel", fc(hybrid, true, graph.FullyConnected{AsymmetricInputs: true}, true), "FULLY_CONNECTED", 12, "2.17.0"},
		{"conv float", convolution(float, false), "CONV_2D", 1, "1.5.0"},
		{"conv hybrid", convolution(hybrid, false), "CONV_2D", 2, "1.14.0"},
		{"conv int8", convolution(int8s, true), "CONV_2D", 3, "1.14.0"},
		{"conv hybrid per channel", convolution(hybrid, true), "CONV_2D", 5, "2.4.0"},
		{"depthwise float", depthwiseOf(float, false, 1), "DEPTHWISE_CONV_2D", 1, "1.5.0"},
		{"depthwise dilated", depthwiseOf(float, false, 2), "DEPTHWISE_CONV_2D", 2, "1.12.0"},
		{"depthwise int8", depthwiseOf(int8s, true, 2), "DEPTHWISE_CONV_2D", 3, "1.14.0"},
		{"depthwise hybrid per channel", depthwiseOf(hybrid, true, 2), "DEPTHWISE_CONV_2D", 6, "2.3.0"},
		{"depthwise hybrid of one channel", depthwiseOf(hybrid, false, 1), "DEPTHWISE_CONV_2D", 4, "2.2.0"},
		{"max pool float", one(graph.MaxPool2D{Pool: pool(2)}, float, 1, 4, 4, 1), "MAX_POOL_2D", 1, "1.5.0"},
		{"max pool int8", one(graph.MaxPool2D{Pool: pool(2)}, int8s, 1, 4, 4, 1), "MAX_POOL_2D", 2, "1.14.0"},
		{"average pool float", one(graph.AveragePool2D{Pool: pool(2)}, float, 1, 4, 4, 1), "AVERAGE_POOL_2D", 1, "1.5.0"},
		{"average pool int8", one(graph.AveragePool2D{Pool: pool(2)}, int8s, 1, 4, 4, 1), "AVERAGE_POOL_2D", 2, "1.14.0"},
		{"reshape float", one(graph.Reshape{Shape: []int{-1, 2, 2}}, float, 1, 4), "RESHAPE", 1, "1.5.0"},
		{"reshape int8", one(graph.Reshape{Shape: []int{-1, 2, 2}}, int8s, 1, 4), "RESHAPE", 1, "1.5.0"},
		{"relu float", one(graph.Relu{}, float, 1, 4), "RELU", 1, "1.5.0"},
		{"relu int8", one(graph.Relu{}, int8s, 1, 4), "RELU", 2, "2.1.0"},
		{"relu6 float", one(graph.Relu6{}, float, 1, 4), "RELU6", 1, "1.5.0"},
		{"relu6 int8", one(graph.Relu6{}, int8s, 1, 4), "RELU6", 2, "1.14.0"},
		{"softmax float", fixed(float), "SOFTMAX", 1, "1.5.0"},
		{"softmax int8", fixed(int8s), "SOFTMAX", 2, "1.14.0"},
		{"quantize", border(graph.Quantize{}, graph.Float32, graph.Int8), "QUANTIZE", 1, "1.14.0"},
		{"requantize", border(graph.Quantize{}, graph.UInt8, graph.Int8), "QUANTIZE", 1, "1.14.0"},
		{"dequantize uint8", border(graph.Dequantize{}, graph.UInt8, graph.Float32), "DEQUANTIZE", 1, "1.13.1"},
		{"dequantize int8", border(graph.Dequantize{}, graph.Int8, graph.Float32), "DEQUANTIZE", 2, "1.14.0"},
		{"dequantize float16", constant(graph.Float16, make([]uint16, 4), nil), "DEQUANTIZE", 3, "2.1.0"},
		{"dequantize per channel", constant(graph.Int8, make([]int8, 4), two), "DEQUANTIZE", 5, "2.7.0"},
	} {
		d, err := tflite.Describe(marshal(t, c.g))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if o := d.Subgraphs[0].Operators[0]; o.Name != c.op || o.Version != c.version || d.MinRuntime != c.runtime {
			t.Errorf("%s: %s version %d, runtime %q, want %s version %d, runtime %q", c.name, o.Name, o.Version, d.MinRuntime, c.op, c.version, c.runtime)
		}
	}
}

// The sizes are those of TensorFlow's converter for the same network, which is
// the bound that a file must keep.
func TestSizes(t *testing.T) {
	for _, c := range []struct {
		name string
		g    *graph.Graph
		most int
	}{
		{"float", cnn(t, float, false), 84892},
		{"int8", cnn(t, int8s, true), 25360},
	} {
		size := len(marshal(t, c.g))
		t.Logf("%s: %d bytes, TensorFlow's converter %d", c.name, size, c.most)
		if size > c.most {
			t.Errorf("%s: %d bytes, more than TensorFlow's %d", c.name, size, c.most)
		}
	}
}

// A change of these bytes is a change of the format: it must be meant.
func TestGolden(t *testing.T) {
	const want = "fd0ede135383d304180d5df399fda80d63c8f7e49736545a43b5c8e6364aac77"
	got := fmt.Sprintf("%x", sha256.Sum256(marshal(t, cnn(t, int8s, true))))
	if got != want {
		t.Errorf("SHA-256 of the int8 file is %s, want %s", got, want)
	}
}

func TestWriteErrors(t *testing.T) {
	badScale := quant.PerTensor(0.25, 0)
	for _, c := range []struct {
		name string
		g    func() *graph.Graph
		want []string
	}{
		{"training operators", func() *graph.Graph {
			n := newNet(t, "", float, false)
			x := n.input(graph.Float32, nil, 1, 4)
			x = n.same("drop", graph.Dropout{Rate: 0.5}, x)
			q := graph.NewObserved("drop", quant.Int8().Activations, 0.9)
			return n.done(n.same("fq", graph.FakeQuant{Quantizer: q}, x))
		}, []string{`node "drop": files cannot carry the operator DROPOUT, which exists only while training`, `node "fq": files cannot carry the operator FAKE_QUANT`}},
		{"types", func() *graph.Graph {
			n := newNet(t, "", float, false)
			x := n.input(graph.Int32, nil, 1, 4)
			return n.done(n.same("soft", graph.Softmax{}, x))
		}, []string{`node "soft" (SOFTMAX): no runtime takes inputs [int32] with output int32`}},
		{"no graph", func() *graph.Graph { return &graph.Graph{} }, []string{"tflite: graph: no inputs"}},
		{"softmax parameters", func() *graph.Graph {
			n := newNet(t, "", int8s, false)
			_, q := n.activation()
			return n.done(n.add("soft", graph.Softmax{}, graph.Int8, &badScale, n.input(graph.Int8, q, 1, 4)))
		}, []string{`operator 0, SOFTMAX`, `output "soft" must have scale 0.00390625 and zero point -128`}},
		{"too many channels for a bias", func() *graph.Graph {
			n := newNet(t, "", float, false)
			x := n.input(graph.Float32, nil, 1, 1, 1, 1)
			w := n.g.AddInput("w", graph.Float32, []int{1, 1<<20 + 1})
			w = n.same("reshaped", graph.Reshape{Shape: []int{1<<20 + 1, 1, 1, 1}}, w)
			return n.done(n.add("y", conv(graph.Valid, 0), graph.Float32, nil, x, w))
		}, []string{"operator 1, CONV_2D", "no bias, which LiteRT's kernel demands"}},
		{"no scale", func() *graph.Graph {
			n := newNet(t, "", int8s, false)
			return n.done(n.same("relu", graph.Relu{}, n.input(graph.Int8, nil, 1, 4)))
		}, []string{`int8 "x" has no scale`}},
	} {
		_, err := tflite.Marshal(c.g())
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want one with %q", c.name, err, want)
			}
		}
	}
}

func TestFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.tflite")
	g := borders(t, graph.UInt8)
	if err := tflite.WriteFile(path, g); err != nil {
		t.Fatal(err)
	}
	read, err := tflite.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, g, read)
	var b bytes.Buffer
	if err := tflite.Write(&b, g); err != nil {
		t.Fatal(err)
	}
	onDisk, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(onDisk, b.Bytes()) {
		t.Errorf("Write and WriteFile differ (%v)", err)
	}
	if _, err := tflite.Read(&b); err != nil {
		t.Error(err)
	}

	// A failed write leaves the old file alone.
	bad := newNet(t, "", float, false)
	x := bad.input(graph.Float32, nil, 1, 4)
	if err := tflite.WriteFile(path, bad.done(bad.same("drop", graph.Dropout{}, x))); err == nil {
		t.Error("wrote a Dropout")
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(after, onDisk) {
		t.Error("a failed write changed the file")
	}
	if _, err := tflite.ReadFile(path + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if err := tflite.Write(failing{}, g); !errors.Is(err, os.ErrClosed) {
		t.Errorf("failing writer: %v", err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, os.ErrClosed }
