package q8

import "sync"

// wordsColumns is a depthwise convolution of codes of 16 bits by the routines of a
// level.
type wordsColumns struct {
	*Words
	columns *vectorDepthwise
	outside []int16
	memory  sync.Pool // planes
}

func newWordsColumns(level *dispatch, v *Words) *wordsColumns {
	s := &v.spec
	d := depthwise{window: s.Window, multiplier: s.Multiplier, outputs: s.Outputs, weights: s.Weight}
	c := &wordsColumns{
		Words:   v,
		columns: newVectorDepthwise(level, &d, make([]int32, s.Outputs), 0, nil),
		outside: make([]int16, s.Window.Input[1]*s.Outputs),
	}
	c.memory.New = func() any {
		b := aligned[byte](c.columns.size)
		return &b
	}
	return c
}

func (c *wordsColumns) load(image []int16) *[]byte {
	memory := c.memory.Get().(*[]byte)
	if c.columns.multiplier == 1 {
		loadColumns(c.columns, *memory, image, c.outside)
		return memory
	}
	w := workers.Get().(*worker)
	w.words = grown(w.words, len(image)*c.columns.multiplier)
	repeat(w.words, image, c.columns.multiplier)
	loadColumns(c.columns, *memory, w.words, c.outside)
	w.free()
	return memory
}

func (c *wordsColumns) free(memory *[]byte) { c.memory.Put(memory) }

func (c *wordsColumns) compute(dst []int16, memory *[]byte, _ []int16, lo, hi int) {
	w := workers.Get().(*worker)
	v := c.columns
	for step := v.rowsAtOnce(); lo < hi; lo += step {
		n := min(step, hi-lo)
		for i := range v.blocks {
			b := &v.blocks[i]
			v.sum(w, *memory, b, lo, lo+n)
			c.write(v.level, w, dst[lo*v.width*v.channels+b.first:], v.channels, w.sums, v.level.lanes, b.first, b.count, n*v.width, 1, 0)
		}
	}
	w.free()
}
