package interp

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/goqat/goqat/graph"
)

// A span is the place of a tensor, or of several that share it one after the
// other. It is alive from step first to step last, both included; step -1 is
// before the first node.
type span struct {
	size        int // bytes, in whole lines
	first, last int
	offset      int // found by place
}

// line is what sizes and offsets in an arena are multiples of: a cache line, so
// that vectors of neighbors do not meet in one.
const line = 64

// overlaps reports whether both are alive at some step.
func (s *span) overlaps(o *span) bool { return s.first <= o.last && o.first <= s.last }

// place gives every span an offset such that spans alive at the same step do not
// share bytes, and returns the size of the arena: the smallest of several plans,
// which take the spans in different orders and put them at one end of the free
// memory or at both.
//
// By size, from below: the "greedy by size" planner of Pisarchyk and Lee,
// "Efficient Memory Management for Deep Neural Net Inference" (arXiv:2001.03288),
// which LiteRT uses too. In a chain, where each tensor lives with its neighbors, it
// leaves holes; taking turns at both ends leaves none.
func place(spans []*span) (size int) {
	least := mostAlive(spans)
	best := make([]int, len(spans))
	size = -1
	for _, order := range []func(a, b *span) int{bySize, byLife, byTime} {
		for _, top := range []int{0, least} {
			if found := placeBy(order, spans, top); size < 0 || found < size {
				size = found
				for i, s := range spans {
					best[i] = s.offset
				}
			}
			if size == least {
				return size // and offsets are those of this plan
			}
		}
	}
	for i, s := range spans {
		s.offset = best[i]
	}
	return size
}

// The orders: the largest first, the longest first, the earliest first.
func bySize(a, b *span) int { return cmp.Compare(b.size, a.size) }
func byLife(a, b *span) int { return cmp.Or(cmp.Compare(b.last-b.first, a.last-a.first), bySize(a, b)) }
func byTime(a, b *span) int { return cmp.Or(cmp.Compare(a.first, b.first), byLife(a, b)) }

// mostAlive returns the greatest sum of the sizes of spans that are alive at one
// step.
func mostAlive(spans []*span) (most int) {
	change := map[int]int{}
	for _, s := range spans {
		change[s.first] += s.size
		change[s.last+1] -= s.size
	}
	sum := 0
	for _, step := range slices.Sorted(maps.Keys(change)) {
		sum += change[step]
		most = max(most, sum)
	}
	return most
}

// placeBy places one span after the other, in an order, each where its size is free
// for its whole life: as low as possible, or, if that is not at the bottom, as high
// as possible below top.
func placeBy(order func(a, b *span) int, spans []*span, top int) (size int) {
	var placed []*span // by offset
	for _, s := range slices.SortedStableFunc(slices.Values(spans), order) {
		s.offset = 0
		for _, p := range placed {
			if p.overlaps(s) && p.offset < s.offset+s.size {
				s.offset = max(s.offset, p.offset+p.size)
			}
		}
		if high := highest(placed, s, top); s.offset > 0 && high >= 0 {
			s.offset = high
		}
		at, _ := slices.BinarySearchFunc(placed, s.offset, func(p *span, offset int) int { return cmp.Compare(p.offset, offset) })
		placed = slices.Insert(placed, at, s)
		size = max(size, s.offset+s.size)
	}
	return size
}

// highest returns the highest offset for s below top, negative if there is none.
func highest(placed []*span, s *span, top int) int {
	offset := top - s.size
	for _, p := range slices.Backward(placed) {
		if p.overlaps(s) && p.offset+p.size > offset {
			offset = min(offset, p.offset-s.size)
		}
	}
	return offset
}

// allot finds the place of every activation in the arena of a lane.
//
// Errors: more memory than Options.MaxBytes, by tensor or node.
func (p *program) allot() error {
	shapes, err := p.shapes(p.rows)
	if err != nil {
		return err
	}
	sizes, err := p.sizes(shapes)
	if err != nil {
		return err
	}
	p.spans = make([]*span, len(p.tensors))
	var spans []*span
	keep := func(tensor int, s *span) {
		if p.options.KeepAll {
			s.first = -1
		}
		if p.options.KeepAll || p.graph.IsOutput(p.tensors[tensor]) {
			s.last = len(p.steps)
		}
	}
	add := func(tensor, step int) {
		s := &span{size: sizes[tensor], first: step, last: step}
		keep(tensor, s)
		p.spans[tensor], spans = s, append(spans, s)
	}
	for _, x := range p.graph.Inputs {
		add(p.number[x], -1)
	}
	for i := range p.steps {
		s := &p.steps[i]
		if s.once || s.idle {
			continue
		}
		for _, x := range s.in {
			if x >= 0 && p.spans[x] != nil {
				p.spans[x].last = max(p.spans[x].last, i)
			}
		}
		if x := s.in[0]; !p.options.KeepAll && copying(s.node.Op) && p.spans[x] != nil {
			s.idle = true
			p.spans[s.out] = p.spans[x]
			keep(s.out, p.spans[x])
			continue
		}
		add(s.out, i)
	}
	p.arena = place(spans)
	return p.fits(shapes)
}

// sizes returns the bytes of every tensor in whole lines.
func (p *program) sizes(shapes [][]int) ([]int, error) {
	list := make([]int, len(p.tensors))
	sum := 0
	for i, t := range p.tensors {
		if t.Role != graph.Activation {
			continue
		}
		n := t.Type.Size()
		for _, d := range shapes[i] {
			if n > p.options.MaxBytes/d {
				return nil, fmt.Errorf("interp: tensor %q (%v%v) alone needs more than %d bytes, the limit MaxBytes", t.Name, t.Type, shapes[i], p.options.MaxBytes)
			}
			n *= d
		}
		list[i] = (n + line - 1) / line * line
		if list[i] > math.MaxInt-sum {
			return nil, fmt.Errorf("interp: tensor %q and those before it are more than memory can hold", t.Name)
		}
		sum += list[i]
	}
	return list, nil
}

// fits reports a program that needs more memory than it may.
func (p *program) fits(shapes [][]int) error {
	total := p.options.MaxBytes + 1
	if p.arena <= p.options.MaxBytes/p.lanes {
		total = p.lanes * p.arena
	}
	for i := range p.steps {
		if s := &p.steps[i]; s.once && total <= p.options.MaxBytes {
			total += bytesOf(p.tensors[s.out], shapes[s.out])
		}
	}
	if total > p.options.MaxBytes {
		m := p.memoryPlan()
		peak := m.Steps[m.Peak]
		return fmt.Errorf("interp: a batch of %d on %d goroutines needs more than %d bytes, the limit MaxBytes; the most is alive at node %q (%s): %d bytes on each",
			p.options.Batch, p.lanes, p.options.MaxBytes, peak.Node, peak.Operator, peak.LiveBytes)
	}
	for i := range p.steps {
		s := &p.steps[i]
		if n := scratch(s.node, p.pads[s.node], shapes[s.out]); n > p.options.MaxBytes-total {
			return fmt.Errorf("interp: node %q (%s) may need more scratch memory than activations leave of %d bytes, the limit MaxBytes",
				s.node.Name, s.node.Op.Name(), p.options.MaxBytes)
		}
	}
	return nil
}

// bytesOf returns the bytes of a tensor of a shape that is known to be small.
func bytesOf(t *graph.Tensor, shape []int) int { return graph.Elements(shape) * t.Type.Size() }
