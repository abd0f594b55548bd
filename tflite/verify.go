package tflite

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite/internal/format"
	"github.com/goqat/goqat/tflite/internal/importer"
	"github.com/goqat/goqat/tflite/internal/operators"
)

// Verify checks all that can be checked of a .tflite file without running it:
//
//   - its structure: offsets, buffer 0 empty, constants of the size of their
//     shapes and on 16-byte boundaries, operators in execution order, the
//     signature and the least runtime version;
//   - operators: number types that runtimes take, versions neither below what
//     these need nor above what is known, shapes that follow from the operator;
//   - quantization: zero points inside the type; weights symmetric, in
//     [-127, 127], per tensor or along the axis of output channels; biases int32
//     at scale s_x*s_w with zero point 0; equal parameters where an operator
//     only moves codes; the fixed outputs of softmax; scales that ADD, SUB and MUL
//     can bring together; sums of products that fit 32 bits for any input;
//   - no NaN or Inf in constants and scales.
//
// Of operators that this package does not know, or that have tensors which graphs do
// not compute with, and of subgraphs behind the first it checks the structure only.
//
// Errors: every fault, joined, with operator index, tensor name, channel or byte
// offset. Files that cannot be read give the errors of [Unmarshal].
//
// Source: TensorFlow Lite 8-bit quantization specification; LiteRT,
// tflite/core/tools/verifier.cc and the Prepare functions of its kernels.
func Verify(data []byte) error {
	f, err := format.Parse(data)
	if err != nil {
		return err
	}
	g, origins, err := importer.Graph(f)
	if err != nil {
		return err
	}
	v := &verifier{}
	v.structure(f)
	for i, n := range g.Nodes {
		o := f.Subgraphs[0].Operators[origins[i]]
		code := f.Codes[o.Code]
		v.where = fmt.Sprintf("operator %d, %s (byte %d)", origins[i], code.OperatorName(), o.At)
		if foreign, ok := n.Op.(graph.Foreign); ok {
			if row := operators.ByName(code.OperatorName()); row != nil && row.Read != nil && foreign.Reason != "" && !beyond(n) {
				v.fault("%s", foreign.Reason)
			}
			continue
		}
		if _, ok := n.Op.(graph.ForeignOutput); ok {
			continue
		}
		if code.OperatorName() == n.Op.Name() {
			v.version(code.Version, n)
		}
		v.operator(n)
	}
	for _, t := range g.Tensors() {
		v.where = fmt.Sprintf("tensor %q", t.Name)
		v.tensor(t)
	}
	return errors.Join(v.faults...)
}

// beyond reports a node with tensors that its operator cannot have in a graph, but
// well in a file: plain integers, and what is kept.
func beyond(n *graph.Node) bool {
	return n.Output.Type == graph.Int32 || n.Output.Type == graph.Int64 ||
		slices.ContainsFunc(append(slices.Clone(n.Inputs), n.Output), func(t *graph.Tensor) bool { return t != nil && t.Kept != nil })
}

// verifier collects the faults of a file that can be read.
type verifier struct {
	where  string
	faults []error
}

func (v *verifier) fault(format string, a ...any) {
	v.faults = append(v.faults, fmt.Errorf("tflite: %s: %w", v.where, fmt.Errorf(format, a...)))
}

// structure checks what a graph does not keep of its file.
func (v *verifier) structure(f *format.File) {
	v.where = "model"
	if len(f.Buffers) == 0 || f.Buffers[0].Size != 0 {
		v.fault("buffer 0 must exist and be empty")
	}
	for i, b := range f.Buffers {
		if b.Size > 0 && b.At%format.Alignment != 0 {
			v.fault("buffer %d starts at byte %d, which is not a multiple of %d", i, b.At, format.Alignment)
		}
	}
	keys := map[string]bool{}
	for _, s := range f.Signatures {
		if keys[s.Key] {
			v.fault("two signatures are named %q", s.Key)
		}
		keys[s.Key] = true
		if s.Subgraph < 0 || s.Subgraph >= len(f.Subgraphs) {
			v.fault("signature %q names subgraph %d, there are %d", s.Key, s.Subgraph, len(f.Subgraphs))
			continue
		}
		tensors := len(f.Subgraphs[s.Subgraph].Tensors)
		for _, e := range slices.Concat(s.Inputs, s.Outputs) {
			if e.Tensor < 0 || e.Tensor >= tensors {
				v.fault("a signature names tensor %d, there are %d", e.Tensor, tensors)
			}
		}
	}
	var used []format.Code
	for _, s := range f.Subgraphs {
		for _, o := range s.Operators {
			used = append(used, f.Codes[o.Code])
		}
	}
	want, _ := operators.LeastRuntime(used)
	if have := f.Runtime(); have != "" && operators.Newer(want, have) {
		v.fault("%s is %q, but its operators need %q", format.RuntimeKey, have, want)
	}
}

