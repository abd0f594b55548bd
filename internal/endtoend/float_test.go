package endtoend

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/q8"
	"github.com/goqat/goqat/internal/oracle"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/quant"
)

// summation is how far two float32 sums of the same products may be apart when
// they are added in different orders, relative to the largest value of the
// tensor: some tens of roundings of 2^-24 on sums of up to 200 products.
const summation = 1e-5

// Every operator of every float, float16 and dynamic-range file gives on LiteRT's
// own inputs what LiteRT gives, up to the order of summation; constants and what
// is widened from float16 are equal, and so is what hybrid operators quantize.
func TestFloatFilesFollowLiteRT(t *testing.T) { followLiteRT(t, floatFiles) }

func followLiteRT(t *testing.T, files []*file) {
	for _, f := range files {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			o, m := oracle.Start(t), f.must(t)
			x, _ := f.testRows(t)
			run := runLiteRT(t, o, m, oracle.Reference, x)
			for _, tensor := range m.graph.Tensors() {
				if tensor.Role != graph.Activation {
					if err := sameElements(tensor.Data, run.values[tensor]); err != nil {
						t.Errorf("constant %q: %v", tensor.Name, err)
					}
				}
			}
			worst, at := 0.0, ""
			scratch := run.scratch
			for _, n := range m.graph.Nodes {
				d := run.compareNode(t, m.graph, n)
				if d >= worst {
					worst, at = d, n.Name
				}
				if hybrid(n) {
					scratch = run.compareCodes(t, n, scratch)
				}
			}
			ours := runInterp(t, m.graph, run.input, run.rows)[m.graph.Outputs[0]].([]float32)
			theirs := run.values[m.graph.Outputs[0]].([]float32)
			t.Logf("largest difference of an operator %.2g of its tensor (%s); end to end %.2g; %s",
				worst, at, relative(ours, theirs), predictions(ours, theirs, m.graph.Outputs[0].Elements()))
		})
	}
}

// compareNode computes one node on LiteRT's inputs and returns the largest
// difference to LiteRT's output, relative to its largest value.
func (run liteRTRun) compareNode(t *testing.T, g *graph.Graph, n *graph.Node) float64 {
	t.Helper()
	given := map[*graph.Tensor]any{}
	for _, x := range n.Inputs {
		if x != nil && x.Role == graph.Activation {
			given[x] = run.values[x]
		}
	}
	got, err := interp.RunNode(g, n, given, interp.Options{Batch: run.rows})
	if err != nil {
		t.Fatal(err)
	}
	want := run.values[n.Output]
	switch n.Op.(type) {
	case graph.Dequantize, graph.MaxPool2D, graph.Reshape, graph.Relu, graph.Relu6,
		graph.Add, graph.Sub, graph.Mul, graph.Concat,
		graph.Pad, graph.StridedSlice, graph.Transpose, graph.ReduceMax, graph.ResizeNearestNeighbor:
		if err := sameElements(got, want); err != nil { // these do not round, or once
			t.Errorf("%s %q: %v", n.Op.Name(), n.Name, err)
		}
	}
	d := relative(got.([]float32), want.([]float32))
	if !(d <= summation) {
		t.Errorf("%s %q: off by %.3g of the largest value", n.Op.Name(), n.Name, d)
	}
	return d
}

// relative returns the largest difference divided by the largest value of want;
// NaN if a value is.
func relative(got, want []float32) float64 {
	if len(got) != len(want) {
		return math.NaN()
	}
	largest, apart := 0.0, 0.0
	for i, w := range want {
		largest = max(largest, math.Abs(float64(w)))
		apart = max(apart, math.Abs(float64(got[i])-float64(w)))
	}
	if apart == 0 {
		return 0
	}
	return apart / largest
}

// hybrid reports whether a node quantizes its float input as it runs.
func hybrid(n *graph.Node) bool {
	_, anchor := n.Op.(graph.Anchored)
	return anchor && n.Inputs[graph.InputWeights].Type == graph.Int8
}

