package q8

import (
	"sync"
	"unsafe"
)

// A product multiplies codes with weights by the routines of a level:
//
//	acc[p,o] = start[o] + sum over segments s, k < depth of plane[pixel(p) + segment(s)][k] * w[o,s,k]
//
// A convolution has a segment for each row of its kernel, in which the codes under
// it lie side by side; a fully-connected operator has one in all.
type product struct {
	level    *dispatch
	outputs  int
	depth    int
	segments []int32 // offsets in bytes
	groups   int     // of a segment
	mode     int
	rescale  *rescaler // for sums
	blocks   []block
	wide     int       // how many blocks, the first ones, are of a panel that has a routine for rows
	width    int       // outputs that blocks compute, those that do not exist included
	factors  []float64 // for sums, width of them; nil where the multipliers are not real
	real     []byte    // constants for factors
}

// A block is the weights and constants of some output channels.
type block struct {
	panel        *panel
	first, count int // channels
	weights      []byte
	constants    []int32
	mask         uint64
}

// tileArgs is the argument of tile routines, which know its layout.
type tileArgs struct {
	plane     *byte
	pixels    *int32 // offset in the plane, of every pixel
	count     int    // of tiles
	segments  *int32
	end       uintptr // behind the last segment
	groups    int
	weights   *byte
	constants *int32
	out       unsafe.Pointer
	stride    int // of out, in bytes
	mask      uint64
	mode      int
	lineIn    int // between lines of Winograd's convolution, in bytes
	lineOut   int
}

// newProduct packs weights [outputs, len(segments), depth] for inputs with a zero
// point. r may have multipliers, which routines apply themselves wherever no
// channel has accumulators or a factor beyond them, or factors; without r there
// are sums only.
func newProduct(level *dispatch, weights []int8, outputs int, segments []int32, depth int, bias []int32, zero int32, r *rescaler) *product {
	p := &product{
		level: level, outputs: outputs, depth: depth, segments: segments, rescale: r,
		groups: (depth + level.group - 1) / level.group,
	}
	starts, lanes := make([]int32, outputs), make([]lane, outputs)
	inside := r != nil
	for o := range outputs {
		sum, magnitude := weightSums(weights[o*len(segments)*depth:][:len(segments)*depth])
		folded := bias[o] - zero*sum
		starts[o] = folded - level.raise*sum
		if inside {
			lanes[o], inside = r.newLane(o, folded, 128*magnitude)
			lanes[o][fieldStart] -= level.raise * sum
		}
	}
	if p.mode = modeSums; inside {
		p.mode = r.mode(true)
	}
	// Blocks lie one behind the other, for the sake of these routines.
	sizeWeights, sizeConstants := 0, 0
	for first := 0; first < outputs; {
		panel := level.panel(outputs - first)
		n := panel.width()
		b := block{panel: panel, first: first, count: min(outputs-first, n)}
		b.mask = 1<<b.count - 1 // of 64: all
		if panel.row != nil && b.count == n {
			p.wide++
		}
		p.blocks = append(p.blocks, b)
		first += n
		p.width += n
		sizeWeights += p.panelBytes(panel)
		sizeConstants += panel.constants()
	}
	allWeights, allConstants := aligned[byte](sizeWeights), aligned[int32](sizeConstants)
	for i := range p.blocks {
		b := &p.blocks[i]
		n, c := p.panelBytes(b.panel), b.panel.constants()
		b.weights, allWeights = allWeights[:n:n], allWeights[n:]
		b.constants, allConstants = allConstants[:c:c], allConstants[c:]
		p.fill(b, weights, starts, lanes)
	}
	p.width = (p.width + level.lanes - 1) / level.lanes * level.lanes // for real
	if r != nil && r.factors != nil && !inside {
		p.factors, p.real = aligned[float64](p.width), r.realLines()
		copy(p.factors, r.factors)
	}
	return p
}

// weightSums returns the sum of weights and that of their magnitudes, eight at a time.
func weightSums(weights []int8) (sum int32, magnitude int64) {
	const (
		ones = 0x0101010101010101
		even = 0x00ff00ff00ff00ff // bytes
		most = 8 * 255            // weights, whose four sums of two magnitudes of each eight have 16 bits
	)
	ofFour := func(sums uint64) int64 {
		return int64(sums&0xffff + sums>>16&0xffff + sums>>32&0xffff + sums>>48)
	}
	negative := int64(0)
	for len(weights) >= 8 {
		n := min(len(weights), most) &^ 7
		var all, below uint64 // weights, those below zero
		for k := 0; k < n; k += 8 {
			x := *(*uint64)(unsafe.Pointer(&weights[k : k+8][0]))
			signs := x >> 7 & ones
			sizes := (x ^ signs*255) + signs
			all += sizes&even + sizes>>8&even
			sizes &= signs * 255
			below += sizes&even + sizes>>8&even
		}
		magnitude, negative, weights = magnitude+ofFour(all), negative+ofFour(below), weights[n:]
	}
	sum = int32(magnitude - 2*negative)
	for _, w := range weights {
		sum += int32(w)
		magnitude += int64(max(int32(w), -int32(w)))
	}
	return sum, magnitude
}

