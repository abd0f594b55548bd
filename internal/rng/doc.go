// Package rng is goqat's only source of randomness: a counter-based generator whose n-th value is a pure
// function of a key and n.
//
// The functions you want are [New], a stream of values for one purpose, and [At], the stateless form for
// work that is split over threads.
//
//	weights := rng.New(seed, 3)           // 3: for example the index of a layer
//	w := weights.TruncatedNormal()        // the next value of that stream
//
//	key := rng.Key(seed, step, node)      // dropout: element i of this node in this step
//	keep := rng.At(key, uint64(i)) >= threshold
//
// The same seed and path give the same values on every architecture, in every later version and for any
// number of threads: everything is integer arithmetic, or float64 arithmetic whose rounding Go fixes (the
// logarithm is this package's own, and no multiply-add can be fused). Golden values in the tests hold it to
// that.
//
// The generator is not for secrets: it is fast and statistically sound, not unpredictable. It offers the
// few distributions that initializers, shuffles and synthetic data need, no others.
package rng
