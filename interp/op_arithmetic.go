package interp

import (
	"slices"
	"sync/atomic"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/axes"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/q16"
	"github.com/goqat/goqat/internal/kernels/q8"
)

func add(s site) (kernel, error) { return arithmetic(s, f32.Plus, q8.NewAdd, q16.NewAdd) }
func sub(s site) (kernel, error) { return arithmetic(s, f32.Minus, q8.NewSub, q16.NewSub) }
func mul(s site) (kernel, error) { return arithmetic(s, f32.Times, q8.NewMul, q16.NewMul) }

// arithmetic prepares an operator on two tensors, given its kernel for each type.
func arithmetic(s site, float f32.Arithmetic, narrow func(q8.ArithmeticSpec) (*q8.Arithmetic, error), wide func(q8.ArithmeticSpec) (*q16.Arithmetic, error)) (kernel, error) {
	activation := s.Op.(graph.Fusing).Activation()
	sig := signature{s.Input(0).Type, s.Input(1).Type, s.Output.Type}
	if sig == allFloat {
		paired := pairing()
		return func(in []*value, out *value) error {
			f32.Combine(float, paired(in), out.floats(), in[0].floats(), in[1].floats(), activation)
			return nil
		}, nil
	}
	if sig != allInt8 && sig != allInt16 {
		return nil, s.unsupported()
	}
	a, y, err := s.activationParams()
	if err != nil {
		return nil, err
	}
	b, err := perTensor(s.Input(1))
	if err != nil {
		return nil, err
	}
	spec := q8.ArithmeticSpec{A: a, B: b, Output: y, Activation: activation, Profile: s.Profile.kernels(), Kernel: s.kernel()}
	if sig == allInt16 {
		op, err := wide(spec)
		return combined(op), err
	}
	if _, square := s.Op.(graph.Mul); square && s.Profile == XNNPACK && s.Input(0) == s.Input(1) {
		table, err := q8.NewSquare(spec)
		return tabulated(table), err
	}
	op, err := narrow(spec)
	return combined(op), err
}

// combined is the kernel of a prepared operator on two tensors.
func combined[T int8 | int16](op interface {
	Run(p axes.Pair, dst, a, b []T)
}) kernel {
	paired := pairing()
	return func(in []*value, out *value) error {
		op.Run(paired(in), elements[T](out), elements[T](in[0]), elements[T](in[1]))
		return nil
	}
}

// pairing returns a function that says which elements of two inputs meet. It
// remembers the answers for the shapes of a few batches.
func pairing() func(in []*value) axes.Pair {
	type known struct {
		a, b []int
		pair axes.Pair
		next *known
		left int // to remember on top of this one
	}
	var latest atomic.Pointer[known]
	return func(in []*value) axes.Pair {
		first := latest.Load()
		for k := first; k != nil; k = k.next {
			if slices.Equal(k.a, in[0].shape) && slices.Equal(k.b, in[1].shape) {
				return k.pair
			}
		}
		k := &known{a: slices.Clone(in[0].shape), b: slices.Clone(in[1].shape), left: 16}
		if first != nil && first.left > 0 {
			k.next, k.left = first, first.left-1
		}
		k.pair = axes.Broadcast(k.a, k.b)
		latest.Store(k)
		return k.pair
	}
}
