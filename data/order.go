package data

import (
	"iter"

	"github.com/goqat/goqat/internal/rng"
)

// The streams of random values of this package. They differ from each other and, being large, from the small
// indices that other packages use as paths, so one seed serves a whole program.
const (
	streamShuffle = 0x64617461_00000001 + iota // "data" in ASCII
	streamSplit
	streamAugment
	streamOversample
	streamGroups
)

// Shuffle is the order of n rows in an epoch: a permutation of 0..n-1 that depends on nothing but its
// arguments, so a resumed run needs no record of it.
func Shuffle(n int, seed uint64, epoch int) []int {
	return permutation(n, seed, streamShuffle, uint64(epoch))
}

func permutation(n int, seed, stream, part uint64) []int {
	return rng.New(seed, stream, part).Perm(n)
}

// Batches cuts index into consecutive batches of size rows; the last one holds what is left. A size below 1
// gives one batch of everything. The batches are parts of index, not copies.
func Batches(index []int, size int) iter.Seq[[]int] {
	if size < 1 {
		size = max(1, len(index))
	}
	return func(yield func([]int) bool) {
		for start := 0; start < len(index); start += size {
			end := start + min(size, len(index)-start)
			if !yield(index[start:end:end]) {
				return
			}
		}
	}
}
