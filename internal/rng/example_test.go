package rng_test

import (
	"fmt"

	"github.com/goqat/goqat/internal/rng"
)

// Two purposes, two paths; drawing from one does not move the other.
func ExampleNew() {
	weights := rng.New(1, 0)
	order := rng.New(1, 1)
	fmt.Printf("%.4f\n", weights.TruncatedNormal())
	fmt.Println(order.Perm(5))
	// Output:
	// -0.9864
	// [2 3 4 0 1]
}

// A dropout mask that any number of threads may compute, each its own elements.
func ExampleAt() {
	key := rng.Key(1, 100, 3) // seed, step, node
	for i := range uint64(4) {
		fmt.Print(rng.At(key, i)>>63, " ")
	}
	// Output: 0 1 0 1
}
