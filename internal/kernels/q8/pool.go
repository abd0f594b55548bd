package q8

import (
	"errors"
	"fmt"
	"math"
	"unsafe"

	"github.com/goqat/goqat/internal/parallel"
	"github.com/goqat/goqat/quant"
)

// PoolSpec describes a MAX_POOL_2D or AVERAGE_POOL_2D operator. Input and
// output have the same scale and zero point.
type PoolSpec struct {
	Window     Window
	Quantized  quant.Params // of input and output, per tensor
	Activation quant.Activation
	Kernel     Kernel // of package q16; those here are fast
}

// Pool is a prepared pooling operator. It is read-only.
type Pool[T int8 | int16] struct {
	window Window
	clamp  quant.Grid
	reduce reducer[T]
	vector reduction // nil: there is none
	block  int       // channels that vector reduces at a time
	limits []int32   // of vector
	taps   [][]int32 // offsets of taps, by how many of a kernel row are in the image

	// part is poolRows.run: generic code would allocate it for every call.
	part func(rows poolRows[T], lo, hi int)
}

// A reducer sets dst[c] to what it makes of image[offset+c] over offsets.
type reducer[T int8 | int16] func(dst, image []T, offsets []int32)

// NewMaxPool2D prepares y[p,c] = clamp(max over taps t in the image of x[p+t,c]).
//
// Errors: sizes and parameters that cannot be.
//
// Source: LiteRT, tflite/kernels/internal/reference/integer_ops/pooling.h.
func NewMaxPool2D(s PoolSpec) (*Pool[int8], error) {
	return newPool(s, largest[int8], level.max, 16, GridOf[int8]())
}

// NewAveragePool2D prepares y[p,c] = clamp(S/n rounded half away from zero),
// where S is the sum of the codes under the n taps inside the image.
//
// Errors: sizes and parameters that cannot be.
//
// Source: LiteRT, tflite/kernels/internal/reference/integer_ops/pooling.h.
func NewAveragePool2D(s PoolSpec) (*Pool[int8], error) {
	return newPool(s, average[int8], s.averages(level.average), 8, GridOf[int8]())
}

// NewWordsMaxPool2D is [NewMaxPool2D] on codes of 16 bits, for package q16.
func NewWordsMaxPool2D(s PoolSpec, grid quant.Grid) (*Pool[int16], error) {
	return newPool(s, largest[int16], level.wordReductions().max, 16, grid)
}

// NewWordsAveragePool2D is [NewAveragePool2D] on codes of 16 bits, for package q16.
func NewWordsAveragePool2D(s PoolSpec, grid quant.Grid) (*Pool[int16], error) {
	return newPool(s, average[int16], s.averages(level.wordReductions().average), 8, grid)
}

// wordReductions returns the level for codes of 16 bits, or one without routines.
func (d *dispatch) wordReductions() *dispatch {
	if d.words != nil {
		return d.words
	}
	return portable
}

// averages returns the routine if it can average as many codes.
func (s PoolSpec) averages(vector reduction) reduction {
	if s.Window.Kernel[0]*s.Window.Kernel[1] > maxAverage {
		return nil
	}
	return vector
}

// maxAverage is how many codes a routine may average.
const maxAverage = 1 << 15

