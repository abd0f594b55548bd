package nodes

import (
	"slices"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/quant"
)

// norm is a BatchNorm, its tail included, that leaves work to the convolutions
// beside it: see [f32.Norm]. What passes between them and it in the expression
// graph is then not the value itself: for the tail's output stands the
// BatchNorm's input, and for a gradient that is found in the norm, too.
type norm struct {
	*f32.Norm
	tail          *tail
	front, behind bool // there is such a layer
}

// planNorms finds the BatchNorms that have a convolution in front, which nothing
// else reads, or behind, which alone reads them. only returns a tensor's only
// reader.
func (c *compiler) planNorms(only func(t *graph.Tensor) *graph.Node) {
	if !c.config.Training {
		return
	}
	for _, n := range c.net.Nodes {
		op, ok := n.Op.(graph.BatchNorm)
		channels := c.shapes[n.Output][len(c.shapes[n.Output])-1]
		if !ok || channels%8 != 0 {
			continue
		}
		b, output := &norm{tail: c.tails[n]}, n.Output
		if b.tail != nil {
			output = b.tail.output
		}
		if !c.live[output] {
			continue
		}
		front, behind := c.net.Producer(n.Inputs[0]), only(output)
		if front != nil && only(n.Inputs[0]) == n && c.inBlocks(front) && c.tails[front] == nil && front.Op.(graph.Anchored).Activation() == quant.NoActivation {
			b.front, c.behind[front] = true, b
		}
		if behind != nil && c.inBlocks(behind) && slices.Index(behind.Inputs, output) == graph.InputX {
			b.behind, c.before[behind] = true, b
		}
		if !b.front && !b.behind {
			continue
		}
		b.Norm = f32.NewNorm(channels, op.Epsilon)
		if b.tail != nil {
			b.tail.prepare(c)
			b.Tail, b.Mask, b.Observe = &b.tail.Tail, b.tail.mask, b.tail.observe
		}
		c.norms[n] = b
	}
}

// inBlocks says whether a node is a convolution that works block by block as
// [f32.Layer]. Winograd's algorithm needs more tiles than an image has.
func (c *compiler) inBlocks(n *graph.Node) bool {
	switch op := n.Op.(type) {
	case graph.Conv2D:
		t := c.tails[n]
		return (t == nil || t.pool == nil) && !c.convolution(n).Winograd()
	case graph.DepthwiseConv2D:
		return op.DepthMultiplier == 1
	}
	return false
}

// kernel returns what the kernels know of b, which may be nil.
func (b *norm) kernel() *f32.Norm {
	if b == nil {
		return nil
	}
	return b.Norm
}

// see keeps what a forward pass through the tail observed.
func (b *norm) see() {
	if b != nil && b.tail != nil {
		b.tail.see(b.Found.Lo, b.Found.Hi, b.Found.NaN)
	}
}

// batchNorm builds the operator.
func (b *norm) batchNorm(c *compiler, n *graph.Node) *operator {
	rows, channels := c.rows(n.Output)
	c.addStatistics(n, b.Mean, b.Variance)
	y := c.viewOf(c.values[n.Inputs[0]], c.shapes[n.Output])
	if !b.behind {
		y = newValue(c.shapes[n.Output])
	}
	return &operator{
		out: y,
		run: func(in [][]float32) error {
			x, gamma, beta, mean, variance := in[0], in[1], in[2], in[3], in[4]
			b.X = x
			if !c.step.frozen {
				if !b.front {
					f32.Moments(&c.ws, rows, channels, b.Mean, b.Variance, x)
				}
				mean, variance = b.Mean, b.Variance
			}
			b.Begin(mean, variance, gamma, beta, c.step.frozen)
			if b.tail != nil {
				if err := b.tail.begin(); err != nil {
					return err
				}
			}
			if !b.behind {
				b.Run(&c.ws, y.data)
				b.see()
			}
			return nil
		},
		derive: func() derivative {
			dx := c.viewOf(c.values[n.Inputs[0]], c.shapes[n.Inputs[0]])
			if !b.front && c.trained[n.Inputs[0]] {
				dx = newValue(c.shapes[n.Inputs[0]])
			}
			d := derivative{grads: make([]*value, len(n.Inputs)), run: func(in [][]float32) error {
				if !b.behind {
					b.DY = in[len(in)-1]
					b.ParamGrads(&c.ws)
				}
				if !b.front && c.trained[n.Inputs[0]] {
					b.GradInput(dx.data)
				}
				return nil
			}}
			for i, g := range []*value{dx, view(b.DGamma, []int{channels}), view(b.DBeta, []int{channels})} {
				if c.trained[n.Inputs[i]] {
					d.grads[i] = g
				}
			}
			return d
		},
	}
}

// layer builds the operator of a convolution with a norm in front or behind, nil
// if it has none.
func (c *compiler) layer(n *graph.Node, kernel func() *f32.Layer) *operator {
	before, behind := c.before[n], c.behind[n]
	if before == nil && behind == nil {
		return nil
	}
	l, y, t, act := kernel(), newValue(c.shapes[n.Output]), c.tails[n], n.Op.(graph.Anchored).Activation()
	fused := act
	if t != nil {
		t.prepare(c)
		fused = quant.NoActivation
	}
	return &operator{
		out: y,
		run: func(in [][]float32) error {
			l.Forward(&c.ws, y.data, in[0], in[1], bias(n, in), fused, before.kernel(), behind.kernel())
			before.see()
			if t != nil {
				return t.run(y.data)
			}
			return nil
		},
		derive: func() derivative {
			d, weights, bias := parameterGrads(c, n)
			x := n.Inputs[graph.InputX]
			var dx []float32
			inPlace := false
			switch {
			case before == nil:
				if d.grads[0] = c.gradient(x); d.grads[0] != nil {
					dx = d.grads[0].data
				}
			case c.trained[x]:
				d.grads[0] = c.viewOf(c.values[x], c.shapes[x])
				if inPlace = behind != nil && c.elements(x) == len(y.data); !inPlace {
					dx = make([]float32, c.elements(x))
				}
			}
			d.run = func(in [][]float32) error {
				y, dy := in[len(in)-2], in[len(in)-1]
				gradTail(dy, y, act, t)
				to := dx
				if inPlace {
					to = behind.DY
				}
				l.Backward(&c.ws, to, weights, bias, in[0], dy, in[1], before.kernel(), behind.kernel())
				return nil
			}
			return d
		},
	}
}
