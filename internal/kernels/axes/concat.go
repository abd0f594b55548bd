package axes

// Joint is the geometry of arrays that are joined along one axis: the result consists of blocks, one for each index
// tuple of the axes before, and each block of one piece from every array.
type Joint struct {
	blocks int
	pieces []int // elements of each array in a block
	width  int   // elements of a block
}

// Join returns the geometry of arrays of the given shapes, which agree but for the axis.
func Join(shapes [][]int, axis int) Joint {
	product := func(sizes []int) int {
		n := 1
		for _, d := range sizes {
			n *= d
		}
		return n
	}
	j := Joint{blocks: product(shapes[0][:axis])}
	for _, s := range shapes {
		j.pieces = append(j.pieces, product(s[axis:]))
		j.width += j.pieces[len(j.pieces)-1]
	}
	return j
}

// Concat writes the joined arrays to dst.
func Concat[T any](j Joint, dst []T, srcs ...[]T) {
	at := 0
	for i, n := range j.pieces {
		Insert(dst[:j.blocks*j.width], srcs[i][:j.blocks*n], j.blocks, at)
		at += n
	}
}

// Insert writes one of the arrays that are joined to its place in dst, a piece in each of so many blocks behind at
// elements of others.
func Insert[T any](dst, src []T, blocks, at int) {
	width, n := len(dst)/blocks, len(src)/blocks
	for b := range blocks {
		copy(dst[b*width+at:][:n], src[b*n:])
	}
}

// Split writes to each array its part of src; arrays that are nil are left out. It is the inverse of [Concat].
func Split[T any](j Joint, src []T, dsts ...[]T) {
	at := 0
	for i, n := range j.pieces {
		for b := range j.blocks {
			if dsts[i] != nil {
				copy(dsts[i][b*n:][:n], src[b*j.width+at:])
			}
		}
		at += n
	}
}