// panel returns the panel for some outputs; see narrowest.
func (d *dispatch) panel(outputs int) *panel { return narrowest(d.panels, outputs) }

// narrowest returns the narrowest of some panels that covers all outputs and of
// which no vector is empty, or else the widest.
func narrowest(panels []panel, outputs int) *panel {
	widest := &panels[0]
	for i := range panels {
		p := &panels[i]
		if n := p.width(); n >= outputs && n-outputs < p.lanes {
			return p
		} else if n < outputs {
			widest = p
		}
	}
	return widest
}

// constants is the number of words of a panel's constants.
func (p *panel) constants() int { return p.vectors*fields*p.lanes + limitWords }

// panelBytes is the size of a panel's weights.
func (p *product) panelBytes(panel *panel) int { return len(p.segments) * p.groups * panel.width() * 4 }

// fill packs the weights and constants of a block.
func (p *product) fill(b *block, weights []int8, starts []int32, lanes []lane) {
	level, panel := p.level, b.panel
	n := panel.width()
	for v := range panel.vectors {
		constants := b.constants[v*fields*panel.lanes:]
		for l := range panel.lanes {
			o := b.first + p.channel(panel, v, l)
			if o >= p.outputs {
				continue
			}
			if p.mode == modeSums {
				constants[l] = starts[o]
			} else {
				lanes[o].put(constants, panel.lanes, l)
			}
			for s := range p.segments {
				row := weights[(o*len(p.segments)+s)*p.depth:][:p.depth]
				at := ((s*p.groups*panel.vectors+v)*panel.lanes + l) * level.group
				for k := 0; k < len(row); k += level.group {
					level.putGroup(b.weights, at, row[k:min(k+level.group, len(row))])
					at += n * level.group
				}
			}
		}
	}
	if p.mode != modeSums {
		putLimits(b.constants[panel.vectors*fields*panel.lanes:], p.rescale.clamp)
	}
}

// putGroup writes weights of a group, the first of them the i-th.
func (d *dispatch) putGroup(elements []byte, i int, weights []int8) {
	if d.group == 4 && len(weights) == 4 {
		*(*[4]int8)(unsafe.Pointer(&elements[i:][:4][0])) = [4]int8(weights)
		return
	}
	for j, w := range weights {
		d.putWeight(elements, i+j, w)
	}
}

// putWeight writes the i-th weight in the level's elements.
func (d *dispatch) putWeight(elements []byte, i int, w int8) {
	if d.group == 4 {
		elements[i] = byte(w)
		return
	}
	elements[2*i], elements[2*i+1] = byte(w), byte(w>>7)
}

// channel returns which of a panel's channels is lane l of vector v: the
// instructions that narrow sums to bytes work on quarters of vectors, and leave
// channels that are dealt out like this in their order.
func (p *product) channel(panel *panel, v, l int) int {
	if p.mode == modeSums {
		return v*panel.lanes + l
	}
	n := min(panel.vectors, 4) // narrowed together
	return v/n*n*panel.lanes + l/4*4*n + v%n*4 + l%4
}

// A worker is the memory of one goroutine that runs routines.
type worker struct {
	tile      tileArgs
	depthwise depthwiseArgs
	hybrid    hybridArgs
	wordsArgs wordsArgs
	lines     [lines * lineBytes]byte
	plane     []byte
	sums      []int32
	codes     []int8
	words     []int16
	reals     []float32
	numbers   []float64
}

var workers = sync.Pool{New: func() any { return new(worker) }}

// free hands the worker back. It keeps nothing of others.
func (w *worker) free() {
	w.tile, w.depthwise = tileArgs{}, depthwiseArgs{}
	workers.Put(w)
}

