package interp_test

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32/kerneltest"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/quant"
)

// compute runs one float32 operator on a batch of data of the first input.
func compute(t testing.TB, b builder, batch int, op graph.Op, inputs ...*graph.Tensor) (x, y []float32, shape []int) {
	t.Helper()
	out := b.float(op, inputs...)
	g := b.done(out)
	shapes, err := g.Shapes(batch)
	if err != nil {
		t.Fatal(err)
	}
	x = b.data(inputs[0], batch).([]float32)
	y = run(t, start(t, g, interp.Options{Batch: batch}), x).([]float32)
	return x, y, shapes[out]
}

// window calls f for every output element of an operator on images, and with it
// for every tap inside the image.
func window(batch int, x, y []int, kernel, stride, dilation [2]int, padding graph.Padding, f func(n, i, j int, taps func(func(u, v, row, col int)))) {
	_, top := padding.Window(x[1], kernel[0], stride[0], dilation[0])
	_, left := padding.Window(x[2], kernel[1], stride[1], dilation[1])
	for n := range batch {
		for i := range y[1] {
			for j := range y[2] {
				f(n, i, j, func(tap func(u, v, row, col int)) {
					for u := range kernel[0] {
						for v := range kernel[1] {
							row, col := i*stride[0]+u*dilation[0]-top, j*stride[1]+v*dilation[1]-left
							if row >= 0 && row < x[1] && col >= 0 && col < x[2] {
								tap(u, v, row, col)
							}
						}
					}
				})
			}
		}
	}
}

// clamp is a fused activation.
func clamp(act quant.Activation, v float32) float32 {
	lo, hi := act.Bounds()
	return min(max(v, lo), hi)
}

// geometry draws a window that fits an image.
func geometry(t *rapid.T) (image []int, kernel, stride, dilation [2]int, padding graph.Padding) {
	image = []int{1, 0, 0, rapid.IntRange(1, 4).Draw(t, "channels")}
	for axis := range 2 {
		kernel[axis] = rapid.IntRange(1, 3).Draw(t, "kernel")
		stride[axis] = rapid.IntRange(1, 3).Draw(t, "stride")
		dilation[axis] = rapid.IntRange(1, 2).Draw(t, "dilation")
		extent := (kernel[axis]-1)*dilation[axis] + 1
		image[axis+1] = rapid.IntRange(extent, extent+6).Draw(t, "size")
	}
	return image, kernel, stride, dilation, rapid.SampledFrom([]graph.Padding{graph.Valid, graph.Same}).Draw(t, "padding")
}

// The loops below add in the order that the kernels document, so equality is
// exact.

func TestConv2DIsItsFormula(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		image, kernel, stride, dilation, padding := geometry(rt)
		b := newBuilder(t, rapid.Uint64().Draw(rt, "seed"))
		outputs := rapid.IntRange(1, 9).Draw(rt, "outputs")
		act := quant.Activation(rapid.IntRange(0, 3).Draw(rt, "activation"))
		batch := rapid.IntRange(1, 3).Draw(rt, "batch")
		op := graph.Conv2D{Padding: padding, StrideH: stride[0], StrideW: stride[1], DilationH: dilation[0], DilationW: dilation[1], Activate: act}
		in := b.input("x", graph.Float32, nil, image...)
		w, bias := b.floats("w", outputs, kernel[0], kernel[1], image[3]), b.floats("b", outputs)
		if rapid.Bool().Draw(rt, "without bias") {
			bias = nil
		}
		x, y, shape := compute(t, b, batch, op, in, w, bias)
		window(batch, image, shape, kernel, stride, dilation, padding, func(n, i, j int, taps func(func(u, v, row, col int))) {
			for o := range outputs {
				var sum float32
				taps(func(u, v, row, col int) {
					for c := range image[3] {
						sum = kerneltest.Add(sum, x[((n*image[1]+row)*image[2]+col)*image[3]+c], w.Float32s()[((o*kernel[0]+u)*kernel[1]+v)*image[3]+c])
					}
				})
				if bias != nil {
					sum += bias.Float32s()[o]
				}
				at := ((n*shape[1]+i)*shape[2]+j)*outputs + o
				if want := clamp(act, sum); y[at] != want {
					rt.Fatalf("element %d is %v, want %v", at, y[at], want)
				}
			}
		})
	})
}

