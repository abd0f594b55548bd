package q8

import (
	"sync"
	"unsafe"
)

// winograd is a convolution of 3x3 by Winograd's F(4x4, 3x3): 36 multiplications
// for 16 outputs in place of 144, in integers and exact.
//
// A tile of 6x6 codes and the weights are multiplied with matrices, transformed,
// then with each other, element by element and summed over channels, and the sums
// transformed back (Lavin and Gray, "Fast Algorithms for Convolutional Neural
// Networks", arXiv:1509.09308). The matrix of weights has fractions; here it is
// multiplied by 24, its last row by 12, and the last matrix makes up for that,
// such that everything comes out 576 times too large. All is computed modulo 2^32:
// a multiplication with the inverse of 9 leaves 64 times the accumulator, exactly
// as long as that is below 2^31, and rounding takes it as it is ([newRaisedLane]).
// The bias and the 2^31 that rounding wants are added in the one line that counts
// once in every output.
type winograd struct {
	level    *dispatch // for the products
	in, out  int       // channels
	mode     int
	tilesIn  []int32 // offset in the plane, of every tile
	tilesOut []int32 // in the output
	chunk    int     // tiles at a time: sums and transformed codes stay in the cache
	row      int     // bytes of a row of the plane
	outRow   int     // of the output
	at       []int32 // of the tiles of a chunk, among transformed codes
	blocks   []block // weights [lines, in/2, panel, 2] and starts [lines, panel]
	starts   []int32 // of the line that counts once in every output
	// For the transform of the output.
	constants []int32
	limits    []int32
	factor    []byte
	buffers   sync.Pool // of *winogradBuffer
}

const (
	winogradTile  = 6
	winogradLines = winogradTile * winogradTile
	winogradStep  = 4                // pixels of output in a tile, each way
	winogradOnce  = winogradTile + 1 // the line that counts once in every output
)

// winogradBuffer is the memory of one convolution.
type winogradBuffer struct {
	codes []byte  // transformed: [lines, chunk, in] int16
	sums  []int32 // [lines, chunk, out]
	args  winogradArgs
	tile  tileArgs
}

// winogradArgs is the argument of routines, which know its layout.
type winogradArgs struct {
	sums      *int32
	line      int
	tile      int
	constants *int32
	limits    *int32
	out       unsafe.Pointer
	tiles     *int32
	count     int
	pixel     int
	row       int
	vectors   int
	mode      int
	factor    *byte
}

// newWinograd returns the operator for a convolution, or nil if it is not of the
// kind, or not faster. p is the plane that level needs: [dispatch.words].
func newWinograd(level *dispatch, p *plane, c *Conv2D) *winograd {
	w := &c.window
	const channels = 16 // of the transform of the input
	if w.Kernel != [2]int{3, 3} || w.Stride != [2]int{1, 1} || w.Dilation != [2]int{1, 1} ||
		w.Output[0]%winogradStep != 0 || w.Output[1]%winogradStep != 0 ||
		w.Channels%channels != 0 || c.outputs%channels != 0 || w.Channels*c.outputs > 1<<12 {
		return nil
	}
	v := &winograd{
		level: level, in: w.Channels, out: c.outputs, row: p.row, outRow: w.Output[1] * c.outputs,
		limits: aligned[int32](limitWords), factor: aligned[byte](2 * lineBytes),
	}
	inverse := uint32(0x38e38e39) // of 9, modulo 2^32
	setLine(v.factor, 0, int32(inverse))
	setLine(v.factor, 1, int32(1)<<raisedBits)
	putLimits(v.limits, c.rescale.clamp)
	if !v.setConstants(c) {
		return nil
	}
	for y := 0; y < w.Output[0]; y += winogradStep {
		for x := 0; x < w.Output[1]; x += winogradStep {
			v.tilesIn = append(v.tilesIn, int32(y*p.row+x*2*v.in))
			v.tilesOut = append(v.tilesOut, int32(y*v.outRow+x*v.out))
		}
	}
	tallest := narrowest(level.lines, v.out).tiles[0].height
	v.chunk = min(tallest*max(1, 256/v.in/tallest), len(v.tilesIn))
	for t := range v.chunk {
		v.at = append(v.at, int32(t*v.in*2))
	}
	v.pack(c.weights)
	v.buffers.New = func() any {
		return &winogradBuffer{
			codes: aligned[byte](winogradLines*v.chunk*v.in*2 + slack),
			sums:  aligned[int32](winogradLines * v.chunk * v.out),
		}
	}
	return v
}