// grown returns s with at least n elements; what they are is unknown.
func grown[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// rowsAtOnce is how many rows of sums wait to be rescaled: they stay in the L1
// cache.
const rowsAtOnce = 24

// run computes dst [len(pixels), outputs].
func (p *product) run(dst []int8, plane []byte, pixels []int32) {
	w := workers.Get().(*worker)
	p.compute(w, dst, plane, pixels)
	w.free()
}

// compute is run by a worker.
func (p *product) compute(w *worker, dst []int8, plane []byte, pixels []int32) {
	if p.mode == modeSums {
		for lo := 0; lo < len(pixels); lo += rowsAtOnce {
			n := min(rowsAtOnce, len(pixels)-lo)
			p.sum(w, plane, pixels[lo:lo+n])
			for r := range n {
				p.rescaled(w, dst[(lo+r)*p.outputs:][:p.outputs], w.sums[r*p.width:])
			}
		}
		return
	}
	a := p.arguments(w, plane)
	for i := p.row(a, pixels, unsafe.Pointer(&dst[0]), 1); i < len(p.blocks); i++ {
		b := &p.blocks[i]
		if n := b.panel.width(); b.count < n && !b.panel.masks {
			p.ragged(w, b, n, dst, pixels)
			continue
		}
		b.run(a, pixels, unsafe.Pointer(&dst[b.first]), p.outputs)
	}
}

// arguments returns what blocks have in common.
func (p *product) arguments(w *worker, plane []byte) *tileArgs {
	a := &w.tile
	a.plane, a.segments, a.end = &plane[0], &p.segments[0], uintptr(unsafe.Pointer(&p.segments[0]))+uintptr(4*len(p.segments))
	a.groups, a.mode = p.groups, p.mode
	return a
}

// sum leaves the accumulators of pixels in w.sums [len(pixels), width].
func (p *product) sum(w *worker, plane []byte, pixels []int32) {
	w.sums = grown(w.sums, len(pixels)*p.width)
	p.sumTo(w, w.sums, plane, pixels)
}

// sumTo writes the accumulators of pixels to sums [len(pixels), width].
func (p *product) sumTo(w *worker, sums []int32, plane []byte, pixels []int32) {
	_ = sums[len(pixels)*p.width-1]
	a := p.arguments(w, plane)
	for i := p.row(a, pixels, unsafe.Pointer(&sums[0]), 4); i < len(p.blocks); i++ {
		b := &p.blocks[i]
		b.run(a, pixels, unsafe.Pointer(&sums[b.first]), 4*p.width)
	}
}

// row computes the blocks that have a routine for one row, if there is one row,
// to out, whose elements have the given size. It returns the number of blocks.
func (p *product) row(a *tileArgs, pixels []int32, out unsafe.Pointer, size int) int {
	if len(pixels) > 1 || p.wide == 0 {
		return 0
	}
	b := &p.blocks[0]
	a.pixels, a.count, a.out = &pixels[0], p.wide, out
	a.weights, a.constants, a.mask, a.stride = &b.weights[0], &b.constants[0], b.mask, b.panel.width()*size
	b.panel.row((*byte)(unsafe.Pointer(a)))
	return p.wide
}

// rescaled writes the codes of one row of sums.
func (p *product) rescaled(w *worker, dst []int8, sums []int32) {
	if p.factors == nil {
		p.rescale.codes(dst, sums)
		return
	}
	w.codes = grown(w.codes, p.width)
	p.level.real(pointer(w.codes), &sums[0], &p.factors[0], p.width, &p.real[0])
	copy(dst, w.codes)
}

// pointer returns where codes are.
func pointer[T Code](codes []T) *byte { return (*byte)(unsafe.Pointer(&codes[0])) }

// ragged runs a block of which some channels do not exist, where routines cannot
// store less than n codes.
func (p *product) ragged(w *worker, b *block, n int, dst []int8, pixels []int32) {
	w.codes = grown(w.codes, rowsAtOnce*n)
	for lo := 0; lo < len(pixels); lo += rowsAtOnce {
		rows := pixels[lo:min(lo+rowsAtOnce, len(pixels))]
		b.run(&w.tile, rows, unsafe.Pointer(&w.codes[0]), n)
		for r := range rows {
			copy(dst[(lo+r)*p.outputs+b.first:][:b.count], w.codes[r*n:])
		}
	}
}

// callBytes bounds the bytes of weights that one call of a routine multiplies with,
// to some tens of microseconds: a goroutine in a routine cannot be stopped.
const callBytes = 1 << 22

// run computes all pixels for the block's channels, in tiles of as many pixels as
// there are routines for.
func (b *block) run(a *tileArgs, pixels []int32, out unsafe.Pointer, stride int) {
	a.weights, a.constants, a.mask, a.stride = &b.weights[0], &b.constants[0], b.mask, stride
	if len(pixels) == 1 {
		a.pixels, a.count, a.out = &pixels[0], 1, out
		b.panel.tiles[len(b.panel.tiles)-1].run((*byte)(unsafe.Pointer(a)))
		return
	}
	for done := 0; done < len(pixels); {
		rest := len(pixels) - done
		t := b.panel.tile(rest, len(pixels))
		count := max(1, min(rest/t.height, callBytes/(t.height*len(b.weights))))
		if t.height > rest { // computes some pixels again
			done = len(pixels) - t.height
		}
		a.pixels, a.count, a.out = &pixels[done], count, unsafe.Add(out, done*stride)
		t.run((*byte)(unsafe.Pointer(a)))
		done += count * t.height
	}
}

// tile returns the tile for the rest of some pixels: the smallest that covers it,
// or the tallest, unless it is taller than all pixels; then the tallest that the
// rest fills.
func (p *panel) tile(rest, all int) *tile {
	t := &p.tiles[0]
	for i := range p.tiles {
		if p.tiles[i].height >= rest {
			t = &p.tiles[i]
		}
	}
	if t.height <= all {
		return t
	}
	for i := range p.tiles {
		if p.tiles[i].height <= rest {
			return &p.tiles[i]
		}
	}
	return nil // there is one of height 1
}
