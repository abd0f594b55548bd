package q8

import "github.com/goqat/goqat/internal/parallel"

// vectorConv is CONV_2D by the routines of a level.
type vectorConv struct {
	window  Window
	plane   *plane
	pixels  []int32
	product *product
}

func newVectorConv(level *dispatch, c *Conv2D) *vectorConv {
	v := &vectorConv{window: c.window, plane: newPlane(level, &c.window, c.inputZero)}
	v.pixels = v.plane.pixels(&v.window)
	segments, depth := v.plane.segments(&v.window)
	v.product = newProduct(level, c.weights, c.outputs, segments, depth, c.bias, c.inputZero, &c.rescale)
	return v
}

// products worth a goroutine: some 50 microseconds.
const vectorProducts = 1 << 23

func (v *vectorConv) run(dst, src []int8, batch int) {
	size := len(v.pixels) * v.product.outputs
	perPixel := v.product.outputs * v.window.depth()
	if batch == 1 {
		v.image(dst[:size], src, parallel.Parts(len(v.pixels), vectorProducts/perPixel+1, parallel.MaxParts))
		return
	}
	parts := parallel.Parts(batch, vectorProducts/(perPixel*len(v.pixels))+1, parallel.MaxParts)
	parallel.For(parts, func(part int) {
		lo, hi := parallel.Range(batch, parts, part)
		for n := lo; n < hi; n++ {
			v.image(dst[n*size:][:size], src[n*v.window.inputSize():], 1)
		}
	})
}

// image computes one image, with its positions in parts.
func (v *vectorConv) image(dst, image []int8, parts int) {
	buffer := v.plane.buffers.Get().(*[]byte)
	v.plane.load(*buffer, image)
	if parts == 1 {
		v.product.run(dst, *buffer, v.pixels)
	} else {
		parallel.For(parts, func(part int) {
			lo, hi := parallel.Range(len(v.pixels), parts, part)
			v.product.run(dst[lo*v.product.outputs:hi*v.product.outputs], *buffer, v.pixels[lo:hi])
		})
	}
	v.plane.buffers.Put(buffer)
}
