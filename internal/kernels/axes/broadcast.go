package axes

import "slices"

// Pair walks two arrays, a and b, whose shapes broadcast by numpy's rule, along the elements of the result in row-major
// order. Neighboring axes that broadcast alike are one axis: the result of [N, H, W, C] and [N, 1, 1, C] has the axes
// N, HW, C.
type Pair struct {
	axes []axis // outermost first; at least one
}

// axis is one axis of the result. A step is how far an array's index moves from one element along the axis to the next;
// 0 where the array has one element for all.
type axis struct{ size, a, b int }

// Broadcast aligns two shapes that fit each other; what it returns for others is meaningless.
func Broadcast(a, b []int) Pair {
	rank := max(len(a), len(b))
	at := func(shape []int, i int) int { // size along axis i of the result
		if i -= rank - len(shape); i < 0 {
			return 1
		}
		return shape[i]
	}
	var list []axis // innermost first
	sizeA, sizeB := 1, 1
	for i := rank - 1; i >= 0; i-- {
		x := axis{size: max(at(a, i), at(b, i))}
		if x.size == 1 {
			continue
		}
		if at(a, i) > 1 {
			x.a = sizeA
		}
		if at(b, i) > 1 {
			x.b = sizeB
		}
		sizeA, sizeB = sizeA*at(a, i), sizeB*at(b, i)
		if n := len(list); n > 0 && (list[n-1].a == 0) == (x.a == 0) && (list[n-1].b == 0) == (x.b == 0) {
			list[n-1].size *= x.size
			continue
		}
		list = append(list, x)
	}
	if len(list) == 0 {
		list = []axis{{size: 1}}
	}
	slices.Reverse(list)
	return Pair{list}
}

// Len is the number of elements of the result.
func (p Pair) Len() int {
	n := 1
	for _, x := range p.axes {
		n *= x.size
	}
	return n
}

// Equal reports whether both arrays have the shape of the result: element i of it comes from elements i of both.
func (p Pair) Equal() bool { return !p.Repeats(0) && !p.Repeats(1) }

// Repeats reports whether some elements of a (array 0) or b (array 1) serve several elements of the result.
func (p Pair) Repeats(array int) bool {
	return slices.ContainsFunc(p.axes, func(x axis) bool { return x.size > 1 && x.step(array) == 0 })
}

// Outer is the number of blocks, of equal size and one after the other, into which the result falls such that no
// element of array 0 or 1 serves two of them.
func (p Pair) Outer(array int) int {
	if x := p.axes[0]; x.step(array) != 0 {
		return x.size
	}
	return 1
}

func (x axis) step(array int) int {
	if array == 0 {
		return x.a
	}
	return x.b
}

// Steps returns how far the indices of a and b move within a run: 0 or 1 each.
func (p Pair) Steps() (a, b int) {
	x := p.axes[len(p.axes)-1]
	return x.a, x.b
}

// At returns the elements of a and b that element i of the result comes from.
func (p Pair) At(i int) (a, b int) {
	for k := len(p.axes) - 1; k >= 0; k-- {
		x := p.axes[k]
		a, b = a+i%x.size*x.a, b+i%x.size*x.b
		i /= x.size
	}
	return a, b
}

// Runs calls f, in order, for runs of elements that cover [lo, hi) of the result: elements y to y+n come from element a,
// a+stepA, a+2*stepA ... of the first array, and b likewise, with the steps of [Pair.Steps].
func (p Pair) Runs(lo, hi int, f func(y, a, b, n int)) {
	inner := p.axes[len(p.axes)-1].size
	for lo < hi {
		n := min(inner-lo%inner, hi-lo)
		a, b := p.At(lo)
		f(lo, a, b, n)
		lo += n
	}
}
