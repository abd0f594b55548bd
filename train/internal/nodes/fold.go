package nodes

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
)

// foldFactors are the per-channel factors of a folded BatchNorm.
type foldFactors struct {
	epsilon      float32
	ones         []float32
	factor       []float32 // gamma/sqrt(variance + epsilon)
	invDeviation []float32 // 1/sqrt(variance + epsilon): the derivative by gamma
}

func newFoldFactors(channels int, epsilon float32) *foldFactors {
	f := &foldFactors{epsilon, make([]float32, channels), make([]float32, channels), make([]float32, channels)}
	for i := range f.ones {
		f.ones[i] = 1
	}
	return f
}

func (f *foldFactors) compute(gamma, variance []float32) {
	graph.FoldFactor(f.factor, gamma, variance, f.epsilon)
	graph.FoldFactor(f.invDeviation, f.ones, variance, f.epsilon)
}

// foldWeights builds [graph.FoldWeights]: w' = w*f per channel.
//
// Gradient: dw = dw'*f, dgamma = sum(dw'*w)/sqrt(variance + epsilon); none for
// the variance.
func foldWeights(c *compiler, n *graph.Node) (*operator, error) {
	if err := c.frozen(n, 2); err != nil {
		return nil, err
	}
	y := newValue(c.shapes[n.Output])
	op := n.Op.(graph.FoldWeights)
	channels, inner := y.shape[op.Axis], graph.Inner(y.shape, op.Axis)
	f := newFoldFactors(channels, op.Epsilon)
	return &operator{
		out: y,
		run: func(in [][]float32) error {
			f.compute(in[1], in[2])
			graph.ScaleChannels(y.data, in[0], f.factor, inner)
			return nil
		},
		derive: func() derivative {
			dw, dgamma := c.gradient(n.Inputs[0]), c.gradient(n.Inputs[1])
			return derivative{grads: []*value{dw, dgamma, nil}, run: func(in [][]float32) error {
				w, dy := in[0], in[4]
				if dw != nil {
					graph.ScaleChannels(dw.data, dy, f.factor, inner)
				}
				if dgamma != nil {
					clear(dgamma.data)
					for i := 0; i < len(w); i += inner {
						dgamma.data[i/inner%channels] += f32.Dot(dy[i:i+inner], w[i:i+inner])
					}
					f32.MulTo(dgamma.data, dgamma.data, f.invDeviation)
				}
				return nil
			}}
		},
	}, nil
}

// Inputs of FoldBias, by position.
const (
	foldGamma = iota
	foldVariance
	foldBeta
	foldMean
	foldedBias
)

// foldBias builds [graph.FoldBias]: b' = beta + (b-mean)*f.
//
// Gradient: dbeta = db', db = db'*f, dgamma = db'*(b-mean)/sqrt(variance +
// epsilon); none for the moving statistics.
func foldBias(c *compiler, n *graph.Node) (*operator, error) {
	if err := c.frozen(n, foldVariance, foldMean); err != nil {
		return nil, err
	}
	y := newValue(c.shapes[n.Output])
	f := newFoldFactors(len(y.data), n.Op.(graph.FoldBias).Epsilon)
	biasOf := func(in [][]float32) []float32 { // nil for none
		if n.Input(foldedBias) == nil {
			return nil
		}
		return in[foldedBias]
	}
	return &operator{
		out: y,
		run: func(in [][]float32) error {
			f.compute(in[foldGamma], in[foldVariance])
			graph.FoldShift(y.data, f.factor, in[foldBeta], in[foldMean], biasOf(in))
			return nil
		},
		derive: func() derivative {
			dgamma, dbeta, dbias := c.gradient(n.Inputs[foldGamma]), c.gradient(n.Inputs[foldBeta]), c.gradient(n.Input(foldedBias))
			d := derivative{grads: []*value{dgamma, nil, dbeta, nil}}
			if n.Input(foldedBias) != nil {
				d.grads = append(d.grads, dbias)
			}
			zeros := make([]float32, len(y.data))
			d.run = func(in [][]float32) error {
				dy := in[len(in)-1]
				if dgamma != nil {
					// (b-mean)/deviation is the shift for beta = 0 and gamma = 1.
					graph.FoldShift(dgamma.data, f.invDeviation, zeros, in[foldMean], biasOf(in))
					f32.MulTo(dgamma.data, dgamma.data, dy)
				}
				if dbeta != nil {
					copy(dbeta.data, dy)
				}
				if dbias != nil {
					f32.MulTo(dbias.data, dy, f.factor)
				}
				return nil
			}
			return d
		},
	}, nil
}
