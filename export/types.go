package export

import (
	"fmt"
	"math"
	"slices"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
)

// codeTypes are the types of codes by their bits.
var codeTypes = map[int]graph.Type{4: graph.Int8, 8: graph.Int8, 16: graph.Int16}

// resolveTypes turns every activation into codes with the parameters of the
// quantizer behind it, or of the input for operators that share one scale, and
// removes the FakeQuant nodes. One whose input has codes of other parameters
// already becomes a QUANTIZE operator, and so does one behind an operator that
// stays float32; in front of those there are DEQUANTIZE operators.
var resolveTypes = graph.Pass{Name: "resolve types", Run: func(g *graph.Graph) error {
	float := floats{g, map[*graph.Tensor]*graph.Tensor{}}
	for _, n := range slices.Clone(g.Nodes) {
		x := n.Inputs[0]
		f, ok := n.Op.(graph.FakeQuant)
		if !ok {
			switch {
			case kept(g, n):
				float.dequantize(n)
			case n.Op.Class() == graph.SameScale:
				n.Output.Type, n.Output.Quant = x.Type, x.Quant
			}
			continue
		}
		p, err := f.Quantizer.Params()
		if err != nil {
			return err
		}
		if x.Quant != nil && !x.Quant.Equal(p) || kept(g, g.Producer(x)) {
			n.Op = graph.Quantize{}
			n.Output.Type, n.Output.Quant = codeTypes[f.Quantizer.Bits], &p
			continue
		}
		x.Type, x.Quant = codeTypes[f.Quantizer.Bits], &p
		g.Replace(n.Output, x)
		g.Remove(n)
	}
	for _, t := range g.Tensors() {
		if t.Role == graph.Activation && t.Quant == nil && !kept(g, g.Producer(t)) && !float.made(t) {
			return fmt.Errorf("tensor %q has no quantizer", t.Name)
		}
	}
	return nil
}}

// kept reports whether a node stays float32; nil stands for none.
func kept(g *graph.Graph, n *graph.Node) bool { return n != nil && g.Recipe.Keeps(n.Name) }

// floats puts DEQUANTIZE operators in front of those that stay float32, one for
// each tensor.
type floats struct {
	g  *graph.Graph
	of map[*graph.Tensor]*graph.Tensor
}

func (f floats) dequantize(n *graph.Node) {
	n.Inputs = slices.Clone(n.Inputs)
	for i, x := range n.Inputs {
		if x == nil || x.Role != graph.Activation || x.Quant == nil {
			continue
		}
		wide := f.of[x]
		if wide == nil {
			wide = &graph.Tensor{Name: f.g.Unique(x.Name + "/float32"), Shape: x.Shape}
			at := slices.Index(f.g.Nodes, n)
			f.g.Nodes = slices.Insert(f.g.Nodes, at, &graph.Node{Name: wide.Name, Op: graph.Dequantize{}, Inputs: []*graph.Tensor{x}, Output: wide})
			f.of[x] = wide
		}
		n.Inputs[i] = wide
	}
}

// made reports whether t is the output of a DEQUANTIZE operator.
func (f floats) made(t *graph.Tensor) bool {
	for _, wide := range f.of {
		if wide == t {
			return true
		}
	}
	return false
}

// quantizeBiases gives every anchor an int32 bias, int64 behind codes of 16 bits,
// at the scale of its input times its weights, after [freeScales]; an omitted bias
// becomes zeros, which integer convolutions require.
//
//	code = half_away(b / scale),  scale[c] = float32(s_x * s_w[c])
var quantizeBiases = graph.Pass{Name: "quantize biases", Run: func(g *graph.Graph) error {
	for _, gr := range g.Groups() {
		anchor := gr.Head
		x, w := anchor.Inputs[graph.InputX], anchor.Inputs[graph.InputWeights]
		if kept(g, anchor) {
			continue
		}
		if w.Type != graph.Int8 {
			return fmt.Errorf("node %q: weights %q have no quantizer", anchor.Name, w.Name)
		}
		axis := anchor.Op.(graph.Anchored).ChannelAxis()
		values := make([]float32, w.Shape[axis])
		if b := anchor.Input(graph.InputBias); b != nil {
			values = b.Float32s()
		}
		if len(g.Consumers(w)) == 1 { // other anchors may need other scales
			w = freeScales(w, graph.Inner(w.Shape, axis), x.Quant.Scale[0], anchor.Output.Quant.Scale[0])
		}
		bias, err := biasCodes(graph.BiasName(g, anchor), values, x, w.Quant.Scale)
		if err != nil {
			return fmt.Errorf("node %q: %w", anchor.Name, err)
		}
		anchor.Inputs = []*graph.Tensor{x, w, bias}
	}
	return nil
}}