func newPool[T int8 | int16](s PoolSpec, reduce reducer[T], vector reduction, block int, grid quant.Grid) (*Pool[T], error) {
	window, err := s.Window.checked()
	err = errors.Join(err, checkTensor("input", s.Quantized, GridOf[int8]()))
	for axis := range 2 {
		last := (window.Output[axis]-1)*window.Stride[axis] - window.Pad[axis]
		if window.Dilation[axis] != 1 || window.Pad[axis] >= window.Kernel[axis] || last >= window.Input[axis] {
			err = errors.Join(err, fmt.Errorf("a pool needs dilation 1 and an input under every window: %+v", window))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("q8: pool: %w", err)
	}
	p := &Pool[T]{window: window, part: poolRows[T].run, clamp: s.Activation.Range(s.Quantized, grid), reduce: reduce, vector: vector, block: block}
	p.limits = aligned[int32](limitWords)
	if putLimits(p.limits, p.clamp); unsafe.Sizeof(T(0)) == 2 {
		putWordLimits(p.limits, p.clamp)
	}
	rows, most := min(window.Kernel[0], window.Input[0]), min(window.Kernel[1], window.Input[1]) // in the image
	p.taps = make([][]int32, most+1)
	for columns := 1; columns <= most; columns++ {
		for tap := range rows * columns {
			p.taps[columns] = append(p.taps[columns], int32((tap/columns*window.Input[1]+tap%columns)*window.Channels))
		}
	}
	return p, nil
}

// Run computes dst [batch, output height, output width, Channels] from
// src [batch, input height, input width, Channels].
func (p *Pool[T]) Run(dst, src []T, batch int) {
	w := &p.window
	const taps = 1 << 18 // worth a goroutine
	rows := batch * w.Output[0]
	parts := parallel.Parts(rows, taps/(w.Output[1]*len(p.taps[len(p.taps)-1])*w.Channels)+1, parallel.MaxParts)
	parallel.Each(rows, parts, poolRows[T]{p, dst, src}, p.part)
}

// poolRows are rows of the output.
type poolRows[T int8 | int16] struct {
	*Pool[T]
	dst, src []T
}

func (p poolRows[T]) run(lo, hi int) { p.rows(p.dst, p.src, lo, hi) }

// rows computes rows [lo, hi) of the output, in runs of pixels under which the
// window has equally many columns of the image.
func (p *Pool[T]) rows(dst, src []T, lo, hi int) {
	w := &p.window
	for row := lo; row < hi; row++ {
		image := src[row/w.Output[0]*w.inputSize():][:w.inputSize()]
		top := row%w.Output[0]*w.Stride[0] - w.Pad[0]
		first, last := max(top, 0), min(top+w.Kernel[0], w.Input[0])
		for x := 0; x < w.Output[1]; {
			left := x*w.Stride[1] - w.Pad[1]
			from, to := max(left, 0), min(left+w.Kernel[1], w.Input[1])
			n := 1
			if left >= 0 {
				n = max(n, min((w.Input[1]-w.Kernel[1]-left)/w.Stride[1]+1, w.Output[1]-x))
			}
			taps := p.taps[to-from][:(last-first)*(to-from)]
			p.pixels(dst[(row*w.Output[1]+x)*w.Channels:][:n*w.Channels], image[(first*w.Input[1]+from)*w.Channels:], taps)
			x += n
		}
	}
}

// pixels computes neighbors; src begins under the first tap of the first one.
func (p *Pool[T]) pixels(dst, src []T, taps []int32) {
	channels, step := p.window.Channels, p.window.Stride[1]*p.window.Channels
	n := len(dst) / channels
	_ = src[(n-1)*step+int(taps[len(taps)-1])+channels-1] // all that is read is inside
	done := 0
	if p.vector != nil {
		// Of few channels, routines compute some behind them, which are the next pixel's:
		// that overwrites them, but for the last ones.
		done = max(0, n-(p.block-1)/channels)
		if channels >= p.block {
			done = n
		}
	}
	size := int(unsafe.Sizeof(T(0)))
	for c := 0; c < channels && done > 0; c += p.block {
		c := max(0, min(c, channels-p.block)) // some once more
		p.vector(bytePointer(dst[c:]), bytePointer(src[c:]), &taps[0], len(taps), size*step, size*channels, done, &p.limits[0])
	}
	for i := done; i < n; i++ {
		to := dst[i*channels:][:channels]
		p.reduce(to, src[i*step:], taps)
		for c, q := range to {
			to[c] = T(p.clamp.Clamp(int32(q)))
		}
	}
}

// largest sets dst[c] to the maximum of image[offset+c] over offsets.
func largest[T int8 | int16](dst, image []T, offsets []int32) {
	for i, offset := range offsets {
		pixel := image[offset:][:len(dst)]
		if i == 0 {
			copy(dst, pixel)
			continue
		}
		for c, q := range pixel {
			dst[c] = max(dst[c], q)
		}
	}
}

// average sets dst[c] to the rounded mean of image[offset+c] over offsets. A quarter
// more than a whole number times the inverse of a whole number is in float64 never on
// the other side of the whole quotient.
func average[T int8 | int16](dst, image []T, offsets []int32) {
	const most = 64 // sums
	n := int32(len(offsets))
	inverse := 1 / float64(n)
	for first := 0; first < len(dst); first += most {
		var scratch [most]int32
		sums := scratch[:min(most, len(dst)-first)]
		for _, offset := range offsets {
			pixel := image[int(offset)+first:][:len(sums)]
			for c := range sums {
				sums[c] += int32(pixel[c])
			}
		}
		to := dst[first:][:len(sums)]
		for c, sum := range sums {
			half := n / 2
			if sum <= 0 {
				half = -half
			}
			x := float64(sum + half)
			to[c] = T(int32((x + math.Copysign(.25, x)) * inverse))
		}
	}
}

func bytePointer[T int8 | int16](codes []T) *byte { return (*byte)(unsafe.Pointer(&codes[0])) }
