package interp

import (
	"testing"

	"pgregory.net/rapid"
)

func TestPlaceKeepsLiveSpansApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spans := make([]*span, rapid.IntRange(0, 20).Draw(t, "spans"))
		sum := 0
		for i := range spans {
			first := rapid.IntRange(-1, 10).Draw(t, "first")
			spans[i] = &span{size: rapid.IntRange(0, 30).Draw(t, "size"), first: first, last: first + rapid.IntRange(0, 4).Draw(t, "steps")}
			sum += spans[i].size
		}
		size := place(spans)
		if size > sum {
			t.Fatalf("%d elements for spans of %d", size, sum)
		}
		end := 0
		for i, a := range spans {
			end = max(end, a.offset+a.size)
			for _, b := range spans[:i] {
				alive := a.first <= b.last && b.first <= a.last
				apart := a.offset+a.size <= b.offset || b.offset+b.size <= a.offset
				if alive && !apart && a.size > 0 && b.size > 0 {
					t.Fatalf("%+v and %+v share elements", *a, *b)
				}
			}
		}
		if end > size {
			t.Fatalf("spans end at %d of %d", end, size)
		}
	})
}

func TestPlaceUsesMemoryAgain(t *testing.T) {
	chain := []*span{{size: 10, first: -1, last: 0}, {size: 30, first: 0, last: 1}, {size: 20, first: 1, last: 2}, {size: 5, first: 2, last: 3}}
	if got := place(chain); got != 50 {
		t.Errorf("a chain takes %d elements, want its largest pair, 50", got)
	}
}