// version checks an operator's version against what its types need.
func (v *verifier) version(have int, n *graph.Node) {
	row := operators.ByName(n.Op.Name())
	inFile := n
	if row.Inputs != nil {
		copied := *n
		copied.Inputs = row.Inputs(n, operators.NewConstants())
		inFile = &copied
	}
	if row.NeedsBias && n.Input(row.Bias) == nil {
		v.fault("no bias, which LiteRT's kernel demands")
	}
	need, err := row.VersionOf(inFile)
	switch {
	case err != nil:
		v.fault("%w", err)
	case have < need:
		v.fault("version %d, but its types and options need version %d", have, need)
	case have > len(row.Runtimes):
		v.fault("version %d is newer than the newest known, %d", have, len(row.Runtimes))
	}
}

// operator checks the quantization of a node by its class.
func (v *verifier) operator(n *graph.Node) {
	for _, t := range append(slices.Clone(n.Inputs), n.Output) {
		if t != nil && operators.Integer(t.Type) && t.Quant == nil {
			v.fault("%s %q has no scale", t.Type, t.Name)
			return
		}
	}
	switch n.Op.Class() {
	case graph.Anchor:
		v.anchor(n)
	case graph.Requantize:
		if !operators.Integer(n.Output.Type) {
			return
		}
		if err := graph.CheckScales(n); err != nil {
			v.fault("%w", err)
		}
	case graph.SameScale:
		for _, t := range n.Inputs {
			if t.Quant != nil && n.Output.Quant != nil && !t.Quant.Equal(*n.Output.Quant) {
				v.fault("input %q and output %q must have the same scale and zero point", t.Name, n.Output.Name)
			}
		}
	case graph.FixedOutput:
		if !operators.Integer(n.Output.Type) {
			return
		}
		want, err := n.Op.(graph.FixedParams).FixedParams(8 * n.Output.Type.Size())
		if err != nil {
			v.fault("%w", err)
		} else if !n.Output.Quant.Equal(want) {
			v.fault("output %q must have scale %v and zero point %v", n.Output.Name, want.Scale[0], want.ZeroPoint[0])
		}
	}
}

// anchor checks an operator with weights and a bias.
func (v *verifier) anchor(n *graph.Node) {
	x, w := n.Inputs[graph.InputX], n.Inputs[graph.InputWeights]
	if w.Type != graph.Int8 {
		return
	}
	axis := n.Op.(graph.Anchored).ChannelAxis()
	if operators.PerChannel(w) && w.Quant.Axis != axis {
		v.fault("weights %q have scales along axis %d, want %d", w.Name, w.Quant.Axis, axis)
		return
	}
	for c, z := range w.Quant.ZeroPoint {
		if z != 0 {
			v.fault("weights %q: zero point of channel %d is %d, want 0", w.Name, c, z)
		}
	}
	if i := slices.Index(w.Int8s(), -128); i >= 0 {
		v.fault("weights %q: element %d is -128; integer kernels take [-127, 127]", w.Name, i)
	}
	if _, ok := n.Op.(graph.DepthwiseConv2D); ok && x.Type == graph.Float32 && len(w.Quant.Scale) != w.Shape[axis] {
		v.fault("weights %q have one scale; behind a float input LiteRT reads one for each of %d channels", w.Name, w.Shape[axis])
	}
	if x.Type == graph.Float32 {
		return
	}
	if operators.PerChannel(x) || operators.PerChannel(n.Output) {
		v.fault("activations must have one scale")
		return
	}
	bias := n.Input(graph.InputBias)
	if bias != nil && !v.bias(x, w, bias) {
		return
	}
	v.sums(n, axis)
}

