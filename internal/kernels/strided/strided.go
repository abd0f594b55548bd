package strided

import "github.com/goqat/goqat/internal/parallel"

// View picks elements of a row-major array: those at
//
//	offset + i0*strides[0] + i1*strides[1] + ...
//
// for all i within shape. Axes that can be walked as one are one.
type View struct {
	shape, strides []int
	offset         int
	dense, size    int // elements that are picked, and elements of the array
}

// Slice picks count elements along each axis of an array of the given shape, from begin by step. It is the caller's to
// see that they exist.
func Slice(shape, begin, step, count []int) View {
	v := View{size: 1, shape: count, strides: make([]int, len(shape))}
	for axis := len(shape) - 1; axis >= 0; axis-- {
		v.offset += begin[axis] * v.size
		v.strides[axis] = step[axis] * v.size
		v.size *= shape[axis]
	}
	return v.compact()
}

// Permute picks everything from an array of the given shape, in the order of an array whose axis k is axis perm[k].
func Permute(shape, perm []int) View {
	strides, size := make([]int, len(shape)), 1
	for axis := len(shape) - 1; axis >= 0; axis-- {
		strides[axis] = size
		size *= shape[axis]
	}
	v := View{size: size}
	for _, axis := range perm {
		v.shape, v.strides = append(v.shape, shape[axis]), append(v.strides, strides[axis])
	}
	return v.compact()
}

// compact returns v without axes of size 1, and with neighbours joined where a step along the outer one is a whole
// length of the inner one.
func (v View) compact() View {
	c := View{offset: v.offset, size: v.size, dense: 1}
	for axis, n := range v.shape {
		c.dense *= n
		last := len(c.shape) - 1
		switch {
		case n == 1:
		case last >= 0 && c.strides[last] == n*v.strides[axis]:
			c.shape[last], c.strides[last] = c.shape[last]*n, v.strides[axis]
		default:
			c.shape, c.strides = append(c.shape, n), append(c.strides, v.strides[axis])
		}
	}
	if len(c.shape) == 0 {
		c.shape, c.strides = []int{1}, []int{1}
	}
	return c
}

// Gather copies what v picks from src to dst, densely; both hold any number of examples.
func Gather[T any](v View, dst, src []T) {
	n, stride := v.run()
	v.walk(len(dst)/v.dense, func(dense, at int) {
		if stride == 1 {
			copy(dst[dense:][:n], src[at:])
			return
		}
		for i := range dst[dense:][:n] {
			dst[dense+i] = src[at+i*stride]
		}
	})
}

// Scatter copies src, which is dense, to the places in dst that v picks; both hold any number of examples. No two
// elements have one place.
func Scatter[T any](v View, dst, src []T) {
	n, stride := v.run()
	v.walk(len(src)/v.dense, func(dense, at int) {
		if stride == 1 {
			copy(dst[at:][:n], src[dense:])
			return
		}
		for i, x := range src[dense:][:n] {
			dst[at+i*stride] = x
		}
	})
}

// run returns the length and step of the innermost axis.
func (v View) run() (n, stride int) { return v.shape[len(v.shape)-1], v.strides[len(v.shape)-1] }

// walk calls f for the first element of each run, with its dense index and its index in the array, on all cores.
func (v View) walk(examples int, f func(dense, at int)) {
	const worthwhile = 1 << 14 // elements: some tens of microseconds
	parts := parallel.Parts(examples, worthwhile/v.dense+1, parallel.MaxParts)
	n, _ := v.run()
	parallel.For(parts, func(p int) {
		index := make([]int, len(v.shape)-1)
		first, end := parallel.Range(examples, parts, p)
		for e := first; e < end; e++ {
			at := e*v.size + v.offset
			for dense := e * v.dense; dense < (e+1)*v.dense; dense += n {
				f(dense, at)
				at = v.next(index, at)
			}
		}
	})
}

// next steps to the next run and returns its first index in the array; after the last run, index is that of the first
// again.
func (v View) next(index []int, at int) int {
	for axis := len(index) - 1; axis >= 0; axis-- {
		at += v.strides[axis]
		if index[axis]++; index[axis] < v.shape[axis] {
			return at
		}
		at -= v.shape[axis] * v.strides[axis]
		index[axis] = 0
	}
	return at
}
