package q8

import (
	"sync"
	"unsafe"
)

// wordsProduct is a convolution of codes of 16 bits by the routines of a level,
// whose instructions sum in 32 bits. What of a sum cannot leave these, whatever the
// codes, is a product of its own: mostly that is all.
type wordsProduct struct {
	*Words
	level  *dispatch
	parts  []*product
	plane  *plane // nil: the image itself is the plane
	pixels []int32
	memory sync.Pool // planes
}

func newWordsProduct(level *dispatch, v *Words) *wordsProduct {
	p := &wordsProduct{Words: v, level: level}
	w := &v.spec.Window
	segments, depth := []int32{0}, w.Channels
	if w.Kernel == [2]int{1, 1} && w.Stride == w.Kernel && w.Pad == [2]int{} && w.Output == w.Input && depth%2 == 0 {
		p.flat, p.pixels = true, rowOffsets(rowsAtOnce, 2*depth)
	} else {
		p.plane = newPlane(level, w, 0)
		p.pixels = p.plane.pixels(w)
		segments, depth = p.plane.segments(w)
		p.memory.New = func() any {
			b := aligned[byte](p.plane.size)
			return &b
		}
	}
	for s := 0; s < len(segments); {
		n := len(segments) - s
		for n > 1 && !p.holds(s*depth, (s+n)*depth) {
			n--
		}
		if n > 1 || p.holds(s*depth, (s+1)*depth) {
			p.add(segments[s:s+n], s*depth, depth)
			s += n
			continue
		}
		const most = partLimit / 128 &^ 1 // of any weights
		for at := 0; at < depth; at += most {
			p.add([]int32{segments[s] + int32(2*at)}, s*depth+at, min(most, depth-at))
		}
		s++
	}
	return p
}

// holds reports whether 32 bits hold the sum of the products of some weights.
func (p *wordsProduct) holds(from, to int) bool {
	s := &p.spec
	depth := len(s.Weight) / s.Outputs
	for o := range s.Outputs {
		sum := int32(0)
		for _, q := range s.Weight[o*depth+from : o*depth+to] {
			sum += max(int32(q), -int32(q))
		}
		if sum > partLimit {
			return false
		}
	}
	return true
}

// add makes a product of weights from the given one on.
func (p *wordsProduct) add(segments []int32, from, depth int) {
	s, n := &p.spec, len(segments)*depth
	weights := make([]int8, 0, n*s.Outputs)
	for o := range s.Outputs {
		weights = append(weights, s.Weight[o*len(s.Weight)/s.Outputs+from:][:n]...)
	}
	p.parts = append(p.parts, newProduct(p.level, weights, s.Outputs, segments, depth, make([]int32, s.Outputs), 0, nil))
}

func (p *wordsProduct) load(image []int16) *[]byte {
	if p.plane == nil {
		return nil
	}
	memory := p.memory.Get().(*[]byte)
	for y := range p.plane.rows {
		copy((*memory)[p.plane.first+y*p.plane.row:], bytesOf(image[y*p.plane.codes:][:p.plane.codes]))
	}
	return memory
}

func (p *wordsProduct) free(memory *[]byte) {
	if memory != nil {
		p.memory.Put(memory)
	}
}

func (p *wordsProduct) compute(dst []int16, memory *[]byte, image []int16, lo, hi int) {
	w := workers.Get().(*worker)
	outputs, width := p.spec.Outputs, p.parts[0].width
	for ; lo < hi; lo += rowsAtOnce {
		n := min(rowsAtOnce, hi-lo)
		w.sums = grown(w.sums, len(p.parts)*n*width)
		for i, part := range p.parts {
			if p.plane == nil {
				part.sumTo(w, w.sums[i*n*width:], bytesOf(image[lo*p.spec.Window.Channels:]), p.pixels[:n])
			} else {
				part.sumTo(w, w.sums[i*n*width:], *memory, p.pixels[lo:lo+n])
			}
		}
		p.write(p.level, w, dst[lo*outputs:], outputs, w.sums, width, 0, outputs, n, len(p.parts), n*width)
	}
	w.free()
}

// bytesOf returns the memory of codes.
func bytesOf(codes []int16) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(&codes[0])), 2*len(codes))
}
