package interp

import (
	"math"

	"github.com/goqat/goqat/graph"
)

// scratch returns how many bytes the kernels of a node may need at most beside its
// tensors: a small file can name a dilation or a stride that makes them huge. pad is
// part of the node or nil, y the shape of its output.
func scratch(n, pad *graph.Node, y []int) int {
	const (
		element = 4   // bytes, of planes
		sum     = 8   // of accumulators
		phase   = 512 // of what a kernel keeps for each
		block   = 32  // pixels or rows whose sums are computed together
		value   = 12  // of what such a row is computed from: plain Go keeps codes and their float64
		ragged  = 64  // channels that vectors may have too many
	)
	var need int
	switch op := n.Op.(type) {
	case graph.FullyConnected:
		inputs, outputs := n.Input(graph.InputWeights).Shape[1], y[len(y)-1]
		need = min(block, graph.Elements(y)/outputs) * (value*inputs + sum*(outputs+2*ragged))
	case graph.Softmax:
		need = element * y[len(y)-1]
	case graph.Mean:
		need = element * y[len(y)-1]
	case graph.Conv2D:
		x, w := n.Input(graph.InputX).Shape, n.Input(graph.InputWeights).Shape
		need = plane(x, w, y, [2]int{op.StrideH, op.StrideW}, [2]int{op.DilationH, op.DilationW}, element*x[3])
		need = max(need, times(element*block, w[1]*w[2]*w[3])) // plain Go gathers windows
	case graph.DepthwiseConv2D:
		x, w := n.Input(graph.InputX).Shape, n.Input(graph.InputWeights).Shape
		need = plane(x, w, y, [2]int{op.StrideH, op.StrideW}, [2]int{op.DilationH, op.DilationW}, element*y[3])
	case graph.MaxPool2D:
		need = taps(op.Pool, n.Input(graph.InputX).Shape)
	case graph.AveragePool2D:
		need = taps(op.Pool, n.Input(graph.InputX).Shape)
	case graph.TransposeConv:
		need = times(times(sum, y[1]*y[2]), y[3])
		need = max(need, times(times(phase, min(op.StrideH, y[1])), min(op.StrideW, y[2])))
	case graph.ResizeNearestNeighbor:
		need = times(sum, op.Height+op.Width)
	}
	switch n.Op.(type) {
	case graph.Conv2D, graph.DepthwiseConv2D, graph.TransposeConv:
		need = max(need, need+sum*block*(y[3]+ragged)) // unless that overflows
	}
	if need > math.MaxInt32 {
		return math.MaxInt // too much whatever the limit: the offsets of kernels have 32 bits
	}
	return need
}

// plane returns the size of an image with all that a window covers outside it.
func plane(x, w, y []int, stride, dilation [2]int, pixel int) int {
	for axis := range 2 {
		covered := (y[1+axis]-1)*stride[axis] + (w[1+axis]-1)*dilation[axis] + 1
		pixel = times(pixel, max(covered, x[1+axis])+2)
	}
	return pixel
}

// taps returns the size of the offsets that a pool keeps, for each number of
// columns that are in the image.
func taps(p graph.Pool, x []int) int {
	const offset = 4
	rows, columns := min(p.FilterH, x[1]), min(p.FilterW, x[2])
	return times(times(times(offset, rows), columns), columns/2+1)
}

// times multiplies without overflow.
func times(a, b int) int {
	if a > math.MaxInt/max(b, 1) {
		return math.MaxInt
	}
	return a * b
}
