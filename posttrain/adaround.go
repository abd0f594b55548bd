package posttrain

import (
	"context"
	"fmt"
	"slices"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/window"
	"github.com/goqat/goqat/internal/parallel"
	"github.com/goqat/goqat/quant"
)

// AdaRound returns the quantized graph q with weights rounded up or down so that
// the outputs of each layer change least, instead of each weight to its nearest
// code. Layer by layer, each seeing those before it rounded, it looks for codes
// floor(w/scale) or floor(w/scale)+1 that minimize the squared error before the
// activation,
//
//	mean of (sum of (scale*code) * x' + b - y)^2
//
// over the samples and positions, where x' is the input with quantization and y
// the output without. Weights become code*scale and their quantizers are pinned
// to the scale ([graph.Quantizer.Pin]); training a network later undoes that.
// Transposed convolutions, and weights that a BatchNorm is folded into, keep the
// nearest codes.
//
// The result depends on nothing but q and the samples.
//
// Errors: a graph without quantizers, or with ranges that are not known; samples
// that do not fit it; ctx's error.
//
// Source: M. Nagel et al., Up or Down? Adaptive Rounding for Post-Training
// Quantization, ICML 2020, equations 20 to 25; see the decision record on how the
// minimum is found.
func AdaRound(ctx context.Context, q *graph.Graph, samples data.Dataset, s Sampling) (*graph.Graph, error) {
	t, err := newTwins(q.Clone(), q.Unquantized(nil), samples, s)
	if err != nil {
		return nil, err
	}
	if err := t.run(ctx, s, "adaptive rounding", site.round); err != nil {
		return nil, fmt.Errorf("posttrain: adaround: %w", err)
	}
	return t.quantized, nil
}

// round chooses the codes of one anchor's weights.
func (s site) round() error {
	fq := s.twins.quantized.Producer(s.node.Inputs[graph.InputWeights])
	if fq == nil || !fq.OnData() {
		return nil
	}
	p, ok := s.patches()
	if !ok {
		return nil
	}
	w := fq.Inputs[0]
	z := fq.Op.(graph.FakeQuant).Quantizer
	params, err := z.ParamsOf(w.Float32s(), w.Shape)
	if err != nil {
		return err
	}
	want, err := s.target()
	if err != nil {
		return err
	}
	got, err := s.linear(s.double, s.x())
	if err != nil {
		return err
	}
	for i, v := range want {
		got[i] -= v
	}
	m := p.moments(s.x(), got, s.twins.rows)
	rounded := slices.Clone(w.Float32s())
	parallel.For(p.outputs, func(o int) {
		scale := params.Scale[min(o, len(params.Scale)-1)]
		row := make([]float64, p.taps)
		for k := range row {
			row[k] = float64(rounded[p.weight(o, k)]) / float64(scale)
		}
		codes := m.round(row, o, float64(scale), z.Grid())
		for k, code := range codes {
			rounded[p.weight(o, k)] = quant.Value(code, scale, 0)
		}
	})
	copied := *w
	copied.Data = rounded
	if len(s.twins.quantized.Consumers(w)) > 1 {
		copied.Name = s.twins.quantized.Unique(w.Name)
	}
	fq.Inputs = []*graph.Tensor{&copied}
	z.Pin(params)
	return nil
}

// patches says how the outputs of an anchor are sums of products: output o of
// group o/(outputs/groups) sums taps weights with as many elements of the input.
type patches struct {
	groups, outputs, taps, positions, row int
	// weight returns the index of a weight.
	weight func(output, tap int) int
	// gather writes the elements for some rows: [rows, positions, groups, taps].
	gather func(dst, x []float32, rows int)
}

