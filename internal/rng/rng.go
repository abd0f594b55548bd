package rng

import "math/bits"

// gamma is 2^64 divided by the golden ratio, rounded to odd: consecutive multiples are spread evenly over
// the 64-bit integers.
const gamma = 0x9e3779b97f4a7c15

// mix is the output function of SplitMix64 (Stafford's variant 13 of MurmurHash3's finalizer): a bijection
// in which every input bit changes each output bit with a probability close to one half.
//
// Source: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Key derives the key of the stream named by seed and path. Each path element is absorbed by a bijection of
// the key so far, so paths that differ in a value, in order or in length lead to unrelated keys.
func Key(seed uint64, path ...uint64) uint64 {
	key := mix(seed + gamma)
	for _, element := range path {
		key = mix((key + gamma) ^ mix(element+gamma))
	}
	return key
}

// At is value number counter of the stream with the given key: 64 uniform bits.
//
// It keeps no state, so element i of a mask can be computed by any thread. The key enters twice: with a
// single round two keys would be two starting points on the same orbit, and streams could overlap.
func At(key, counter uint64) uint64 {
	return mix(mix(key+counter*gamma) ^ bits.RotateLeft64(key, 32))
}

// Stream is a sequence of random values. It is not safe for use by several goroutines; give each purpose
// its own path instead.
type Stream struct{ state State }

// State is all there is to a stream, for checkpoints: its key, and the counter of its next value.
type State struct {
	Key     uint64 `json:"key"`
	Counter uint64 `json:"counter"`
}

// New returns the stream named by seed and path at its start. Streams with different paths are independent.
func New(seed uint64, path ...uint64) *Stream {
	return &Stream{State{Key: Key(seed, path...)}}
}

// Restore returns a stream that continues where the one that reported state stood.
func Restore(state State) *Stream { return &Stream{state} }

// State reports the stream's position.
func (s *Stream) State() State { return s.state }

// Uint64 returns the next 64 uniform bits.
func (s *Stream) Uint64() uint64 {
	v := At(s.state.Key, s.state.Counter)
	s.state.Counter++
	return v
}

// Float32 returns a uniform multiple of 2^-24 in [0, 1).
func (s *Stream) Float32() float32 { return float32(s.Uint64()>>40) / (1 << 24) }

// Float64 returns a uniform multiple of 2^-53 in [0, 1).
func (s *Stream) Float64() float64 { return float64(s.Uint64()>>11) / (1 << 53) }

// IntN returns a uniform integer in [0, n), without bias; for n below 2 that is 0.
//
// Source: Lemire, "Fast Random Integer Generation in an Interval", ACM TOMACS 29(1), 2019.
func (s *Stream) IntN(n int) int {
	if n < 2 {
		return 0
	}
	size := uint64(n)
	threshold := -size % size // 2^64 mod n: this many low parts would be over-represented
	for {
		high, low := bits.Mul64(s.Uint64(), size)
		if low >= threshold {
			return int(high)
		}
	}
}

// Perm returns a uniform permutation of 0..n-1 (Fisher and Yates); for n below 1 it is empty.
func (s *Stream) Perm(n int) []int {
	p := make([]int, max(n, 0))
	for i := range p {
		j := s.IntN(i + 1)
		p[i] = p[j]
		p[j] = i
	}
	return p
}
