// Package strided moves elements of any type between a dense array and a strided view of another array: all that
// padding, slicing and transposing are, forward and backward.
//
// The two functions you want are [Gather] and [Scatter]. Cutting the border off images, and putting one around them:
//
//	v := strided.Slice([]int{8, 8, 3}, []int{1, 1, 0}, []int{1, 1, 1}, []int{6, 6, 3})
//	strided.Gather(v, small, large)  // any number of images
//	strided.Scatter(v, large, small) // the border stays as it was
//
// The package does not compute shapes, and fills nothing: what a view leaves out keeps its value.
package strided
