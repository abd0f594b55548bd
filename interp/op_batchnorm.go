package interp

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
)

// batchNorm normalizes with the moving statistics.
func batchNorm(s site) (kernel, error) {
	if err := s.floatOnly(); err != nil {
		return nil, err
	}
	epsilon := s.Op.(graph.BatchNorm).Epsilon
	channels := s.Input(graph.InputVariance).Elements()
	return func(in []*value, out *value) error {
		x, invStd := in[graph.InputX].floats(), make([]float32, channels)
		f32.InvStd(invStd, in[graph.InputVariance].floats(), epsilon)
		ws := s.ws.take()
		f32.Normalize(ws, len(x)/channels, channels, out.floats(), x,
			in[graph.InputMean].floats(), invStd, in[graph.InputGamma].floats(), in[graph.InputBeta].floats())
		s.ws.put(ws)
		return nil
	}, nil
}

// affine scales and shifts.
func affine(s site) (kernel, error) {
	if err := s.floatOnly(); err != nil {
		return nil, err
	}
	channels := s.Input(graph.InputShift).Elements()
	return func(in []*value, out *value) error {
		x := in[graph.InputX].floats()
		ws := s.ws.take()
		f32.Affine(ws, len(x)/channels, channels, out.floats(), x, in[graph.InputFactor].floats(), in[graph.InputShift].floats())
		s.ws.put(ws)
		return nil
	}, nil
}

func foldWeights(s site) (kernel, error) {
	if err := s.floatOnly(); err != nil {
		return nil, err
	}
	op, shape := s.Op.(graph.FoldWeights), s.Output.Shape
	return func(in []*value, out *value) error {
		factor := make([]float32, shape[op.Axis])
		w, gamma, variance := in[0].floats(), in[1].floats(), in[2].floats()
		graph.FoldFactor(factor, gamma, variance, op.Epsilon)
		graph.ScaleChannels(out.floats(), w, factor, graph.Inner(shape, op.Axis))
		return nil
	}, nil
}

func foldBias(s site) (kernel, error) {
	if err := s.floatOnly(); err != nil {
		return nil, err
	}
	epsilon := s.Op.(graph.FoldBias).Epsilon
	return func(in []*value, out *value) error {
		factor := make([]float32, out.n)
		gamma, variance, beta, mean := in[0].floats(), in[1].floats(), in[2].floats(), in[3].floats()
		var b []float32
		if len(in) > 4 {
			b = in[4].floats()
		}
		graph.FoldFactor(factor, gamma, variance, epsilon)
		graph.FoldShift(out.floats(), factor, beta, mean, b)
		return nil
	}, nil
}

// floatOnly refuses operators that exist only in float32 on other types.
func (s site) floatOnly() error {
	for _, t := range append(s.Inputs[:len(s.Inputs):len(s.Inputs)], s.Output) {
		if t != nil && t.Type != graph.Float32 {
			return s.unsupported()
		}
	}
	return nil
}
