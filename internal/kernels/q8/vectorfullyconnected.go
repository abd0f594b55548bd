package q8

import (
	"unsafe"

	"github.com/goqat/goqat/internal/parallel"
)

// vectorFullyConnected is FULLY_CONNECTED by the routines of a level.
type vectorFullyConnected struct {
	inputs  int
	rowAt   []int32 // in the plane, of rowsAtOnce
	product *product
	asItIs  bool // rows of codes are what routines multiply
}

func newVectorFullyConnected(level *dispatch, f *FullyConnected) *vectorFullyConnected {
	level = level.forDense()
	v := &vectorFullyConnected{
		inputs: f.inputs, rowAt: rowOffsets(rowsAtOnce, f.inputs*level.element()),
		asItIs: level.element() == 1 && level.raise == 0 && f.inputs%level.group == 0,
	}
	v.product = newProduct(level, f.weights, f.outputs, []int32{0}, f.inputs, f.bias, f.inputZero, &f.rescale)
	return v
}

// forDense returns the level for fully-connected operators.
func (d *dispatch) forDense() *dispatch {
	if d.dense != nil {
		return d.dense
	}
	return d
}

func (v *vectorFullyConnected) run(dst, src []int8, rows int) {
	if rows == 1 {
		v.rows(dst, src, 1)
		return
	}
	parts := parallel.Parts(rows, vectorProducts/(v.inputs*v.product.outputs)+1, parallel.MaxParts)
	parallel.Each(rows, parts, denseRows{v, dst, src}, denseRows.run)
}

// denseRows are rows of a batch.
type denseRows struct {
	*vectorFullyConnected
	dst, src []int8
}

func (v denseRows) run(lo, hi int) {
	v.rows(v.dst[lo*v.product.outputs:], v.src[lo*v.inputs:], hi-lo)
}

func (v *vectorFullyConnected) rows(dst, src []int8, rows int) {
	w := workers.Get().(*worker)
	if !v.asItIs {
		w.plane = grown(w.plane, min(rows, rowsAtOnce)*v.inputs*v.product.level.element()+slack)
	}
	for lo := 0; lo < rows; lo += rowsAtOnce {
		n := min(rowsAtOnce, rows-lo)
		codes, plane := src[lo*v.inputs:(lo+n)*v.inputs], w.plane
		if v.asItIs {
			plane = unsafe.Slice(pointer(codes), len(codes))
		} else {
			v.product.level.elements(plane, codes)
		}
		v.product.compute(w, dst[lo*v.product.outputs:][:n*v.product.outputs], plane, v.rowAt[:n])
	}
	w.free()
}

// rowOffsets returns where rows of so many bytes begin, side by side.
func rowOffsets(rows, bytes int) []int32 {
	at := make([]int32, rows)
	for i := range at {
		at[i] = int32(i * bytes)
	}
	return at
}
