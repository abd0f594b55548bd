package tflite_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite"
)

func transposed(p graph.Padding, a quant.Activation) graph.TransposeConv {
	return graph.TransposeConv{Padding: p, StrideH: 2, StrideW: 1, Activate: a}
}

// enlarging has transposed convolutions with and without bias and activation,
// and images that are resized both ways.
func enlarging(t testing.TB, s storage, perChannel bool) *graph.Graph {
	n := newNet(t, "enlarging", s, perChannel)
	typ, q := n.activation()
	x := n.input(typ, q, 1, 3, 4, 2)
	x = n.anchor("up", transposed(graph.Same, quant.Relu6), x, false, 5, 3, 2, 2)
	x = n.same("copies", graph.ResizeNearestNeighbor{Height: 13, Width: 11}, x)
	x = n.anchor("plain", transposed(graph.Valid, quant.NoActivation), x, false, 2, 3, 3, 5)
	x = n.same("fewer", graph.ResizeNearestNeighbor{Height: 7, Width: 9, AlignCorners: true, HalfPixelCenters: true}, x)
	return n.done(n.anchor("bare", transposed(graph.Valid, quant.NoActivation), x, true, 3, 1, 1, 2))
}

// Versions as in LiteRT's op_version.cc, and the release that has them as in
// runtime_version.cc.
func TestEnlargingVersions(t *testing.T) {
	anchor := func(s storage, a quant.Activation, bare bool) *graph.Graph {
		n := newNet(t, "", s, true)
		typ, q := n.activation()
		return n.done(n.anchor("y", transposed(graph.Same, a), n.input(typ, q, 1, 4, 4, 1), bare, 2, 3, 3, 1))
	}
	resize := func(s storage, op graph.ResizeNearestNeighbor) *graph.Graph {
		n := newNet(t, "", s, false)
		typ, q := n.activation()
		op.Height, op.Width = 8, 8
		return n.done(n.same("y", op, n.input(typ, q, 1, 4, 4, 1)))
	}
	for _, c := range []struct {
		name    string
		g       *graph.Graph
		version int
		runtime string
	}{
		{"float, bare", anchor(float, quant.NoActivation, true), 1, "1.9.0"},
		{"float", anchor(float, quant.NoActivation, false), 3, "2.3.0"},
		{"float, activation", anchor(float, quant.Relu, true), 4, "2.13.0"},
		{"hybrid, bare", anchor(hybrid, quant.NoActivation, true), 2, "2.2.0"},
		{"hybrid", anchor(hybrid, quant.NoActivation, false), 3, "2.3.0"},
		{"int8, bare", anchor(int8s, quant.NoActivation, true), 2, "2.2.0"},
		{"int8", anchor(int8s, quant.NoActivation, false), 3, "2.3.0"},
		{"int8, activation", anchor(int8s, quant.Relu6, false), 4, "2.13.0"},
		{"resize float", resize(float, graph.ResizeNearestNeighbor{}), 1, "1.13.1"},
		{"resize int8", resize(int8s, graph.ResizeNearestNeighbor{}), 2, "1.14.0"},
		{"resize centers", resize(int8s, graph.ResizeNearestNeighbor{HalfPixelCenters: true}), 3, "2.3.0"},
		{"resize corners", resize(float, graph.ResizeNearestNeighbor{AlignCorners: true}), 3, "2.3.0"},
	} {
		d, err := tflite.Describe(marshal(t, c.g))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if o := d.Subgraphs[0].Operators[0]; o.Version != c.version || d.MinRuntime != c.runtime {
			t.Errorf("%s: version %d, runtime %q, want %d, %q", c.name, o.Version, d.MinRuntime, c.version, c.runtime)
		}
	}
}

// The bias of a transposed convolution is its fourth input.
func TestTransposedBiasCounts(t *testing.T) {
	d, err := tflite.Describe(marshal(t, enlarging(t, int8s, true)))
	if err != nil {
		t.Fatal(err)
	}
	if want := 4 * (5 + 2); d.Bytes.Biases != want {
		t.Errorf("biases take %d bytes, want %d", d.Bytes.Biases, want)
	}
}

// A file may demand a size that does not follow from the operator.
func TestDemandedSizes(t *testing.T) {
	whole := marshal(t, enlarging(t, float, false))
	numbers := func(list ...int32) []byte {
		b, err := binary.Append(nil, binary.LittleEndian, list)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	// The first tensor with these numbers, in the file, is the constant; shapes
	// of tensors come elsewhere, so each replacement is counted.
	for _, c := range []struct {
		from, to []byte
		want     string
	}{
		{numbers(1, 6, 4, 5), numbers(1, 7, 4, 5), "operator TRANSPOSE_CONV is not supported in this form: output shape [1 7 4 5], want [1 6 4 5]"},
		{numbers(13, 11), numbers(0, 11), "new size 0x11 must be positive"},
	} {
		refused := 0
		for at := 0; ; at++ {
			i := bytes.Index(whole[at:], c.from)
			if i < 0 {
				break
			}
			at += i
			changed := bytes.Clone(whole)
			copy(changed[at:], c.to)
			if _, err := understand(changed); err != nil && strings.Contains(err.Error(), c.want) {
				refused++
			} else if err == nil {
				t.Errorf("%v at byte %d became %v, and nobody minded", c.from, at, c.to)
			}
		}
		if refused == 0 {
			t.Errorf("no error has %q", c.want)
		}
	}
}