// bias checks that a bias can be added to the sums of products. Its scale may be
// one float32 step from s_x*s_w: the product is rounded to float32, and not
// every writer rounds it once.
func (v *verifier) bias(x, w, bias *graph.Tensor) bool {
	if bias.Quant == nil || len(bias.Quant.Scale) != len(w.Quant.Scale) {
		v.fault("bias %q must have as many scales as weights %q, %d", bias.Name, w.Name, len(w.Quant.Scale))
		return false
	}
	for c, s := range bias.Quant.Scale {
		want := x.Quant.Scale[0] * w.Quant.Scale[c]
		if s < math.Nextafter32(want, 0) || s > math.Nextafter32(want, math.MaxFloat32) {
			v.fault("bias %q: scale of channel %d is %v, want input times weights, %v", bias.Name, c, s, want)
		}
		if bias.Quant.ZeroPoint[c] != 0 {
			v.fault("bias %q: zero point of channel %d is %d, want 0", bias.Name, c, bias.Quant.ZeroPoint[c])
		}
	}
	return true
}

// sums checks, channel by channel, that
//
//	sum |w| * max|q_x - z_x| + |b| < 2^31
//
// or 2^47 where activations are int16, and that the factor from sums to output
// codes is one that kernels can apply.
func (v *verifier) sums(n *graph.Node, axis int) {
	x, w := n.Inputs[graph.InputX], n.Inputs[graph.InputWeights]
	z := int64(x.Quant.ZeroPoint[0])
	low, high, _ := codes(x.Type)
	most, exponent := int64(math.MaxInt32), 30
	if x.Type == graph.Int16 {
		most, exponent = 1<<47-1, 7
	}
	farthest := max(int64(high)-z, z-int64(low))
	totals := make([]int64, w.Shape[axis])
	inner := graph.Inner(w.Shape, axis)
	for i, q := range w.Int8s() {
		totals[i/inner%len(totals)] += max(int64(q), -int64(q)) * farthest
	}
	if b := n.Input(graph.InputBias); b != nil {
		for c, q := range b.Int32s() {
			totals[c] += max(int64(q), -int64(q))
		}
		wide, _ := b.Data.([]int64)
		for c, q := range wide {
			q = min(max(q, -most-1), most+1) // -q is a number then
			totals[c] += max(q, -q)
		}
	}
	for c, total := range totals {
		if total > most {
			v.fault("channel %d can sum to %d, which does not fit %d bits", c, total, bits.Len64(uint64(most))+1)
		}
	}
	for c, s := range w.Quant.Scale {
		real := float64(x.Quant.Scale[0]) * float64(s) / float64(n.Output.Quant.Scale[0])
		if m := quant.QuantizeMultiplier(real); m.Exponent > exponent {
			v.fault("channel %d: scales %v*%v/%v make a factor of %v, beyond 2^%d", c, x.Quant.Scale[0], s, n.Output.Quant.Scale[0], real, exponent)
		}
	}
}

// tensor checks values and parameters by themselves.
func (v *verifier) tensor(t *graph.Tensor) {
	if t.Quant != nil {
		low, high, bounded := codes(t.Type)
		for c, z := range t.Quant.ZeroPoint {
			if bounded && (z < low || z > high) {
				v.fault("zero point %d of channel %d is outside [%d, %d]", z, c, low, high)
			}
		}
	}
	for i, x := range t.Float32s() {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			v.fault("element %d is %v", i, x)
			return
		}
	}
	if half, ok := t.Data.([]uint16); ok {
		// All exponent bits set is NaN or Inf in IEEE half precision.
		if i := slices.IndexFunc(half, func(h uint16) bool { return h&0x7c00 == 0x7c00 }); i >= 0 {
			v.fault("element %d is NaN or Inf", i)
		}
	}
}

// codes returns the range of an integer type that holds codes.
func codes(t graph.Type) (low, high int32, bounded bool) {
	switch t {
	case graph.Int8:
		return math.MinInt8, math.MaxInt8, true
	case graph.UInt8:
		return 0, math.MaxUint8, true
	case graph.Int16:
		return math.MinInt16, math.MaxInt16, true
	}
	return 0, 0, false
}
