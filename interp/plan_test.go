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
		size, least := place(spans), mostAlive(spans)
		if size > sum || size < least {
			t.Fatalf("%d bytes for spans of %d, of which %d are alive at a time", size, sum, least)
		}
		end := 0
		for i, a := range spans {
			end = max(end, a.offset+a.size)
			for _, b := range spans[:i] {
				alive := a.first <= b.last && b.first <= a.last
				apart := a.offset+a.size <= b.offset || b.offset+b.size <= a.offset
				if alive && !apart && a.size > 0 && b.size > 0 {
					t.Fatalf("%+v and %+v share bytes", *a, *b)
				}
			}
		}
		if end > size {
			t.Fatalf("spans end at %d of %d", end, size)
		}
	})
}

// A chain takes its largest pair, whatever the sizes.
func TestPlaceOfChains(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(1, 50), 2, 20).Draw(t, "sizes")
		var chain []*span
		largest := 0
		for i, size := range sizes {
			chain = append(chain, &span{size: size, first: i - 1, last: i})
			if i > 0 {
				largest = max(largest, size+sizes[i-1])
			}
		}
		if got := place(chain); got != largest {
			t.Fatalf("a chain takes %d bytes, want its largest pair, %d", got, largest)
		}
	})
}
