package interp

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/quant"
)

// A kernel computes one node for whatever batch the values have. in has nil for
// omitted inputs.
type kernel func(in []*value, out *value) error

// A factory prepares a node's kernel: everything that depends on the node and
// its parameters but not on data or batch. Its kernel is a pure function of in,
// and serves many goroutines at the same time.
type factory func(s site) (kernel, error)

// factories has one entry for each operator.
var factories = map[string]factory{
	graph.Add{}.Name():             add,
	graph.AveragePool2D{}.Name():   averagePool,
	graph.Affine{}.Name():          affine,
	graph.BatchNorm{}.Name():       batchNorm,
	graph.Concat{}.Name():          concat,
	graph.Conv2D{}.Name():          conv2D,
	graph.DepthwiseConv2D{}.Name(): depthwiseConv2D,
	graph.Dequantize{}.Name():      dequantize,
	graph.Dropout{}.Name():         reshape, // copies, as at inference a Dropout does
	graph.Elu{}.Name():             elu,
	graph.FakeQuant{}.Name():       fakeQuant,
	graph.FoldBias{}.Name():        foldBias,
	graph.FoldWeights{}.Name():     foldWeights,
	graph.FullyConnected{}.Name():  fullyConnected,
	graph.HardSwish{}.Name():       hardSwish,
	graph.LeakyRelu{}.Name():       leakyRelu,
	graph.Logistic{}.Name():        logistic,
	graph.MaxPool2D{}.Name():       maxPool,
	graph.Mean{}.Name():            mean,
	graph.Mul{}.Name():             mul,
	graph.Pad{}.Name():             pad,
	graph.Prelu{}.Name():           prelu,
	graph.Quantize{}.Name():        quantize,
	graph.ReduceMax{}.Name():       reduceMax,
	graph.Relu{}.Name():            relu,
	graph.Relu6{}.Name():           relu,
	graph.Reshape{}.Name():         reshape,
	graph.Softmax{}.Name():         softmax,
	graph.StridedSlice{}.Name():    stridedSlice,
	graph.Sub{}.Name():             sub,
	graph.Tanh{}.Name():            tanh,
	graph.Transpose{}.Name():       transpose,
	graph.TransposeConv{}.Name():   transposeConv,

	graph.ResizeNearestNeighbor{}.Name(): resizeNearest,
}

// Operators returns the names of the operators that an interpreter can run, in
// alphabetical order.
func Operators() []string { return slices.Sorted(maps.Keys(factories)) }

// prepare returns the kernel of a node of g, and of the node pad before it unless
// that is nil.
func prepare(g *graph.Graph, n, pad *graph.Node, o Options, ws *workspaces) (k kernel, err error) {
	f, ok := factories[n.Op.Name()]
	if foreign, is := n.Op.(interface{ Refusal() string }); is {
		return nil, fmt.Errorf("interp: node %q: %s", n.Name, foreign.Refusal())
	}
	if !ok {
		return nil, fmt.Errorf("interp: node %q: operator %s is not implemented", n.Name, n.Op.Name())
	}
	if o.Profile == XNNPACK {
		for _, t := range append([]*graph.Tensor{n.Output}, n.Inputs...) {
			if t != nil && (t.Type == graph.Int16 || t.Int4) {
				return nil, fmt.Errorf("interp: node %q (%s): tensor %q: XNNPACK takes 8 bits only, and LiteRT's own kernels for others are not reproduced", n.Name, n.Op.Name(), t.Name)
			}
		}
	}
	err = guarded(n, func() error {
		k, err = f(site{n, o, g, ws, pad})
		return err
	})
	return k, err
}

// guarded runs f and names the node in its error. A panic, which a fault of this
// package or a kernel would cause, becomes an error: none may cross the package's
// boundary.
func guarded(n *graph.Node, f func() error) (err error) {
	defer func() { err = fault(n, recover(), err) }()
	return f()
}

// fault is the error of a node: what a panic was about, if there was one, or err.
func fault(n *graph.Node, panicked any, err error) error {
	if panicked != nil {
		err = fmt.Errorf("internal fault: %v", panicked)
	}
	if err != nil {
		err = fmt.Errorf("interp: node %q (%s): %w", n.Name, n.Op.Name(), err)
	}
	return err
}

// A site is where a kernel is prepared: a node and what it may use.
type site struct {
	*graph.Node
	Options
	graph *graph.Graph
	ws    *workspaces // for use while the kernel runs
	pad   *graph.Node // a PAD of the first input that is part of the kernel, or nil
}

// workspaces lends scratch memory to kernels.
type workspaces struct{ pool sync.Pool }

// take returns a workspace, which put takes back.
func (w *workspaces) take() *f32.Workspace {
	if ws, ok := w.pool.Get().(*f32.Workspace); ok {
		return ws
	}
	return new(f32.Workspace)
}

