package q8

import (
	"sync"
	"unsafe"

	"github.com/goqat/goqat/internal/parallel"
)

// vectorDepthwise is DEPTHWISE_CONV_2D by the routines of a level.
//
// A channel meets only itself, so the codes whose products a lane sums are those
// of one channel in a column of the image. Its plane has groups of rows, one
// beginning at every other row; a weight's place in its group depends on whether
// the first row under the kernel is an even one.
type vectorDepthwise struct {
	level      *dispatch
	window     Window // with as many channels as there are outputs
	multiplier int
	zero       []int8 // a row outside the image
	groups     int    // in a plane
	row        int    // bytes of a group
	size       int    // bytes of a plane
	rows, taps []int32
	channels   int // that are computed side by side: those of several pixels if they are few
	width      int // of an output row in such
	mode       int
	rescale    *rescaler // nil: sums only
	blocks     []depthwiseBlock
	buffers    sync.Pool // of *[]byte, borders filled
}

// A depthwiseBlock is the weights and constants of a vector of channels.
type depthwiseBlock struct {
	first, count int
	weights      []byte // for even rows, then for odd ones
	constants    []int32
}

// depthwiseArgs is the argument of depthwise routines, which know its layout.
type depthwiseArgs struct {
	plane     *byte
	rows      *int32 // two for each row of outputs: offset in the plane, offset of the weights
	last      uintptr
	taps      *int32 // offset of every tap
	end       uintptr
	step      int // between pixels in the plane
	weights   *byte
	constants *int32
	limits    *int32
	out       unsafe.Pointer
	stride    int // between pixels of out, in bytes
	pixels    int // of a row
	mask      uint64
	mode      int
}

func newVectorDepthwise(level *dispatch, d *depthwise, bias []int32, zero int32, r *rescaler) *vectorDepthwise {
	v := &vectorDepthwise{level: level, window: d.window, multiplier: d.multiplier, rescale: r}
	w := &v.window
	w.Channels = d.outputs
	pixel := 4 * w.Channels
	columns := max((w.Output[1]-1)*w.Stride[1]+(w.Kernel[1]-1)*w.Dilation[1]+1, w.Pad[1]+w.Input[1])
	v.row = columns * pixel
	odd := w.Stride[0] % 2
	high := (w.Kernel[0] + odd + level.group - 1) / level.group // groups under the kernel
	apart := level.group / 2
	v.groups = (w.Output[0]-1)*w.Stride[0]/2 + (high-1)*apart + 1
	v.size = v.groups*v.row + 2*slack
	v.zero = make([]int8, w.Input[1]*w.Channels)
	fill(v.zero, int8(zero))
	for j := range high {
		for x := range w.Kernel[1] {
			v.taps = append(v.taps, int32(j*apart*v.row+x*w.Dilation[1]*pixel))
		}
	}
	for y := range w.Output[0] {
		first := y * w.Stride[0]
		v.rows = append(v.rows, int32(first/2*v.row), int32(first%2*len(v.taps)*4*level.lanes))
	}
	v.channels, v.width = w.Channels, w.Output[1]
	if n := level.lanes / w.Channels; n > 1 && level.lanes%w.Channels == 0 && w.Stride[1] == 1 && w.Output[1]%n == 0 {
		v.channels, v.width = level.lanes, w.Output[1]/n
	}
	v.pack(d.weights, bias, zero)
	v.buffers.New = func() any {
		b := aligned[byte](v.size)
		level.fill(b, int8(zero))
		return &b
	}
	return v
}

// pack makes the blocks.
func (v *vectorDepthwise) pack(weights []int8, bias []int32, zero int32) {
	w, level := &v.window, v.level
	lanes, starts := make([]lane, w.Channels), make([]int32, w.Channels)
	sums, magnitudes := make([]int32, w.Channels), make([]int64, w.Channels)
	for t := range w.Taps() {
		for o, q := range weights[t*w.Channels:][:w.Channels] {
			sums[o] += int32(q)
			magnitudes[o] += int64(max(int32(q), -int32(q)))
		}
	}
	inside := v.rescale != nil
	for o, sum := range sums {
		folded := bias[o] - zero*sum
		starts[o] = folded - level.raise*sum
		if inside {
			lanes[o], inside = v.rescale.newLane(o, folded, 128*magnitudes[o])
			lanes[o][fieldStart] -= level.raise * sum
		}
	}
	if v.mode = modeSums; inside {
		v.mode = v.rescale.mode(true)
	}
	for first := 0; first < v.channels; first += level.lanes {
		b := depthwiseBlock{
			first: first, count: min(level.lanes, v.channels-first),
			weights:   aligned[byte](2 * len(v.taps) * level.lanes * 4),
			constants: aligned[int32](fields*level.lanes + limitWords),
		}
		for l := range b.count {
			o := (first + l) % w.Channels
			if v.mode == modeSums {
				b.constants[l] = starts[o]
			} else {
				lanes[o].put(b.constants, level.lanes, l)
			}
		}
		for tap := range w.Taps() {
			for odd := range 2 {
				y, x := tap/w.Kernel[1]+odd, tap%w.Kernel[1]
				t := y/level.group*w.Kernel[1] + x
				if t >= len(v.taps) {
					continue
				}
				at := (odd*len(v.taps)+t)*level.lanes*level.group + y%level.group
				for l := range b.count {
					level.putWeight(b.weights, at+l*level.group, weights[tap*w.Channels+(first+l)%w.Channels])
				}
			}
		}
		if v.mode != modeSums {
			putLimits(b.constants[fields*level.lanes:], v.rescale.clamp)
		}
		v.blocks = append(v.blocks, b)
	}
}