// patches describes the anchor; ok is false for kinds that are not rounded.
func (s site) patches() (p patches, ok bool) {
	w, x, y := s.node.Inputs[graph.InputWeights].Shape, s.node.Inputs[graph.InputX].Shape, s.node.Output.Shape
	var ws f32.Workspace
	switch op := s.node.Op.(type) {
	case graph.FullyConnected:
		p = patches{groups: 1, outputs: w[0], taps: w[1], positions: graph.Elements(y[1:]) / w[0]}
		p.gather = func(dst, x []float32, _ int) { copy(dst, x) }
	case graph.Conv2D:
		p = patches{groups: 1, outputs: w[0], taps: w[1] * w[2] * w[3], positions: y[1] * y[2]}
		g := f32.Conv{Window: windowOf(op.Padding, x, w, op.StrideH, op.StrideW, op.DilationH, op.DilationW), InC: x[3], OutC: p.taps}
		one := make([]float32, p.taps*p.taps)
		for k := range p.taps {
			one[k*p.taps+k] = 1
		}
		p.gather = func(dst, x []float32, rows int) {
			g.Batch = rows
			f32.Conv2D(&ws, g, dst, x, one, nil, quant.NoActivation)
		}
	case graph.DepthwiseConv2D:
		p = patches{groups: x[3], outputs: w[3], taps: w[1] * w[2], positions: y[1] * y[2]}
		p.weight = func(o, k int) int { return k*w[3] + o }
		g := f32.Depthwise{Window: windowOf(op.Padding, x, w, op.StrideH, op.StrideW, op.DilationH, op.DilationW), Channels: x[3], Multiplier: p.taps}
		one := make([]float32, p.taps*x[3]*p.taps)
		for k := range p.taps {
			for c := range x[3] {
				one[(k*x[3]+c)*p.taps+k] = 1
			}
		}
		p.gather = func(dst, x []float32, rows int) {
			g.Batch = rows
			f32.DepthwiseConv2D(&ws, g, dst, x, one, nil, quant.NoActivation)
		}
	default:
		return p, false
	}
	p.row = graph.Elements(x[1:])
	if p.weight == nil {
		p.weight = func(o, k int) int { return o*p.taps + k }
	}
	return p, true
}

func windowOf(p graph.Padding, x, w []int, strideH, strideW, dilationH, dilationW int) window.Window {
	return window.Window{
		Input: [2]int{x[1], x[2]}, Kernel: [2]int{w[1], w[2]}, Stride: [2]int{strideH, strideW}, Dilation: [2]int{dilationH, dilationW},
	}.Complete(p.Window)
}

// moments are what the squared error of a layer depends on, as means over the
// samples and positions, those of products of different inputs shrunk.
type moments struct {
	patches
	// square has mean(x[i]*x[j]) for each group, [groups, taps, taps], shift
	// mean(x[k]*e[o]) for the error e that the float weights make,
	// [outputs, taps].
	square, shift []float64
}

// moments returns the moments of inputs x and errors of the float weights.
func (p patches) moments(x, errors []float32, rows int) moments {
	m := moments{patches: p, square: make([]float64, p.groups*p.taps*p.taps), shift: make([]float64, p.outputs*p.taps)}
	const elements = 1 << 21 // of the patches of one chunk
	each := max(elements/(p.positions*p.groups*p.taps), 1)
	var ws f32.Workspace
	of := p.outputs / p.groups
	for first := 0; first < rows; first += each {
		n := min(each, rows-first)
		count := n * p.positions
		all := make([]float32, count*p.groups*p.taps)
		p.gather(all, x[first*p.row:][:n*p.row], n)
		e := errors[first*p.positions*p.outputs:][:count*p.outputs]
		for g := range p.groups {
			in, out := columns(all, p.groups*p.taps, g*p.taps, p.taps), columns(e, p.outputs, g*of, of)
			square, shift := make([]float32, p.taps*p.taps), make([]float32, of*p.taps)
			f32.FullyConnectedGradWeights(&ws, count, p.taps, p.taps, square, nil, in, in)
			f32.FullyConnectedGradWeights(&ws, count, p.taps, of, shift, nil, in, out)
			addTo(m.square[g*p.taps*p.taps:], square, rows*p.positions)
			addTo(m.shift[g*of*p.taps:], shift, rows*p.positions)
		}
	}
	for i := range m.square {
		if i/p.taps%p.taps != i%p.taps {
			m.square[i] *= 1 - shrinkage
		}
	}
	return m
}

// columns returns some columns of a matrix.
func columns(a []float32, width, first, n int) []float32 {
	if n == width {
		return a
	}
	c := make([]float32, 0, len(a)/width*n)
	for ; len(a) > 0; a = a[width:] {
		c = append(c, a[first:first+n]...)
	}
	return c
}

// addTo adds a share of each sum.
func addTo(dst []float64, sums []float32, of int) {
	for i, v := range sums {
		dst[i] += float64(v) / float64(of)
	}
}
