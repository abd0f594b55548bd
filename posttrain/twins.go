package posttrain

import (
	"context"
	"fmt"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/feed"
	"github.com/goqat/goqat/internal/progress"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/quant"
)

// twins are a fake-quantized graph and the same without quantization, run in step
// on the same rows, node by node, so that each layer of the first can be changed
// before what follows sees it.
type twins struct {
	quantized, float *graph.Graph
	rows             int
	values           map[*graph.Tensor]any // of both graphs
	last             map[*graph.Tensor]int // where a tensor is needed last
}

// newTwins reads the samples for q, which may be changed, and its twin.
func newTwins(q, float *graph.Graph, samples data.Dataset, s Sampling) (*twins, error) {
	if q.Recipe == nil {
		return nil, fmt.Errorf("posttrain: network %q has no quantizers: use fakequant.Insert", q.Name)
	}
	if err := feed.Fits(q, samples); err != nil {
		return nil, fmt.Errorf("posttrain: %w", err)
	}
	for _, z := range q.Quantizers() {
		if z.Source == graph.MovingAverage && !z.Known() {
			return nil, fmt.Errorf("posttrain: the range of tensor %q is not known: calibrate first", z.Name)
		}
	}
	t := &twins{quantized: q, float: float, rows: s.rows(samples.Len()), values: map[*graph.Tensor]any{}, last: map[*graph.Tensor]int{}}
	order := feed.Options{Rows: t.rows}.Order(samples)
	x := make([]float32, t.rows*graph.Elements(samples.InputShape()))
	if err := samples.Read(order, x, make([]float32, t.rows*graph.Elements(samples.TargetShape()))); err != nil {
		return nil, fmt.Errorf("posttrain: %w", err)
	}
	t.values[t.quantized.Inputs[0]], t.values[t.float.Inputs[0]] = x, x
	twin := t.twin()
	for i, n := range t.quantized.Nodes {
		for _, m := range []*graph.Node{n, twin[n.Name]} {
			for j := 0; m != nil && j < len(m.Inputs); j++ {
				t.last[m.Inputs[j]] = i
			}
		}
	}
	return t, nil
}

// twin returns the nodes of the float graph by name.
func (t *twins) twin() map[string]*graph.Node {
	byName := map[string]*graph.Node{}
	for _, n := range t.float.Nodes {
		byName[n.Name] = n
	}
	return byName
}

// run computes both graphs. Before an anchor of the quantized graph is computed,
// layer may change its weights, bias and quantizer; label names what it does.
func (t *twins) run(ctx context.Context, s Sampling, label string, layer func(site) error) error {
	bar := progress.New(s.Progress, progress.Options{Label: label})
	groups := len(t.quantized.Groups())
	bar.Start(1, 0, groups)
	defer bar.Stop()
	twin, done := t.twin(), 0
	for i, n := range t.quantized.Nodes {
		if err := ctx.Err(); err != nil {
			return err
		}
		if f := twin[n.Name]; f != nil && !onWeights(n) {
			if err := t.compute(t.float, f); err != nil {
				return err
			}
			if _, anchor := n.Op.(graph.Anchored); anchor {
				if err := layer(site{t, n, f}); err != nil {
					return fmt.Errorf("node %q: %w", n.Name, err)
				}
				done++
				bar.Step(done, n.Name)
			}
		}
		if !onWeights(n) {
			if err := t.compute(t.quantized, n); err != nil {
				return err
			}
		}
		for tensor := range t.values {
			if at, used := t.last[tensor]; !used || at <= i {
				delete(t.values, tensor)
			}
		}
	}
	bar.EndEpoch(fmt.Sprintf("%d samples, %d layers", t.rows, groups))
	return check(t.quantized)
}

// onWeights reports whether a node computes weights or a bias: it runs when its
// anchor does.
func onWeights(n *graph.Node) bool {
	switch n.Op.(type) {
	case graph.FoldWeights, graph.FoldBias:
		return true
	case graph.FakeQuant:
		return n.OnData() || n.Op.(graph.FakeQuant).Quantizer.Source == graph.LastValue
	}
	return false
}

// compute runs a node on what is known.
func (t *twins) compute(g *graph.Graph, n *graph.Node) error {
	y, err := interp.RunNode(g, n, t.inputs(n), interp.Options{Batch: t.rows})
	if err == nil {
		t.values[n.Output] = y
	}
	return err
}

// inputs returns the values that n reads, as far as they are known.
func (t *twins) inputs(n *graph.Node) map[*graph.Tensor]any {
	given := map[*graph.Tensor]any{}
	for _, x := range n.Inputs {
		if v, ok := t.values[x]; ok {
			given[x] = v
		}
	}
	return given
}

// A site is an anchor of the quantized graph and its twin.
type site struct {
	twins        *twins
	node, double *graph.Node
}

// x returns what the anchor reads in the quantized graph.
func (s site) x() []float32 { return s.twins.values[s.node.Inputs[graph.InputX]].([]float32) }

// linear returns what an anchor of one of the graphs computes for x before its
// activation.
func (s site) linear(n *graph.Node, x []float32) ([]float32, error) {
	g := s.twins.quantized
	if n == s.double {
		g = s.twins.float
	}
	fused := n.Op
	n.Op = n.Op.(graph.Anchored).Fuse(quant.NoActivation)
	defer func() { n.Op = fused }()
	y, err := interp.RunNode(g, n, map[*graph.Tensor]any{n.Inputs[graph.InputX]: x}, interp.Options{Batch: s.twins.rows})
	if err != nil {
		return nil, err
	}
	return y.([]float32), nil
}

// target returns what the float anchor computes for its own input before its
// activation.
func (s site) target() ([]float32, error) {
	if s.double.Op.(graph.Anchored).Activation() == quant.NoActivation {
		return s.twins.values[s.double.Output].([]float32), nil
	}
	return s.linear(s.double, s.twins.values[s.double.Inputs[graph.InputX]].([]float32))
}
