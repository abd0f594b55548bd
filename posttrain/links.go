package posttrain

import (
	"context"
	"slices"
	"sync"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
)

// A link is a fusion group whose output channels only anchors read, so that what
// is done to a channel can be undone in their weights.
type link struct {
	group   graph.Group
	readers []*graph.Node
	// shifts says that the readers see a constant added to a channel everywhere:
	// no zeros are put around it.
	shifts bool
}

// links returns the links of a float graph in execution order. Groups with a
// BatchNorm and anchors that share weights or bias with others have none.
func links(g *graph.Graph) (list []link) {
	own := func(n *graph.Node) bool {
		for _, t := range n.Inputs[graph.InputWeights:] {
			if t != nil && (t.Float32s() == nil || len(g.Consumers(t)) != 1) {
				return false
			}
		}
		return true
	}
	for _, gr := range g.Groups() {
		if gr.BatchNorm != nil || !own(gr.Head) {
			continue
		}
		l := link{group: gr, shifts: true}
		if l.reach(g, gr.Output(), l.channels()) && !slices.ContainsFunc(l.readers, func(n *graph.Node) bool { return !own(n) }) {
			list = append(list, l)
		}
	}
	return list
}

// channels returns the number of channels of the link, those of element i of
// every tensor on the way being i modulo channels.
func (l *link) channels() int {
	y := l.group.Output().Shape
	return y[len(y)-1]
}

// reach adds the anchors that read t, directly or through operators that pass a
// positive factor of each channel; ok is false if anything else reads it.
func (l *link) reach(g *graph.Graph, t *graph.Tensor, channels int) (ok bool) {
	if g.IsOutput(t) {
		return false
	}
	for _, n := range g.Consumers(t) {
		if _, anchor := n.Op.(graph.Anchored); anchor {
			read, _ := graph.InputChannels(n)
			if read%channels != 0 || slices.Contains(n.Inputs[graph.InputWeights:], t) {
				return false
			}
			l.readers = append(l.readers, n)
			l.shifts = l.shifts && !graph.PadsInput(n)
			continue
		}
		x, y := t.Shape, n.Output.Shape
		last := x[len(x)-1]
		whole := last%channels == 0 && len(y) > 0 && y[len(y)-1] == last // the last axis stays
		switch op := n.Op.(type) {
		case graph.Reshape:
			whole = true
		case graph.Mean:
			_, _, inner := op.Fold(x)
			whole = whole && inner%channels == 0
		case graph.ReduceMax:
			_, _, inner := op.Fold(x)
			whole = whole && inner%channels == 0
		case graph.Pad:
			l.shifts = false
		case graph.AveragePool2D, graph.Dropout, graph.LeakyRelu, graph.MaxPool2D, graph.Relu, graph.ResizeNearestNeighbor, graph.StridedSlice:
		default:
			whole = false
		}
		if !whole || !l.reach(g, n.Output, channels) {
			return false
		}
	}
	return len(l.readers) > 0
}

// outer calls f for each weight of the anchor before the link, with its channel.
func (l *link) outer(f func(channel int, w *float32)) {
	w := l.group.Head.Inputs[graph.InputWeights]
	inner := graph.Inner(w.Shape, l.group.Head.Op.(graph.Anchored).ChannelAxis())
	values, channels := w.Float32s(), l.channels()
	for i := range values {
		f(i/inner%channels, &values[i])
	}
}

// inner calls f for each weight of a reader, with the channel of the link that it
// multiplies and the output channel that it adds to.
func (l *link) inner(reader *graph.Node, f func(channel, output int, w *float32)) {
	w := reader.Inputs[graph.InputWeights]
	axis := reader.Op.(graph.Anchored).ChannelAxis()
	outputs, behind := w.Shape[axis], graph.Inner(w.Shape, axis)
	read, each := graph.InputChannels(reader)
	values, channels := w.Float32s(), l.channels()
	for i := range values {
		f(i/each%read%channels, i/behind%outputs, &values[i])
	}
}

// private gives an anchor weights and a bias that no other graph shares, zeros
// where it has none.
func private(g *graph.Graph, n *graph.Node) {
	w := *n.Inputs[graph.InputWeights]
	w.Data = slices.Clone(w.Float32s())
	b := graph.Tensor{Name: graph.BiasName(g, n), Role: graph.Parameter, Shape: []int{w.Shape[n.Op.(graph.Anchored).ChannelAxis()]}}
	if old := n.Input(graph.InputBias); old != nil {
		b = *old
		b.Data = slices.Clone(old.Float32s())
	} else {
		b.Data = make([]float32, b.Shape[0])
	}
	n.Inputs = []*graph.Tensor{n.Inputs[graph.InputX], &w, &b}
}

// extremes returns the range of each channel of the links' outputs over the
// samples.
func extremes(ctx context.Context, g *graph.Graph, list []link, samples data.Dataset, s Sampling, label string) (map[*graph.Tensor][]quant.Range, error) {
	ranges := map[*graph.Tensor][]quant.Range{}
	for _, l := range list {
		ranges[l.group.Output()] = make([]quant.Range, l.channels())
	}
	var lock sync.Mutex
	err := eachBatch(ctx, g, samples, s.feed(label), func(t *graph.Tensor, _, _ int, values []float32) (err error) {
		lock.Lock()
		defer lock.Unlock()
		seen := ranges[t]
		for i := 0; i < len(values) && len(seen) > 0 && err == nil; i++ {
			c := i % len(seen)
			seen[c], err = seen[c].Extended(values[i], values[i])
		}
		return err
	}, func(int) {})
	return ranges, err
}
