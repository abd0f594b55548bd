package q8

import "github.com/goqat/goqat/internal/parallel"

// vectorConv is CONV_2D by the routines of a level.
type vectorConv struct {
	window  Window
	outputs int
	plane   *plane
	pixels  []int32
	product *product

	winograd *winograd // in place of pixels and product
}

func newVectorConv(level *dispatch, c *Conv2D) *vectorConv {
	v := &vectorConv{window: c.window, outputs: c.outputs}
	if words := level.words; words != nil {
		v.plane = newPlane(words, &v.window, c.inputZero)
		if v.winograd = newWinograd(words, v.plane, c); v.winograd != nil {
			return v
		}
	}
	v.plane = newPlane(level, &v.window, c.inputZero)
	v.pixels = v.plane.pixels(&v.window)
	segments, depth := v.plane.segments(&v.window)
	v.product = newProduct(level, c.weights, c.outputs, segments, depth, c.bias, c.inputZero, &c.rescale)
	return v
}

// products worth a goroutine: some 50 microseconds.
const vectorProducts = 1 << 23

func (v *vectorConv) run(dst, src []int8, batch int) {
	positions := v.window.Positions()
	size, perPixel := positions*v.outputs, v.outputs*v.window.depth()
	if batch == 1 {
		v.image(dst[:size], src, parallel.Parts(positions, vectorProducts/perPixel+1, parallel.MaxParts))
		return
	}
	parts := parallel.Parts(batch, vectorProducts/(perPixel*positions)+1, parallel.MaxParts)
	parallel.Each(batch, parts, convImages{v, dst, src}, convImages.run)
}

// convImages are images of a batch.
type convImages struct {
	*vectorConv
	dst, src []int8
}

func (v convImages) run(lo, hi int) {
	size := v.window.Positions() * v.outputs
	for n := lo; n < hi; n++ {
		v.image(v.dst[n*size:][:size], v.src[n*v.window.inputSize():], 1)
	}
}

// image computes one image, with its positions in parts where these are apart.
func (v *vectorConv) image(dst, image []int8, parts int) {
	buffer := v.plane.buffers.Get().(*[]byte)
	v.plane.load(*buffer, image)
	switch {
	case v.winograd != nil:
		v.winograd.run(dst, *buffer)
	case parts == 1:
		v.product.run(dst, *buffer, v.pixels)
	default:
		parallel.Each(len(v.pixels), parts, convPixels{v, dst, *buffer}, convPixels.run)
	}
	v.plane.buffers.Put(buffer)
}

// convPixels are positions of an image.
type convPixels struct {
	*vectorConv
	dst    []int8
	buffer []byte
}

func (v convPixels) run(lo, hi int) {
	v.product.run(v.dst[lo*v.outputs:hi*v.outputs], v.buffer, v.pixels[lo:hi])
}
