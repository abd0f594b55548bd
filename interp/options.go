package interp

import (
	"fmt"
	"math"
	"runtime"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/q8"
)

// Profile names the runtime whose integers an interpreter reproduces.
type Profile uint8

const (
	// LiteRT is the set of reference kernels of LiteRT 2.x (BUILTIN_REF).
	LiteRT Profile = iota
	// TFLM is the set of reference kernels of TensorFlow Lite for
	// Microcontrollers. It differs from LiteRT in FULLY_CONNECTED, which
	// requantizes in fixed point rather than in float64, in RELU6, which clamps
	// without requantizing, in LOGISTIC and TANH, which it computes in fixed
	// point, and in the last bits of the factors of MUL, SUB and PRELU; and it has
	// neither dynamic-range kernels nor float16.
	TFLM
	// XNNPACK is what LiteRT's default interpreter, which most programs use, runs on
	// int8: the kernels of that library, and its own for what the library does not
	// take. They round in float32 or with short factors, where the reference kernels
	// round in fixed point. It refuses what is not known to be reproduced byte for
	// byte: int16 activations, weights of 4 bits, dynamic range, convolutions without a bias,
	// TRANSPOSE_CONV with a stride above the kernel's size, and scales beyond the
	// library's limits.
	XNNPACK
)

func (p Profile) String() string {
	switch p {
	case LiteRT:
		return "LiteRT"
	case TFLM:
		return "TFLM"
	case XNNPACK:
		return "XNNPACK"
	}
	return fmt.Sprintf("profile %d", uint8(p))
}

// kernels returns the profile's name among the integer kernels.
func (p Profile) kernels() q8.Profile {
	switch p {
	case TFLM:
		return q8.TFLM
	case XNNPACK:
		return q8.XNNPACK
	}
	return q8.LiteRT
}

// Options says how a graph runs. The zero value is LiteRT's integers, one row
// at a time, on the fast kernels.
type Options struct {
	Profile Profile
	// Batch is the greatest number of rows that run at once; 0 is 1. Memory
	// grows with it.
	Batch int
	// Threads is how many goroutines compute at most: with 1 that which calls Run,
	// and no other. Above, the rows of a batch are divided among so many, each with
	// memory of its own for its part; a row on its own, and rows that depend on each
	// other, leave kernels to divide their work on as many as GOMAXPROCS says. 0 is
	// what GOMAXPROCS says when New is called. The results are the same.
	Threads int
	// MaxBytes bounds the memory of activations, computed constants and kernels'
	// scratch that New and Run may need, for the sake of files from elsewhere: a few
	// bytes can name any size. 0 is 1 GiB.
	MaxBytes int
	// Reference uses the slow integer kernels that are the formulas themselves.
	// The results are the same.
	Reference bool
	// KeepAll gives every tensor memory of its own, so that
	// [Interpreter.Tensor] has all values after a run. Rows are not divided then, nor
	// with a Tap.
	KeepAll bool
	// Tap, unless nil, is called in every run for each graph input and each
	// node's output once, in execution order. shape includes the batch; data is
	// the slice of the tensor's type, to be read before Tap returns.
	Tap func(t *graph.Tensor, shape []int, data any)
}

const (
	defaultMaxBytes  = 1 << 30
	greatestMaxBytes = math.MaxInt / 2 // the sum of two does not overflow
)

// completed returns o with defaults filled in.
func (o Options) completed() (Options, error) {
	if o.Batch < 0 {
		return o, fmt.Errorf("interp: batch %d is negative", o.Batch)
	}
	if o.Profile > XNNPACK {
		return o, fmt.Errorf("interp: unknown %v", o.Profile)
	}
	if o.Threads < 0 || o.MaxBytes < 0 {
		return o, fmt.Errorf("interp: %d threads and %d bytes: neither can be negative", o.Threads, o.MaxBytes)
	}
	o.Batch = max(o.Batch, 1)
	if o.Threads == 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	if o.MaxBytes = min(o.MaxBytes, greatestMaxBytes); o.MaxBytes == 0 {
		o.MaxBytes = defaultMaxBytes
	}
	return o, nil
}

// kernel chooses among equal integer kernels.
func (o Options) kernel() q8.Kernel {
	if o.Reference {
		return q8.Reference
	}
	return q8.Fast
}
