package nodes

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
)

// foldWeights builds [graph.FoldWeights]: w' = w*f per channel, with
// f = gamma*invStd and invStd = 1/sqrt(variance + epsilon).
//
// Gradient: dw = dw'*f, dgamma = invStd*sum(dw'*w); none for the variance.
func foldWeights(c *compiler, n *graph.Node) (*operator, error) {
	if err := c.frozen(n, 2); err != nil {
		return nil, err
	}
	epsilon := n.Op.(graph.FoldWeights).Epsilon
	y := newValue(c.shapes[n.Output])
	channels := y.shape[0]
	inner := len(y.data) / channels
	invStd, factor := make([]float32, channels), make([]float32, channels)
	channel := func(x []float32, i int) []float32 { return x[i*inner : (i+1)*inner] }
	return &operator{
		out: y,
		run: func(in [][]float32) error {
			w, gamma, variance := in[0], in[1], in[2]
			f32.InvStd(invStd, variance, epsilon)
			f32.MulTo(factor, gamma, invStd)
			for i, f := range factor {
				f32.ScaleTo(channel(y.data, i), f, channel(w, i))
			}
			return nil
		},
		derive: func() derivative {
			dw, dgamma := c.gradient(n.Inputs[0]), c.gradient(n.Inputs[1])
			return derivative{grads: []*value{dw, dgamma, nil}, run: func(in [][]float32) error {
				w, dy := in[0], in[4]
				for i, f := range factor {
					if dw != nil {
						f32.ScaleTo(channel(dw.data, i), f, channel(dy, i))
					}
					if dgamma != nil {
						dgamma.data[i] = f32.Dot(channel(dy, i), channel(w, i)) * invStd[i]
					}
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

// foldBias builds [graph.FoldBias]: b' = beta + (b-mean)*f, with
// f = gamma*invStd and invStd = 1/sqrt(variance + epsilon).
//
// Gradient: dbeta = db', db = db'*f, dgamma = db'*(b-mean)*invStd; none for the
// moving statistics.
func foldBias(c *compiler, n *graph.Node) (*operator, error) {
	if err := c.frozen(n, foldVariance, foldMean); err != nil {
		return nil, err
	}
	epsilon := n.Op.(graph.FoldBias).Epsilon
	y := newValue(c.shapes[n.Output])
	channels := len(y.data)
	invStd, factor, centred := make([]float32, channels), make([]float32, channels), make([]float32, channels)
	zeros := make([]float32, channels)
	return &operator{
		out: y,
		run: func(in [][]float32) error {
			bias := zeros
			if n.Input(foldedBias) != nil {
				bias = in[foldedBias]
			}
			f32.InvStd(invStd, in[foldVariance], epsilon)
			f32.MulTo(factor, in[foldGamma], invStd)
			f32.SubTo(centred, bias, in[foldMean])
			f32.MulTo(y.data, centred, factor)
			f32.AddTo(y.data, y.data, in[foldBeta])
			return nil
		},
		derive: func() derivative {
			dgamma, dbeta, dbias := c.gradient(n.Inputs[foldGamma]), c.gradient(n.Inputs[foldBeta]), c.gradient(n.Input(foldedBias))
			d := derivative{grads: []*value{dgamma, nil, dbeta, nil}}
			if n.Input(foldedBias) != nil {
				d.grads = append(d.grads, dbias)
			}
			d.run = func(in [][]float32) error {
				dy := in[len(in)-1]
				if dgamma != nil {
					f32.MulTo(dgamma.data, dy, centred)
					f32.MulTo(dgamma.data, dgamma.data, invStd)
				}
				if dbeta != nil {
					copy(dbeta.data, dy)
				}
				if dbias != nil {
					f32.MulTo(dbias.data, dy, factor)
				}
				return nil
			}
			return d
		},
	}, nil
}