func TestPoolsAreTheirFormulas(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		image, kernel, stride, _, padding := geometry(rt)
		pool := graph.Pool{Padding: padding, FilterH: kernel[0], FilterW: kernel[1], StrideH: stride[0], StrideW: stride[1]}
		b := newBuilder(t, rapid.Uint64().Draw(rt, "seed"))
		in := b.input("x", graph.Float32, nil, image...)
		highest, mean := b.float(graph.MaxPool2D{Pool: pool}, in), b.float(graph.AveragePool2D{Pool: pool}, in)
		g := b.done(highest, mean)
		batch := rapid.IntRange(1, 3).Draw(rt, "batch")
		x := b.data(in, batch).([]float32)
		ip := start(t, g, interp.Options{Batch: batch})
		run(t, ip, x)
		shape := highest.Shape
		window(batch, image, shape, kernel, stride, [2]int{1, 1}, padding, func(n, i, j int, taps func(func(u, v, row, col int))) {
			for c := range image[3] {
				var sum, count float32
				top := float32(math.Inf(-1))
				taps(func(_, _, row, col int) {
					v := x[((n*image[1]+row)*image[2]+col)*image[3]+c]
					sum, count, top = sum+v, count+1, max(top, v)
				})
				at := ((n*shape[1]+i)*shape[2]+j)*image[3] + c
				if got := ip.Output(0).([]float32)[at]; got != top {
					rt.Fatalf("maximum %d is %v, want %v", at, got, top)
				}
				if got := ip.Output(1).([]float32)[at]; got != sum/count {
					rt.Fatalf("average %d is %v, want %v", at, got, sum/count)
				}
			}
		})
	})
}

func TestFullyConnectedIsItsFormula(t *testing.T) {
	for _, c := range []struct {
		shape   []int
		outputs int
		op      graph.FullyConnected
	}{
		{[]int{1, 5}, 3, graph.FullyConnected{}},
		{[]int{1, 33}, 17, graph.FullyConnected{Activate: quant.Relu}},
		{[]int{1, 2, 3, 7}, 4, graph.FullyConnected{KeepDims: true, Activate: quant.Relu6}},
	} {
		b := newBuilder(t, 1)
		inputs := c.shape[len(c.shape)-1]
		w, bias := b.floats("w", c.outputs, inputs), b.floats("b", c.outputs)
		x, y, _ := compute(t, b, batch, c.op, b.input("x", graph.Float32, nil, c.shape...), w, bias)
		for r := range len(x) / inputs {
			for o := range c.outputs {
				var sum float32
				for i := range inputs {
					sum = kerneltest.Add(sum, x[r*inputs+i], w.Float32s()[o*inputs+i])
				}
				want := clamp(c.op.Activate, sum+bias.Float32s()[o])
				equal(t, fmt.Sprintf("row %d output %d", r, o), y[r*c.outputs+o], want)
			}
		}
	}
}

func TestElementwiseOperators(t *testing.T) {
	for _, c := range []struct {
		op   graph.Op
		want func(x float32) float32
	}{
		{graph.Relu{}, func(x float32) float32 { return max(x, 0) }},
		{graph.Relu6{}, func(x float32) float32 { return min(max(x, 0), 6) }},
		{graph.Dropout{Rate: 0.9}, func(x float32) float32 { return x }},
		{graph.Reshape{Shape: []int{-1}}, func(x float32) float32 { return x }},
	} {
		b := newBuilder(t, 1)
		x, y, _ := compute(t, b, batch, c.op, b.input("x", graph.Float32, nil, 1, 1000))
		for i, v := range x {
			equal(t, fmt.Sprintf("%T of %v", c.op, v), y[i], c.want(v))
		}
	}
}