// freeScales returns the weights, inner elements behind the axis of the channels,
// with smaller scales where these belong to zero codes only (a dead channel, a BatchNorm's gamma of 0) and are so large that a
// step of the bias would be coarser than one of the output:
//
//	s_w = min(s_w, s_y/s_x)
//
// Any scale fits zero codes, and there the bias is the output: behind a wide
// input the scale that dead weights have otherwise would round it to another code
// than training saw.
func freeScales(w *graph.Tensor, inner int, xScale, yScale float32) *graph.Tensor {
	p := quant.Params{Scale: slices.Clone(w.Quant.Scale), ZeroPoint: w.Quant.ZeroPoint, Axis: w.Quant.Axis}
	used := make([]bool, len(p.Scale))
	for i, q := range w.Int8s() {
		c := i / inner % len(used)
		used[c] = used[c] || q != 0
	}
	for c, codes := range used {
		if !codes {
			p.Scale[c] = min(p.Scale[c], yScale/xScale)
		}
	}
	freed := *w
	freed.Quant = &p
	return &freed
}

// biasCodes returns the bias for float values behind the activation x.
func biasCodes(name string, values []float32, x *graph.Tensor, wScales []float32) (*graph.Tensor, error) {
	p := quant.Params{Scale: make([]float32, len(wScales)), ZeroPoint: make([]int32, len(wScales))}
	for c, w := range wScales {
		p.Scale[c] = x.Quant.Scale[0] * w
	}
	if err := p.Check([]int{len(values)}); err != nil {
		return nil, fmt.Errorf("bias %q at the scale of input times weights: %w", name, err)
	}
	t := &graph.Tensor{Name: name, Type: graph.Int32, Role: graph.Constant, Shape: []int{len(values)}, Quant: &p}
	limit := float64(math.MaxInt32)
	if x.Type == graph.Int16 {
		t.Type, limit = graph.Int64, 1<<47
	}
	narrow, wide := make([]int32, len(values)), make([]int64, len(values))
	for c, v := range values {
		code := math.Round(float64(v) / float64(p.Scale[min(c, len(p.Scale)-1)]))
		if !(math.Abs(code) <= limit) {
			return nil, fmt.Errorf("bias %q: channel %d is %v, which is %v steps and does not fit %v", name, c, v, code, t.Type)
		}
		narrow[c], wide[c] = int32(int64(code)), int64(code)
	}
	if t.Data = any(narrow); t.Type == graph.Int64 {
		t.Data = wide
	}
	return t, nil
}

// markHybrid drops the run-time quantizers of a weight-only recipe, tells dense
// operators with int8 weights to use a zero point for each row, and repeats the
// one scale of depthwise weights for each channel.
var markHybrid = graph.Pass{Name: "mark hybrid", Run: func(g *graph.Graph) error {
	for _, n := range append([]*graph.Node(nil), g.Nodes...) {
		switch op := n.Op.(type) {
		case graph.FakeQuant:
			if op.Quantizer.Source != graph.Dynamic {
				return fmt.Errorf("node %q: a %v quantizer in a weight-only network", n.Name, op.Quantizer.Source)
			}
			g.Replace(n.Output, n.Inputs[0])
			g.Remove(n)
		case graph.FullyConnected:
			if n.Inputs[graph.InputWeights].Type == graph.Int8 {
				op.AsymmetricInputs = true
				n.Op = op
			}
		case graph.DepthwiseConv2D:
			spreadScale(n)
		}
	}
	return nil
}}

// spreadScale gives int8 weights with one scale as many equal ones as there are
// channels: LiteRT's hybrid depthwise kernel reads a scale for each channel,
// whether there is one or not.
func spreadScale(n *graph.Node) {
	w, axis := n.Inputs[graph.InputWeights], n.Op.(graph.Anchored).ChannelAxis()
	channels := w.Shape[axis]
	if w.Type != graph.Int8 || w.Quant.PerChannel() || channels == 1 {
		return
	}
	p := quant.Params{Scale: slices.Repeat(w.Quant.Scale, channels), ZeroPoint: slices.Repeat(w.Quant.ZeroPoint, channels), Axis: axis}
	spread := *w
	spread.Quant = &p
	n.Inputs[graph.InputWeights] = &spread
}