// setConstants makes those of the output, and reports whether all channels are
// inside their range.
func (v *winograd) setConstants(c *Conv2D) bool {
	lanes, depth := v.level.lanes, c.window.depth()
	v.constants = aligned[int32](v.out / lanes * fields * lanes)
	v.starts = make([]int32, v.out)
	for o := range v.out {
		sum, magnitude := weightSums(c.weights[o*depth:][:depth])
		folded := c.bias[o] - c.inputZero*sum
		l, inside := c.rescale.newRaisedLane(o, folded, 128*magnitude)
		if !inside {
			return false
		}
		l.put(v.constants[o/lanes*fields*lanes:], lanes, o%lanes)
		v.starts[o] = int32(576*uint32(folded) + 1<<31)
	}
	v.mode = c.rescale.mode(true)
	return true
}

// weightTransform multiplies g with 24 times the matrix of weights, the last row
// with 12 times:
//
//	 6  0  0
//	-4 -4 -4
//	-4  4 -4
//	 1  2  4
//	 1 -2  4
//	 0  0 12
func weightTransform(g0, g1, g2 int32) [winogradTile]int32 {
	a, b := g0+g2, g0+4*g2
	return [winogradTile]int32{6 * g0, -4 * (a + g1), 4 * (g1 - a), b + 2*g1, b - 2*g1, 12 * g2}
}

// pack transforms the weights [out, 3, 3, in] and packs them in blocks.
func (v *winograd) pack(weights []int8) {
	level, lanes := v.level, v.level.lanes
	var transformed [winogradLines][16]int32
	for first := 0; first < v.out; {
		panel := narrowest(level.lines, v.out-first)
		n := panel.width()
		line := v.in * n * 2
		b := block{panel: panel, first: first, count: n, weights: aligned[byte](winogradLines * line), constants: aligned[int32](winogradLines * n)}
		copy(b.constants[winogradOnce*n:], v.starts[first:first+n])
		for place := range v.in / 2 * n / lanes {
			k, vector := 2*(place*lanes/n), place*lanes%n
			for c := range lanes {
				kernel := weights[(first+vector+c)*9*v.in:]
				// All is linear: the sum of one weight and 2^16 times its neighbor becomes that
				// of their transforms, modulo 2^32.
				at := func(tap int) int32 { return int32(kernel[tap*v.in+k]) + int32(kernel[tap*v.in+k+1])<<16 }
				var columns [3][winogradTile]int32
				for x := range columns {
					columns[x] = weightTransform(at(x), at(3+x), at(6+x))
				}
				for i := range winogradTile {
					for j, u := range weightTransform(columns[0][i], columns[1][i], columns[2][i]) {
						transformed[i*winogradTile+j][c] = u + u&0x8000<<1 // what a negative lower half takes from the upper one
					}
				}
			}
			for j := range transformed { // whole vectors: lines are often so far apart that caches hold few
				copy(unsafe.Slice((*int32)(unsafe.Pointer(&b.weights[j*line+4*place*lanes])), lanes), transformed[j][:])
			}
		}
		v.blocks = append(v.blocks, b)
		first += n
	}
}

// run computes an image from its plane.
func (v *winograd) run(dst []int8, plane []byte) {
	b := v.buffers.Get().(*winogradBuffer)
	t, a := &b.tile, &b.args
	t.groups, t.lineIn, t.lineOut, t.stride = v.in/2, v.chunk*v.in*2, 4*v.chunk*v.out, 4*v.out
	*a = winogradArgs{
		sums: &b.sums[0], line: t.lineOut, tile: t.stride, constants: &v.constants[0], limits: &v.limits[0],
		pixel: v.out, row: v.outRow, vectors: v.out / v.level.lanes, mode: v.mode, factor: &v.factor[0],
	}
	for lo := 0; lo < len(v.tilesIn); lo += v.chunk {
		n := min(v.chunk, len(v.tilesIn)-lo)
		v.level.winogradIn(&b.codes[0], t.lineIn, &plane[0], v.row, 2*v.in, &v.tilesIn[lo], n, v.in/16)
		for i := range v.blocks {
			v.multiply(b, &v.blocks[i], n)
		}
		a.out, a.tiles, a.count = unsafe.Pointer(&dst[0]), &v.tilesOut[lo], n
		v.level.winogradOut((*byte)(unsafe.Pointer(a)))
	}
	*a, *t = winogradArgs{}, tileArgs{}
	v.buffers.Put(b)
}

// multiply computes the sums of n tiles for the channels of a block.
func (v *winograd) multiply(b *winogradBuffer, k *block, n int) {
	t := &b.tile
	for done := 0; done < n; {
		tile := k.panel.tile(n-done, n)
		at := min(done, n-tile.height) // computes some again
		t.plane, t.pixels, t.count, t.weights, t.constants = &b.codes[0], &v.at[at], winogradLines, &k.weights[0], &k.constants[0]
		t.out = unsafe.Pointer(&b.sums[at*v.out+k.first])
		tile.run((*byte)(unsafe.Pointer(t)))
		done += tile.height
	}
}