func TestSoftmax(t *testing.T) {
	b := newBuilder(t, 1)
	x, y, _ := compute(t, b, batch, graph.Softmax{}, b.input("x", graph.Float32, nil, 1, 3, 10))
	for r := range len(x) / 10 {
		sum := 0.0
		for _, v := range x[r*10:][:10] {
			sum += math.Exp(float64(v))
		}
		for i := r * 10; i < r*10+10; i++ {
			// A few roundings of float32, each of relative error 2^-24.
			if want := math.Exp(float64(x[i])) / sum; math.Abs(float64(y[i])-want) > 8*0x1p-24*want {
				t.Errorf("element %d is %v, want %v", i, y[i], want)
			}
		}
	}
}

// BatchNorm and its folded forms, against the formula in float64. The bound is
// some five roundings of terms that are no larger than magnitude.
func TestBatchNorm(t *testing.T) {
	const channels, epsilon = 6, 1e-3
	b := newBuilder(t, 1)
	gamma, beta, mean, variance := b.floats("gamma", channels), b.floats("beta", channels), b.floats("mean", channels), b.positive("variance", channels)
	in := b.input("x", graph.Float32, nil, 1, 2, channels)
	norm := b.float(graph.BatchNorm{Epsilon: epsilon}, in, gamma, beta, mean, variance)
	w, bias := b.floats("w", channels, 2), b.floats("b", channels)
	weights := b.float(graph.FoldWeights{Epsilon: epsilon}, w, gamma, variance)
	shift := b.float(graph.FoldBias{Epsilon: epsilon}, gamma, variance, beta, mean, bias)
	bare := b.float(graph.FoldBias{Epsilon: epsilon}, gamma, variance, beta, mean, nil)
	ip := start(t, b.done(norm, weights, shift, bare), interp.Options{Batch: batch})
	x := b.data(in, batch).([]float32)
	run(t, ip, x)
	check := func(what string, got float32, terms ...float64) {
		t.Helper()
		sum, magnitude := 0.0, 0.0
		for _, v := range terms {
			sum, magnitude = sum+v, magnitude+math.Abs(v)
		}
		if math.Abs(float64(got)-sum) > 5*0x1p-24*magnitude {
			t.Errorf("%s is %v, want %v", what, got, sum)
		}
	}
	out := func(i, at int) float32 { return ip.Output(i).([]float32)[at] }
	at := func(v *graph.Tensor, c int) float64 { return float64(v.Float32s()[c]) }
	for c := range channels {
		factor := at(gamma, c) / math.Sqrt(at(variance, c)+epsilon)
		for i := c; i < len(x); i += channels {
			check("normalized x", out(0, i), float64(x[i])*factor, -at(mean, c)*factor, at(beta, c))
		}
		for i := range 2 {
			check("folded weight", out(1, 2*c+i), at(w, 2*c+i)*factor)
		}
		check("folded bias", out(2, c), at(bias, c)*factor, -at(mean, c)*factor, at(beta, c))
		check("folded bias of none", out(3, c), -at(mean, c)*factor, at(beta, c))
	}
}

func TestFloat16IsExact(t *testing.T) {
	b := newBuilder(t, 1)
	bits := []uint16{0x3c00, 0xbc00, 0x0001, 0x7bff, 0x3555, 0x8000}
	half := &graph.Tensor{Name: "half", Type: graph.Float16, Role: graph.Constant, Shape: []int{6}, Data: bits}
	b.input("x", graph.Float32, nil, 1, 1)
	ip := start(t, b.done(b.float(graph.Dequantize{}, half)), interp.Options{})
	want := []float32{1, -1, 0x1p-24, 65504, 0x555p-12, float32(math.Copysign(0, -1))}
	equal(t, "values", run(t, ip, []float32{0}), want)
}
