package interp

import (
	"cmp"
	"slices"

	"github.com/goqat/goqat/graph"
)

// A span is the place of a tensor in its type's arena. The tensor is alive from
// step first to step last, both included; step -1 is before the first node.
type span struct {
	typ         graph.Type
	size        int // elements
	first, last int
	offset      int // found by place
}

// overlaps reports whether both are alive at some step.
func (s *span) overlaps(o *span) bool { return s.first <= o.last && o.first <= s.last }

// place gives every span an offset such that spans alive at the same step do
// not share elements, and returns the size of the arena. The spans are of one
// type.
//
// Largest first, each at the lowest offset that is free for its whole life: the
// "greedy by size" planner of Pisarchyk and Lee, "Efficient Memory Management
// for Deep Neural Net Inference" (arXiv:2001.03288), which LiteRT uses too.
func place(spans []*span) (size int) {
	order := slices.Clone(spans)
	slices.SortStableFunc(order, func(a, b *span) int { return cmp.Compare(b.size, a.size) })
	var placed []*span // by offset
	for _, s := range order {
		s.offset = 0
		for _, p := range placed {
			if p.overlaps(s) && p.offset < s.offset+s.size {
				s.offset = max(s.offset, p.offset+p.size)
			}
		}
		at, _ := slices.BinarySearchFunc(placed, s.offset, func(p *span, offset int) int { return cmp.Compare(p.offset, offset) })
		placed = slices.Insert(placed, at, s)
		size = max(size, s.offset+s.size)
	}
	return size
}

// A use is what a step does to tensors.
type use struct {
	reads  []*graph.Tensor // nil for omitted ones
	writes *graph.Tensor   // nil: the step is part of another one
	copies bool            // the output may have the place of the first input
}

// plan returns the place of every activation of g for the given shapes, and the
// sizes of the arenas by type. Outputs, and the tensors of keep, stay to the
// end.
func plan(g *graph.Graph, shapes map[*graph.Tensor][]int, keep func(*graph.Tensor) bool, uses []use) (map[*graph.Tensor]*span, [graph.Int64 + 1]int) {
	spans := map[*graph.Tensor]*span{}
	var byType [graph.Int64 + 1][]*span
	forever := func(t *graph.Tensor, s *span) {
		if keep(t) || g.IsOutput(t) {
			s.first, s.last = -1, len(uses)
		}
	}
	add := func(t *graph.Tensor, step int) {
		s := &span{typ: t.Type, size: graph.Elements(shapes[t]), first: step, last: step}
		forever(t, s)
		spans[t] = s
		byType[t.Type] = append(byType[t.Type], s)
	}
	for _, x := range g.Inputs {
		add(x, -1)
	}
	for i, u := range uses {
		for _, t := range u.reads {
			if s := spans[t]; s != nil {
				s.last = max(s.last, i)
			}
		}
		switch {
		case u.writes == nil:
		case u.copies && spans[u.reads[0]] != nil:
			spans[u.writes] = spans[u.reads[0]]
			forever(u.writes, spans[u.writes])
		default:
			add(u.writes, i)
		}
	}
	var sizes [graph.Int64 + 1]int
	for t, list := range byType {
		sizes[t] = place(list)
	}
	return spans, sizes
}
