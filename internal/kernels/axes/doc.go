// Package axes is the geometry of operators on several arrays: which elements of two arrays meet when their shapes
// broadcast, and how arrays are joined along an axis.
//
// The two functions you want are [Broadcast], whose [Pair] walks two arrays run by run, and [Concat]:
//
//	p := axes.Broadcast([]int{7, 5, 5, 8}, []int{7, 1, 1, 8})
//	stepA, stepB := p.Steps()
//	p.Runs(0, p.Len(), func(y, a, b, n int) {
//		for i := range n {
//			dst[y+i] = x[a+i*stepA] * gate[b+i*stepB]
//		}
//	})
//
// The package does not compute and does not check shapes: package graph has the rules.
package axes
