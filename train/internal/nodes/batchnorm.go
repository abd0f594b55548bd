package nodes

import (
	"fmt"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
)

// batchNorm builds [graph.BatchNorm]: over the batch's own moments while
// training, which [Step.Commit] adds to the moving ones, otherwise, and while
// they are frozen, over the moving ones.
func batchNorm(c *compiler, n *graph.Node) (*operator, error) {
	if err := c.frozen(n, graph.InputMean, graph.InputVariance); err != nil {
		return nil, err
	}
	epsilon := n.Op.(graph.BatchNorm).Epsilon
	if c.config.Training {
		return trainedBatchNorm(c, n, epsilon)
	}
	rows, channels := c.rows(n.Output)
	y, invStd, t := newValue(c.shapes[n.Output]), make([]float32, channels), c.tails[n]
	if t != nil {
		t.prepare(c)
	}
	return &operator{out: y, run: func(in [][]float32) error {
		x, gamma, beta, mean, variance := in[0], in[1], in[2], in[3], in[4]
		f32.InvStd(invStd, variance, epsilon)
		if t == nil {
			f32.Normalize(&c.ws, rows, channels, y.data, x, mean, invStd, gamma, beta)
			return nil
		}
		return t.normalize(&c.ws, rows, channels, y.data, x, mean, invStd, gamma, beta)
	}}, nil
}

// normalize runs the tail with a normalization.
func (t *tail) normalize(ws *f32.Workspace, rows, channels int, y, x, mean, invStd, gamma, beta []float32) error {
	if err := t.begin(); err != nil {
		return err
	}
	t.see(f32.NormalizeTail(ws, rows, channels, y, x, mean, invStd, gamma, beta, &t.Tail, t.mask))
	return nil
}

func trainedBatchNorm(c *compiler, n *graph.Node, epsilon float32) (*operator, error) {
	rows, channels := c.rows(n.Output)
	if rows < 2 {
		return nil, fmt.Errorf("batch normalization over a batch of one value a channel: it would learn nothing")
	}
	if b := c.norms[n]; b != nil {
		return b.batchNorm(c, n), nil
	}
	y, t := newValue(c.shapes[n.Output]), c.tails[n]
	if t != nil {
		t.prepare(c)
	}
	mean, variance, invStd := make([]float32, channels), make([]float32, channels), make([]float32, channels)
	c.addStatistics(n, mean, variance)
	return &operator{
		out: y,
		run: func(in [][]float32) error {
			x, gamma, beta, useMean, useVariance := in[0], in[1], in[2], in[3], in[4]
			if !c.step.frozen {
				f32.Moments(&c.ws, rows, channels, mean, variance, x)
				useMean, useVariance = mean, variance
			}
			f32.InvStd(invStd, useVariance, epsilon)
			if t == nil {
				f32.Normalize(&c.ws, rows, channels, y.data, x, useMean, invStd, gamma, beta)
				return nil
			}
			return t.normalize(&c.ws, rows, channels, y.data, x, useMean, invStd, gamma, beta)
		},
		derive: func() derivative {
			// The kernel computes all three; those that are not trained go nowhere.
			dx, dgamma, dbeta := newValue(y.shape), newValue([]int{channels}), newValue([]int{channels})
			d := derivative{grads: make([]*value, len(n.Inputs)), run: func(in [][]float32) error {
				x, gamma, dy := in[0], in[1], in[len(in)-1]
				var mask []uint8
				if t != nil {
					mask = t.mask
				}
				if c.step.frozen {
					f32.NormalizeFrozenGrad(&c.ws, rows, channels, dx.data, dgamma.data, dbeta.data, dy, mask, x, in[3], invStd, gamma)
					return nil
				}
				f32.NormalizeGrad(&c.ws, rows, channels, dx.data, dgamma.data, dbeta.data, dy, mask, x, mean, invStd, gamma)
				return nil
			}}
			for i, g := range []*value{dx, dgamma, dbeta} {
				if c.trained[n.Inputs[i]] {
					d.grads[i] = g
				}
			}
			return d
		},
	}, nil
}

// addStatistics lets [Step.Commit] move the statistics by the batch's own.
func (c *compiler) addStatistics(n *graph.Node, mean, variance []float32) {
	momentum := n.Op.(graph.BatchNorm).Momentum
	c.step.statistics = append(c.step.statistics,
		statistic{n.Inputs[graph.InputMean], mean, momentum},
		statistic{n.Inputs[graph.InputVariance], variance, momentum})
}

// affine builds [graph.Affine].
func affine(c *compiler, n *graph.Node) (*operator, error) {
	rows, channels := c.rows(n.Output)
	y := newValue(c.shapes[n.Output])
	return &operator{
		out: y,
		run: func(in [][]float32) error {
			f32.Affine(&c.ws, rows, channels, y.data, in[0], in[1], in[2])
			return nil
		},
		derive: func() derivative {
			grads, data := make([]*value, len(n.Inputs)), make([][]float32, len(n.Inputs))
			for i, t := range n.Inputs {
				if grads[i] = c.gradient(t); grads[i] != nil {
					data[i] = grads[i].data
				}
			}
			return derivative{grads: grads, run: func(in [][]float32) error {
				f32.AffineGrad(&c.ws, rows, channels, data[0], data[1], data[2], in[len(in)-1], in[0], in[1])
				return nil
			}}
		},
	}, nil
}