func (v *vectorDepthwise) run(dst, src []int8, batch int) {
	size, rows := v.window.Positions()*v.window.Channels, v.window.Output[0]
	perRow := v.window.Output[1] * v.window.depth()
	const products = vectorProducts / 8 // worth a goroutine: slower ones
	if batch == 1 {
		v.image(dst[:size], src, parallel.Parts(rows, products/perRow+1, parallel.MaxParts))
		return
	}
	parts := parallel.Parts(batch, products/(perRow*rows)+1, parallel.MaxParts)
	parallel.Each(batch, parts, depthwiseImages{v, dst, src}, depthwiseImages.run)
}

// depthwiseImages are images of a batch.
type depthwiseImages struct {
	*vectorDepthwise
	dst, src []int8
}

func (v depthwiseImages) run(lo, hi int) {
	size, input := v.window.Positions()*v.window.Channels, v.window.inputSize()/v.multiplier
	for n := lo; n < hi; n++ {
		v.image(v.dst[n*size:][:size], v.src[n*input:], 1)
	}
}

// image computes one image, with its rows in parts.
func (v *vectorDepthwise) image(dst, image []int8, parts int) {
	buffer := v.buffers.Get().(*[]byte)
	if v.multiplier > 1 {
		w := workers.Get().(*worker)
		w.codes = grown(w.codes, v.window.inputSize())
		repeat(w.codes, image[:len(w.codes)/v.multiplier], v.multiplier)
		loadColumns(v, *buffer, w.codes, v.zero)
		w.free()
	} else {
		loadColumns(v, *buffer, image, v.zero)
	}
	if parts == 1 {
		v.compute(dst, *buffer, 0, v.window.Output[0])
	} else {
		parallel.For(parts, func(part int) {
			lo, hi := parallel.Range(v.window.Output[0], parts, part)
			v.compute(dst, *buffer, lo, hi)
		})
	}
	v.buffers.Put(buffer)
}

// loadColumns writes the groups of an image's rows, of which some are outside.
func loadColumns[T int8 | int16](v *vectorDepthwise, buffer []byte, image, outside []T) {
	w := &v.window
	codes := len(outside)
	for i := range v.groups {
		first := 2*i - w.Pad[0]
		if first >= w.Input[0] || first+v.level.group <= 0 {
			continue // outside, as ever
		}
		var rows [4][]T
		for j := range rows {
			if y := first + j; y >= 0 && y < w.Input[0] {
				rows[j] = image[y*codes:][:codes]
			} else {
				rows[j] = outside
			}
		}
		groups(v.level, buffer[i*v.row+w.Pad[1]*4*w.Channels:], rows)
	}
}

// compute computes some output rows.
func (v *vectorDepthwise) compute(dst []int8, buffer []byte, lo, hi int) {
	w := workers.Get().(*worker)
	pixels := (hi - lo) * v.width
	dst = dst[lo*v.width*v.channels:][:pixels*v.channels]
	for i := range v.blocks {
		b := &v.blocks[i]
		a := v.arguments(w, buffer, b, lo, hi)
		switch {
		case v.mode == modeSums:
			v.sum(w, buffer, b, lo, hi)
			for p := range pixels {
				for l := range b.count {
					dst[p*v.channels+b.first+l] = v.rescale.code(w.sums[p*v.level.lanes+l], (b.first+l)%v.window.Channels)
				}
			}
		case b.count < v.level.lanes && !v.level.masks:
			w.codes = grown(w.codes, pixels*v.level.lanes)
			v.call(a, b, unsafe.Pointer(&w.codes[0]), v.level.lanes)
			for p := range pixels {
				copy(dst[p*v.channels+b.first:][:b.count], w.codes[p*v.level.lanes:])
			}
		default:
			v.call(a, b, unsafe.Pointer(&dst[b.first]), v.channels)
		}
	}
	w.free()
}

// arguments returns those for some output rows of a block.
func (v *vectorDepthwise) arguments(w *worker, buffer []byte, b *depthwiseBlock, lo, hi int) *depthwiseArgs {
	a := &w.depthwise
	a.rows, a.last = &v.rows[2*lo], uintptr(unsafe.Pointer(&v.rows[0]))+uintptr(8*hi)
	a.taps, a.end = &v.taps[0], uintptr(unsafe.Pointer(&v.taps[0]))+uintptr(4*len(v.taps))
	a.step = v.channels * 4 * v.window.Stride[1]
	a.pixels, a.mode = v.width, v.mode
	a.plane, a.weights, a.constants, a.limits = &buffer[4*b.first], &b.weights[0], &b.constants[0], &b.constants[fields*v.level.lanes]
	a.mask = 1<<b.count - 1
	return a
}

// sum leaves the accumulators of some output rows of a block in w.sums, a vector
// for each pixel.
func (v *vectorDepthwise) sum(w *worker, buffer []byte, b *depthwiseBlock, lo, hi int) {
	w.sums = grown(w.sums, (hi-lo)*v.width*v.level.lanes)
	v.call(v.arguments(w, buffer, b, lo, hi), b, unsafe.Pointer(&w.sums[0]), 4*v.level.lanes)
}

// rowsAtOnce is how many output rows have few enough sums for the L1 cache.
func (v *vectorDepthwise) rowsAtOnce() int {
	const enough = 1 << 12
	return enough/(v.width*v.level.lanes) + 1
}

func (v *vectorDepthwise) call(a *depthwiseArgs, b *depthwiseBlock, out unsafe.Pointer, stride int) {
	a.out, a.stride = out, stride
	if v.window.Kernel == [2]int{3, 3} && (b.count == v.level.lanes || !v.level.masks) {
		v.level.depthwise3((*byte)(unsafe.Pointer(a)))
		return
	}
	v.level.depthwise((*byte)(unsafe.Pointer(a)))
}
