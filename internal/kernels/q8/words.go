package q8

import (
	"math"
	"unsafe"

	"github.com/goqat/goqat/internal/parallel"
	"github.com/goqat/goqat/quant"
)

// WordsSpec describes an operator with weights on codes of 16 bits, without zero
// points.
type WordsSpec struct {
	Window     Window
	Outputs    int        // channels
	Multiplier int        // 0: every output reads all channels; else output o reads channel o/Multiplier
	Weight     []int8     // as those of [NewConv2D], or [NewDepthwiseConv2D]
	Bias       []int64    // [Outputs]
	Factor     []float64  // [Outputs]
	HalfAway   bool       // halves between codes are rounded away from zero, otherwise up
	Clamp      quant.Grid // of codes
}

// Words is a prepared operator of package q16. It is read-only.
type Words struct {
	spec    WordsSpec
	factors []float64 // of whole vectors of channels
	biases  []float64
	limits  []byte
	units   int  // of an image: positions, or rows of them
	perUnit int  // products
	flat    bool // images side by side are one image
	sums    wordSums
}

// wordSums computes images.
type wordSums interface {
	// load prepares an image: memory to give back.
	load(image []int16) *[]byte
	free(memory *[]byte)
	// compute computes units.
	compute(dst []int16, memory *[]byte, image []int16, lo, hi int)
}

// wordsArgs is the argument of words routines, which know its layout.
type wordsArgs struct {
	dst             *int16
	sums            *int32
	factors, biases *float64
	rows, width     int // a multiple of the lanes
	dstStride       int // in bytes
	stride          int // of sums
	parts, part     int // how many sums an accumulator has; from one to the next, in bytes
	constants       *byte
}

const (
	// partLimit is what the magnitudes of weights may sum up to while the sum of their
	// products with any codes has 32 bits.
	partLimit = 1<<16 - 1
	// exactSum bounds sums whose products with a factor of 15 bits, and a half more,
	// float64 holds.
	exactSum = 1 << 37
)

// NewWords prepares
//
//	y = clamp(round((b[o] + sum over taps t in the image, channels i of w[o,t,i]*x[p+t,i]) * Factor[o]))
//
// and the depthwise form of it. Factors have up to 15 bits, or the products are
// rounded to float64. It returns nil where the sums might not be exact, or their
// products not of 32 bits, which the runtimes truncate unless halves go away from
// zero.
func NewWords(s WordsSpec) *Words {
	w, err := s.Window.checked()
	if err != nil {
		return nil
	}
	s.Window = w
	magnitudes := make([]int64, s.Outputs)
	for i, q := range s.Weight {
		o := i % s.Outputs
		if s.Multiplier == 0 {
			o = i / w.depth()
		}
		magnitudes[o] += int64(max(int32(q), -int32(q)))
	}
	for o, m := range magnitudes {
		largest := float64(m<<15) + math.Abs(float64(s.Bias[o]))
		if largest > exactSum || !s.HalfAway && largest*s.Factor[o] > math.MaxInt32 || s.Multiplier > 0 && m > partLimit {
			return nil
		}
	}
	v := &Words{spec: s, units: w.Positions(), perUnit: len(s.Weight)}
	words, channels := level.words, s.Outputs
	switch {
	case words == nil:
		v.sums = newPortableWords(v)
	case s.Multiplier == 0:
		v.sums = newWordsProduct(words, v)
	case w.Dilation[0] == 1:
		c := newWordsColumns(words, v)
		v.sums, channels = c, c.columns.channels
		v.units, v.perUnit = w.Output[0], v.perUnit*w.Output[1]
	default:
		v.sums = newPortableWords(v)
	}
	v.constants(channels)
	return v
}

// constants prepares what turns the sums of so many channels into codes.
func (v *Words) constants(channels int) {
	const vector = 16
	n := (channels + vector - 1) / vector * vector
	v.factors, v.biases = aligned[float64](n), aligned[float64](n)
	for c := range n {
		v.factors[c], v.biases[c] = v.spec.Factor[c%v.spec.Outputs], float64(v.spec.Bias[c%v.spec.Outputs])
	}
	half := .5
	if v.spec.HalfAway {
		half = math.Nextafter(.5, 0)
	}
	v.limits = aligned[byte](lines * lineBytes)
	setLine(v.limits, lineHalf, half)
	setLine(v.limits, lineSign, uint64(1)<<63)
	setLine(v.limits, lineLow, float64(v.spec.Clamp.Min))
	setLine(v.limits, lineHigh, float64(v.spec.Clamp.Max))
}

// Run computes dst [batch, output height, output width, Outputs] from
// src [batch, input height, input width, channels].
func (v *Words) Run(dst, src []int16, batch int) {
	w := &v.spec.Window
	size, image := w.Positions()*v.spec.Outputs, w.inputSize()
	const products = vectorProducts / 4 // worth a goroutine: slower ones
	units := v.units
	if v.flat {
		batch, units, size, image = 1, batch*units, batch*size, batch*image
	}
	if batch == 1 {
		v.image(dst[:size], src[:image], units, parallel.Parts(units, products/v.perUnit+1, parallel.MaxParts))
		return
	}
	parts := parallel.Parts(batch, products/(v.perUnit*v.units)+1, parallel.MaxParts)
	parallel.Each(batch, parts, wordImages{v, dst, src, size, image}, wordImages.run)
}

// wordImages are images of a batch.
type wordImages struct {
	*Words
	dst, src  []int16
	size, row int // of an output, of an input
}

func (v wordImages) run(lo, hi int) {
	for n := lo; n < hi; n++ {
		v.image(v.dst[n*v.size:][:v.size], v.src[n*v.row:][:v.row], v.units, 1)
	}
}

// image computes one image, with its units in parts.
func (v *Words) image(dst, src []int16, units, parts int) {
	memory := v.sums.load(src)
	parallel.Each(units, parts, wordUnits{v, dst, src, memory}, wordUnits.run)
	v.sums.free(memory)
}

// wordUnits are units of an image.
type wordUnits struct {
	*Words
	dst, src []int16
	memory   *[]byte
}

func (v wordUnits) run(lo, hi int) { v.sums.compute(v.dst, v.memory, v.src, lo, hi) }

// write writes the codes of count channels, from first on, of some rows of sums in
// parts; dst and sums begin with the first of these.
func (v *Words) write(level *dispatch, w *worker, dst []int16, apart int, sums []int32, stride, first, count, rows, parts, part int) {
	width := (count + level.lanes - 1) / level.lanes * level.lanes
	to, distance := dst, apart
	if width > count { // routines write whole vectors
		w.words = grown(w.words, rows*width)
		to, distance = w.words, width
	}
	_, _ = to[(rows-1)*distance+width-1], sums[(parts-1)*part+(rows-1)*stride+width-1]
	a := &w.wordsArgs
	*a = wordsArgs{
		dst: &to[0], sums: &sums[0], factors: &v.factors[first], biases: &v.biases[first],
		rows: rows, width: width, dstStride: 2 * distance, stride: 4 * stride, parts: parts, part: 4 * part, constants: &v.limits[0],
	}
	run := level.wordsUp
	if v.spec.HalfAway {
		run = level.wordsAway
	}
	run((*byte)(unsafe.Pointer(a)))
	*a = wordsArgs{}
	if width > count {
		for r := range rows {
			copy(dst[r*apart:][:count], to[r*width:])
		}
	}
}
