package posttrain

import (
	"context"
	"fmt"
	"slices"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
)

// CorrectBias returns the quantized graph q with biases that undo what
// quantization does to the mean of each channel: empirical bias correction. Layer
// by layer, each seeing those before it corrected,
//
//	b[c] += mean(y[c]) - mean(y'[c])
//
// over the samples and positions, where y is the output before the activation
// without quantization and y' with it.
//
// Errors: a graph without quantizers, or with ranges that are not known; samples
// that do not fit it; ctx's error.
//
// Source: M. Nagel et al., Data-Free Quantization Through Weight Equalization and
// Bias Correction, ICCV 2019, section 4.2 and appendix D.
func CorrectBias(ctx context.Context, q *graph.Graph, samples data.Dataset, s Sampling) (*graph.Graph, error) {
	t, err := newTwins(q.Clone(), q.Unquantized(nil), samples, s)
	if err != nil {
		return nil, err
	}
	if err := t.run(ctx, s, "bias correction", site.correct); err != nil {
		return nil, fmt.Errorf("posttrain: correct bias: %w", err)
	}
	return t.quantized, nil
}

// correct changes the bias of one anchor. A bias that a BatchNorm is folded into
// is left alone.
func (s site) correct() error {
	old := s.node.Input(graph.InputBias)
	if old != nil && old.Role == graph.Activation {
		return nil
	}
	want, err := s.target()
	if err != nil {
		return err
	}
	got, err := s.linear(s.node, s.x())
	if err != nil {
		return err
	}
	shape := s.node.Output.Shape
	sums := make([]float64, shape[len(shape)-1])
	for i, v := range want {
		sums[i%len(sums)] += float64(v) - float64(got[i])
	}
	b := &graph.Tensor{Name: graph.BiasName(s.twins.quantized, s.node), Role: graph.Parameter, Shape: []int{len(sums)}, Data: make([]float32, len(sums))}
	if old != nil {
		copied := *old
		b = &copied
		b.Data = slices.Clone(old.Float32s())
		if g := s.twins.quantized; len(g.Consumers(old)) > 1 {
			b.Name = g.Unique(old.Name)
		}
	}
	each := float64(len(want) / len(sums))
	for c := range sums {
		b.Float32s()[c] = float32(float64(b.Float32s()[c]) + sums[c]/each)
	}
	s.node.Inputs = []*graph.Tensor{s.node.Inputs[graph.InputX], s.node.Inputs[graph.InputWeights], b}
	return nil
}