func (w *workspaces) put(ws *f32.Workspace) { w.pool.Put(ws) }

// A signature is the types of an operator's first input, weights (or second
// input) and output. Operators on one tensor repeat the input's.
type signature struct{ x, weights, y graph.Type }

var (
	allFloat = signature{graph.Float32, graph.Float32, graph.Float32}
	allInt8  = signature{graph.Int8, graph.Int8, graph.Int8}
	allInt16 = signature{graph.Int16, graph.Int16, graph.Int16}
	int16x8  = signature{graph.Int16, graph.Int8, graph.Int16}
	hybrid   = signature{graph.Float32, graph.Int8, graph.Float32}
)

// anchor returns the signature of an operator with weights.
func (s site) anchor() signature {
	return signature{s.Input(graph.InputX).Type, s.Input(graph.InputWeights).Type, s.Output.Type}
}

// unary returns the signature of an operator without weights.
func (s site) unary() signature {
	x := s.Input(graph.InputX).Type
	return signature{x, x, s.Output.Type}
}

// unsupported is the error for a signature without kernel.
func (s site) unsupported() error {
	types := make([]graph.Type, 0, len(s.Inputs))
	for _, t := range s.Inputs {
		if t != nil {
			types = append(types, t.Type)
		}
	}
	return fmt.Errorf("no kernel for inputs %v and output %v in profile %v", types, s.Output.Type, s.Profile)
}

// params returns the parameters of an integer tensor.
func params(t *graph.Tensor) (quant.Params, error) {
	if t.Quant == nil {
		return quant.Params{}, fmt.Errorf("tensor %q is %v without scale and zero point", t.Name, t.Type)
	}
	return *t.Quant, nil
}

// activationParams returns the parameters of the first input and the output of
// an integer operator: one scale each, and a zero point that the type holds.
func (s site) activationParams() (in, out quant.Params, err error) {
	if in, err = perTensor(s.Input(graph.InputX)); err != nil {
		return in, out, err
	}
	out, err = perTensor(s.Output)
	return in, out, err
}

// perTensor returns the parameters of an integer activation.
func perTensor(t *graph.Tensor) (quant.Params, error) {
	p, err := params(t)
	if err != nil {
		return p, err
	}
	if p.PerChannel() {
		return p, fmt.Errorf("tensor %q has %d scales, an activation has one", t.Name, len(p.Scale))
	}
	g, ok := grids[t.Type]
	if !ok {
		return p, fmt.Errorf("tensor %q: %v codes are not supported", t.Name, t.Type)
	}
	if !g.Contains(p.ZeroPoint[0]) {
		return p, fmt.Errorf("tensor %q: zero point %d is outside [%d, %d]", t.Name, p.ZeroPoint[0], g.Min, g.Max)
	}
	return p, nil
}

// grids are the codes of the types that activations may have.
var grids = map[graph.Type]quant.Grid{graph.Int8: quant.Signed(8, false), graph.UInt8: {Min: 0, Max: 255}, graph.Int16: quant.Signed(16, false)}

// sharedParams returns the parameters that the first input and the output of an
// integer operator of class SameScale have in common.
func (s site) sharedParams() (quant.Params, error) { return s.shares(s.Input(graph.InputX)) }

// shares returns the parameters that an input and the output have in common.
func (s site) shares(x *graph.Tensor) (quant.Params, error) {
	in, err := perTensor(x)
	if err != nil {
		return in, err
	}
	out, err := perTensor(s.Output)
	if err == nil && !in.Equal(out) {
		err = fmt.Errorf("tensors %q and %q must have equal scale and zero point, not %v, %d and %v, %d",
			x.Name, s.Output.Name, in.Scale[0], in.ZeroPoint[0], out.Scale[0], out.ZeroPoint[0])
	}
	return in, err
}

// weights returns the codes of an anchor's weights, which must be data, and
// their parameters.
func (s site) weights() ([]int8, quant.Params, error) {
	w := s.Input(graph.InputWeights)
	if w.Int8s() == nil {
		return nil, quant.Params{}, fmt.Errorf("weights %q are computed: they must be data", w.Name)
	}
	p, err := params(w)
	if axis := s.Op.(graph.Anchored).ChannelAxis(); err == nil && p.PerChannel() && p.Axis != axis {
		err = fmt.Errorf("tensor %q: scales run along axis %d, want %d", w.Name, p.Axis, axis)
	}
	return w.Int8s(), p, err
}

// data returns the elements of an optional input that must be data of the type
// of T; nil where it is omitted.
func data[T int32 | int64 | float32](t *graph.Tensor) ([]T, error) {
	if t == nil {
		return nil, nil
	}
	d, ok := t.Data.([]T)
	if !ok {
		return nil, fmt.Errorf("tensor %q holds %T, want data of type %T", t.Name, t.Data, d)
	}
	return d, nil
}