// compareCodes holds the codes, scales and zero points that LiteRT chose for the
// input of a hybrid node to the rule of package q8. They stand in the kernel's
// scratch tensors, in this order: (im2col,) codes in the input's shape, scales,
// (sums,) zero points in the scales' shape. It returns the scratch tensors behind
// those of the node.
func (run liteRTRun) compareCodes(t *testing.T, n *graph.Node, scratch []oracle.Tensor) []oracle.Tensor {
	t.Helper()
	x, w := n.Inputs[graph.InputX], n.Inputs[graph.InputWeights]
	next := func(what string, typ oracle.Type, shape []int) oracle.Tensor {
		t.Helper()
		for i, s := range scratch {
			if s.Type == typ && (shape == nil || slices.Equal(s.Shape, shape)) && s.Examples == run.rows {
				scratch = scratch[i+1:]
				return s
			}
		}
		t.Fatalf("node %q: LiteRT shows no %s", n.Name, what)
		return oracle.Tensor{}
	}
	symmetric, folded := inputScheme(n)
	codes := next("codes", oracle.Int8, x.Shape)
	scales := next("scales", oracle.Float32, nil)
	var zeros oracle.Tensor
	if !symmetric {
		zeros = next("zero points", oracle.Int32, scales.Shape)
	}
	// A convolution quantizes an image at a time, a dense layer each row of one.
	_, dense := n.Op.(graph.FullyConnected)
	width := x.Elements()
	if dense {
		width = x.Shape[len(x.Shape)-1]
	}
	input, want := run.values[x].([]float32), make([]int8, width)
	for example := range run.rows {
		image := input[example*x.Elements():][:x.Elements()]
		if dense && !slices.ContainsFunc(image, func(v float32) bool { return v != 0 }) {
			continue // the kernel returns the bias before it touches its scratch tensors
		}
		for row := range x.Elements() / width {
			var scale float32
			var zero int32
			if symmetric {
				scale = q8.QuantizeSymmetric(want, image[row*width:][:width])
			} else {
				scale, zero = q8.QuantizeAsymmetric(want, image[row*width:][:width])
			}
			if folded {
				scale *= w.Quant.Scale[0]
			}
			if got := part[int8](t, codes, example)[row*width:][:width]; !slices.Equal(got, want) {
				t.Fatalf("node %q, example %d, row %d: codes %v, LiteRT has %v", n.Name, example, row, want, got)
			}
			if got := part[float32](t, scales, example)[row]; got != scale {
				t.Errorf("node %q, example %d, row %d: scale %v, LiteRT has %v", n.Name, example, row, scale, got)
			}
			if !symmetric {
				if got := part[int32](t, zeros, example)[row]; got != zero {
					t.Errorf("node %q, example %d, row %d: zero point %d, LiteRT has %d", n.Name, example, row, zero, got)
				}
			}
		}
	}
	return scratch
}

// part returns the elements of one example of a tensor.
func part[T oracle.Element](t *testing.T, x oracle.Tensor, example int) []T {
	t.Helper()
	x.Data = x.Example(example)
	values, err := oracle.Values[T](x)
	if err != nil || len(values) == 0 {
		t.Fatalf("scratch tensor %d: %d elements, %v", x.Index, len(values), err)
	}
	return values
}

// inputScheme says how LiteRT quantizes the input of a hybrid node: symmetrically
// for convolutions, neither depthwise nor transposed, whose weights have one scale
// or equal ones, and whether the scale it keeps is multiplied by the weights'.
func inputScheme(n *graph.Node) (symmetric, folded bool) {
	scales := n.Inputs[graph.InputWeights].Quant.Scale
	equal := !slices.ContainsFunc(scales, func(s float32) bool { return s != scales[0] })
	switch op := n.Op.(type) {
	case graph.FullyConnected:
		return !op.AsymmetricInputs, len(scales) == 1
	case graph.DepthwiseConv2D, graph.TransposeConv:
		return false, false
	}
	return equal, equal
}

// LiteRT takes a convolution whose weight scales are all equal for one with a
// single scale, and so quantizes its input symmetrically.
func TestEqualWeightScales(t *testing.T) {
	o := oracle.Start(t)
	for _, scales := range [][]float32{{0.011}, {0.011, 0.011, 0.011}, {0.011, 0.011, 0.0110001}} {
		t.Run(fmt.Sprint(scales), func(t *testing.T) {
			b := newBuilder(t)
			x := b.AddInput("x", graph.Float32, []int{1, 5, 4, 2})
			w := b.weights("w", 3, 3, 2, 2)
			w.Quant = &quant.Params{Scale: scales, ZeroPoint: make([]int32, len(scales))}
			bias := &graph.Tensor{Name: "b", Role: graph.Constant, Shape: []int{3}, Data: []float32{0.1, -0.2, 0.3}}
			m := b.done(b.op(graph.Conv2D{StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}, graph.Float32, nil, x, w, bias))
			run := runLiteRT(t, o, m, oracle.Reference, b.reals(7*40))
			n := m.graph.Nodes[0]
			run.compareNode(t, m.graph, n)
			run.compareCodes(t, n, run.scratch)
		})
	}
}

// LiteRT rounds eight numbers at a time by adding a half in float32, and makes a
// one of the number before a half there; what is left over it rounds exactly.
func TestBelowHalf(t *testing.T) {
	o := oracle.Start(t)
	below := float32(0x1.fffffep-2)
	row := []float32{below, -below, 127, .5, -.5, .25, -100, -128, below, -below, .5}
	for _, asymmetric := range []bool{false, true} {
		for _, width := range []int{7, 8, 10, 11} {
			t.Run(fmt.Sprint(width, " ", asymmetric), func(t *testing.T) {
				b := newBuilder(t)
				x := b.AddInput("x", graph.Float32, []int{1, width})
				w := b.weights("w", 3, width)
				w.Quant = per(0.011, 0)
				m := b.done(b.op(graph.FullyConnected{AsymmetricInputs: asymmetric}, graph.Float32, nil, x, w))
				values := slices.Clone(row[:width])
				if !asymmetric {
					values[width-1] = 127 // so that the scale is 1
					if width > 7 {
						values[7] = -127
					}
				}
				run := runLiteRT(t, o, m, oracle.Reference, values)
				run.compareNode(t, m.graph, m.graph.Nodes[0])
				run.compareCodes(t, m.graph.Nodes[0], run.scratch)
			})
		}
	}
}
