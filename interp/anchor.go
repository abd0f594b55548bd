package interp

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/q16"
	"github.com/goqat/goqat/quant"
)

// anchored is what operators with weights have in common: a kernel for each
// signature, on rows (or images) of the input.
type anchored struct {
	row    int // elements of the input
	float  func(ws *f32.Workspace, rows int, y, x, w, bias []float32)
	packed func(w, bias []float32) packed // of constants, instead of float; or nil
	int8   func(in, out, weight quant.Params, weights []int8, bias []int32) (runner[int8], error)
	int16  func(l q16.Linear, weights []int8, bias []int64) (runner[int16], error)
	hybrid func(weight quant.Params, weights []int8, bias []float32) (runner[float32], error)
}

// packed is a prepared operator of package f32.
type packed interface {
	Run(ws *f32.Workspace, rows int, y, x []float32)
}

// A runner is a prepared operator of package q8 or q16.
type runner[T int8 | int16 | float32] interface{ Run(dst, src []T, rows int) }

// prepare returns the kernel for the types at s.
func (a anchored) prepare(s site) (kernel, error) {
	switch {
	case s.anchor() == allFloat:
		return a.prepareFloat(s), nil
	case s.anchor() == allInt8:
		return a.prepareInt8(s)
	case s.anchor() == int16x8:
		return a.prepareInt16(s)
	case s.anchor() == hybrid && s.Profile == LiteRT:
		return a.prepareHybrid(s)
	}
	return nil, s.unsupported()
}

func (a anchored) prepareFloat(s site) kernel {
	w, b := s.Input(graph.InputWeights), s.Input(graph.InputBias)
	if a.packed != nil && w.Role == graph.Constant && (b == nil || b.Role == graph.Constant) {
		var bias []float32
		if b != nil {
			bias = b.Float32s()
		}
		op := a.packed(w.Float32s(), bias)
		return func(in []*value, out *value) error {
			x, ws := in[graph.InputX].floats(), s.ws.take()
			op.Run(ws, len(x)/a.row, out.floats(), x)
			s.ws.put(ws)
			return nil
		}
	}
	return func(in []*value, out *value) error {
		x, w := in[graph.InputX].floats(), in[graph.InputWeights].floats()
		var bias []float32
		if len(in) > graph.InputBias {
			bias = in[graph.InputBias].floats()
		}
		ws := s.ws.take()
		a.float(ws, len(x)/a.row, out.floats(), x, w, bias)
		s.ws.put(ws)
		return nil
	}
}

func (a anchored) prepareInt8(s site) (kernel, error) {
	in, out, err := s.activationParams()
	if err != nil {
		return nil, err
	}
	weights, params, err := s.weights()
	if err != nil {
		return nil, err
	}
	bias, err := data[int32](s.Input(graph.InputBias))
	if err != nil {
		return nil, err
	}
	op, err := a.int8(in, out, params, weights, bias)
	return byRow(op, a.row), err
}

func (a anchored) prepareInt16(s site) (kernel, error) {
	in, out, err := s.activationParams()
	if err != nil {
		return nil, err
	}
	weights, params, err := s.weights()
	if err != nil {
		return nil, err
	}
	bias, err := data[int64](s.Input(graph.InputBias))
	if err != nil {
		return nil, err
	}
	outputs := s.Input(graph.InputWeights).Shape[s.Op.(graph.Anchored).ChannelAxis()]
	op, err := a.int16(q16.Linear{
		Outputs: outputs, Input: in, Output: out, Weight: params, Activation: s.Op.(graph.Fusing).Activation(), Kernel: s.kernel(),
	}, weights, bias)
	return byRow(op, a.row), err
}

func (a anchored) prepareHybrid(s site) (kernel, error) {
	weights, params, err := s.weights()
	if err != nil {
		return nil, err
	}
	bias, err := data[float32](s.Input(graph.InputBias))
	if err != nil {
		return nil, err
	}
	op, err := a.hybrid(params, weights, bias)
	run := byRow(op, a.row)
	return func(in []*value, out *value) error {
		if err := in[graph.InputX].checkFinite(); err != nil {
			return err
		}
		return run(in, out)
	}, err
}

// byRow is the kernel that runs op on rows of the given number of elements.
func byRow[T int8 | int16 | float32](op runner[T], row int) kernel {
	return func(in []*value, out *value) error {
		x := elements[T](in[graph.InputX])
		op.Run(elements[T](out), x, len(x)/row)
		return nil
	}
}
