package graph

import (
	"fmt"
	"log/slog"
	"math"
)

// biasLimit is the greatest magnitude of a bias code before the scale of its
// channel's weights is raised, by the bits of the activations: half of what int32
// holds, or of what the kernels of 16 bits take in int64.
var biasLimit = map[int]float64{8: 1 << 30, 16: 1 << 46}

// BiasName returns the name of an anchor's bias, or a free one where it has
// none.
func BiasName(g *Graph, anchor *Node) string {
	if b := anchor.Input(InputBias); b != nil && len(g.Consumers(b)) == 1 {
		return b.Name
	}
	return g.Unique(anchor.Name + "/bias")
}

// RaiseWeightScales raises the scales of fake-quantized weights whose channel's
// bias would not fit int32 at the scale of input times weights:
//
//	|b| / (s_x*s_w) < 2^30, so s_w >= |b| / (s_x * 2^30)
//
// and 2^46 for biases of int64, where activations have 16 bits.
//
// A tiny weight channel with a large bias is the case that needs it. The least
// scale is kept in the weights' quantizer, where training and export see it.
// Anchors whose input range is not known yet, and graphs without integer
// activations, are left alone. log is told of each raised channel by name.
//
// Errors: BatchNorm statistics, weights, biases or ranges that are not finite.
func RaiseWeightScales(g *Graph, log *slog.Logger) error {
	of := g.Codes()
	for _, gr := range g.Groups() {
		fq := g.Producer(gr.Head.Inputs[InputWeights])
		xq := of[gr.Head.Inputs[InputX]]
		if fq == nil || xq == nil || !xq.Known() {
			continue
		}
		f, ok := fq.Op.(FakeQuant)
		if !ok || f.Quantizer.Source != LastValue {
			continue
		}
		if err := g.raise(gr, f.Quantizer, fq.Inputs[0], xq, log); err != nil {
			return err
		}
	}
	return nil
}

// raise handles the weights of one group.
func (g *Graph) raise(gr Group, q *Quantizer, w *Tensor, xq *Quantizer, log *slog.Logger) error {
	xp, err := xq.Params()
	if err != nil {
		return err
	}
	bias, factor, err := g.exportedBias(gr)
	if err != nil || bias == nil {
		return err
	}
	values, err := g.weightValues(w)
	if err != nil {
		return err
	}
	p, err := q.ParamsOf(values, w.Shape)
	if err != nil {
		return err
	}
	for c, b := range bias {
		if b-b != 0 {
			return fmt.Errorf("graph: node %q: the bias of channel %d is %v", gr.Head.Name, c, b)
		}
		f := float64(1)
		if factor != nil {
			if f = math.Abs(float64(factor[c])); f == 0 {
				continue // exported with scale 1
			}
		}
		least := math.Abs(float64(b)) / (float64(xp.Scale[0]) * f * biasLimit[xq.Bits])
		i := min(c, len(p.Scale)-1)
		if float64(p.Scale[i]) >= least {
			continue
		}
		raised := math.Nextafter32(float32(least), float32(math.Inf(1)))
		log.Warn("weight scale raised so that the bias fits int32",
			"node", gr.Head.Name, "channel", c, "bias", b, "scale", p.Scale[i], "raised", raised)
		if q.MinScale == nil {
			q.MinScale = make([]float32, len(p.Scale))
		}
		q.MinScale[i], p.Scale[i] = raised, raised
	}
	return nil
}

// exportedBias returns the bias that the group's exported operator will have
// and the factor by which a BatchNorm will multiply its weight scales (nil for
// none). bias is nil where there is none.
func (g *Graph) exportedBias(gr Group) (bias, factor []float32, err error) {
	if b := gr.Head.Input(InputBias); b != nil {
		if bias = b.Float32s(); bias == nil {
			if n := g.Producer(b); n != nil {
				bias, err = FoldedBias(n)
			}
		}
	}
	if err != nil || gr.BatchNorm == nil {
		return bias, nil, err
	}
	factor, bias, err = BatchNormAffine(gr.BatchNorm, bias)
	return bias, factor, err
}

// weightValues returns the float weights, folded where a FoldWeights node
// computes them.
func (g *Graph) weightValues(w *Tensor) ([]float32, error) {
	if v := w.Float32s(); v != nil {
		return v, nil
	}
	if n := g.Producer(w); n != nil {
		if _, ok := n.Op.(FoldWeights); ok {
			return FoldedWeights(n), nil
		}
	}
	return nil, fmt.Errorf("graph: weights %q are neither data nor folded data", w.Name)
}

// Codes returns the quantizer whose codes each activation has: FakeQuant
// outputs, passed on through operators that share one scale and Dropout.
func (g *Graph) Codes() map[*Tensor]*Quantizer {
	of := map[*Tensor]*Quantizer{}
	for _, n := range g.Nodes {
		switch op := n.Op.(type) {
		case FakeQuant:
			of[n.Output] = op.Quantizer
		case Dropout:
			of[n.Output] = of[n.Inputs[0]]
		default:
			if op.Class() == SameScale {
				of[n.Output] = of[n.Inputs[0]]
			}
		}
	}
	return of
}
