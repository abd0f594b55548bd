package q8

import (
	"sync"
	"unsafe"
)

// A plane is an image within a border of zero points, made ready for routines:
// taps that the window has outside the image are there too.
type plane struct {
	level   *dispatch
	size    int       // bytes, with what routines read beyond the end
	row     int       // bytes
	first   int       // byte at which the image starts
	rows    int       // of the image
	codes   int       // of a row of the image
	buffers sync.Pool // of *[]byte, borders filled
}

// slack is how many bytes routines may read beyond what they use.
const slack = 64

// newPlane returns the plane for a window.
func newPlane(level *dispatch, w *Window, zero int32) *plane {
	var size [2]int
	for axis := range 2 {
		covered := (w.Output[axis]-1)*w.Stride[axis] + (w.Kernel[axis]-1)*w.Dilation[axis] + 1
		size[axis] = max(covered, w.Pad[axis]+w.Input[axis])
	}
	pixel := w.Channels * level.element()
	p := &plane{level: level, row: size[1] * pixel, rows: w.Input[0], codes: w.Input[1] * w.Channels}
	p.first = w.Pad[0]*p.row + w.Pad[1]*pixel
	if p.row == p.codes*level.element() { // rows adjoin: one long row
		p.codes, p.rows = p.codes*p.rows, 1
	}
	p.size = size[0]*p.row + slack
	p.buffers.New = func() any {
		b := aligned[byte](p.size)
		level.fill(b, int8(zero))
		return &b
	}
	return p
}

// fill sets all elements to a code.
func (d *dispatch) fill(elements []byte, code int8) {
	d.putCode(elements, 0, int16(code))
	for n := d.element(); n < len(elements); n *= 2 {
		copy(elements[n:], elements[:n])
	}
}

// putCode writes the i-th element.
func (d *dispatch) putCode(elements []byte, i int, code int16) {
	if d.group == 4 {
		elements[i] = byte(code) + byte(d.raise)
		return
	}
	elements[2*i], elements[2*i+1] = byte(code), byte(code>>8)
}

// elements writes codes as elements to dst.
func (d *dispatch) elements(dst []byte, codes []int8) {
	n := len(codes)
	if n < d.step {
		for i, code := range codes {
			d.putCode(dst, i, int16(code))
		}
		return
	}
	at := func(i int) (*byte, *byte) { return &dst[i*d.element()], (*byte)(unsafe.Pointer(&codes[i])) }
	to, from := at(0)
	d.widen(to, from, n/d.step*d.step)
	if n%d.step > 0 { // some once more
		to, from := at(n - d.step)
		d.widen(to, from, d.step)
	}
}

// groups writes what rows of codes, of equal length, have at the same place side
// by side to dst. There are as many rows as a group has codes.
func groups[T int8 | int16](d *dispatch, dst []byte, rows [4][]T) {
	n := len(rows[0])
	if n < d.step {
		for i := range n {
			for j := range d.group {
				d.putCode(dst, i*d.group+j, int16(rows[j][i]))
			}
		}
		return
	}
	run := func(i, n int) {
		at := func(j int) *byte { return (*byte)(unsafe.Pointer(&rows[j][i])) }
		d.interleave(&dst[4*i], at(0), at(1), at(2), at(3), n)
	}
	run(0, n/d.step*d.step)
	if n%d.step > 0 { // some once more
		run(n-d.step, d.step)
	}
}

// load copies an image into a buffer.
func (p *plane) load(buffer []byte, image []int8) {
	for y := range p.rows {
		p.level.elements(buffer[p.first+y*p.row:], image[y*p.codes:][:p.codes])
	}
}

// pixels returns the offset in the plane of the first tap at every position.
func (p *plane) pixels(w *Window) []int32 {
	offsets := make([]int32, w.Positions())
	for i := range offsets {
		y, x := i/w.Output[1]*w.Stride[0], i%w.Output[1]*w.Stride[1]
		offsets[i] = int32(y*p.row + x*w.Channels*p.level.element())
	}
	return offsets
}

// segments returns the offsets of the parts of the kernel that lie side by side
// in the plane, and how many codes each has: its rows, or its taps where these
// are apart.
func (p *plane) segments(w *Window) (offsets []int32, depth int) {
	columns, depth := 1, w.Kernel[1]*w.Channels
	if w.Dilation[1] > 1 {
		columns, depth = w.Kernel[1], w.Channels
	}
	for y := range w.Kernel[0] {
		for x := range columns {
			offsets = append(offsets, int32(y*w.Dilation[0]*p.row+x*w.Dilation[1]*w.Channels*p.level.element()))
		}
	}
	return offsets, depth
}
