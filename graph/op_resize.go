package graph

import (
	"fmt"
	"math"
)

// ResizeNearestNeighbor gives NHWC images another size by copying, for every
// pixel, the nearest one:
//
//	y[n,i,j,c] = x[n, rows[i], cols[j], c]
//
// with rows and cols by [ResizeNearestNeighbor.Sources].
//
// Shapes: x [N, H, W, C]; y [N, Height, Width, C].
//
// Quantized: input and output share scale and zero point; codes are copied.
type ResizeNearestNeighbor struct {
	Height int `json:"height"`
	Width  int `json:"width"`
	// AlignCorners puts the corner pixels of both images upon each other.
	AlignCorners bool `json:"align_corners"`
	// HalfPixelCenters takes pixels for squares around their centers.
	HalfPixelCenters bool `json:"half_pixel_centers"`
}

func (ResizeNearestNeighbor) Name() string { return "RESIZE_NEAREST_NEIGHBOR" }
func (ResizeNearestNeighbor) Class() Class { return SameScale }

// Infer implements [Op].
func (o ResizeNearestNeighbor) Infer(in [][]int) ([]int, error) {
	if err := arity(in, 1, 1); err != nil {
		return nil, err
	}
	x := in[0]
	if len(x) != 4 {
		return nil, &ShapeError{Got: x, Want: "[N, H, W, C]"}
	}
	if min(o.Height, o.Width) < 1 {
		return nil, fmt.Errorf("new size %dx%d must be positive", o.Height, o.Width)
	}
	return []int{x[0], o.Height, o.Width, x[3]}, nil
}

// Sources returns, for an input of the given height and width, the row and
// column that each row and column of the output copies. In float32, step by
// step, as the runtimes compute it:
//
//	scale  = in/out, or (in-1)/(out-1) with AlignCorners where out > 1
//	source = floor((i+offset)*scale), rounded half away from zero instead with AlignCorners
//
// but at least 0 and at most in-1. The offset is 1/2 with HalfPixelCenters,
// otherwise 0.
//
// Source: LiteRT, tflite/kernels/internal/reference/resize_nearest_neighbor.h.
func (o ResizeNearestNeighbor) Sources(height, width int) (rows, cols []int) {
	return o.axis(height, o.Height), o.axis(width, o.Width)
}

func (o ResizeNearestNeighbor) axis(in, out int) []int {
	scale, round, offset := float32(in)/float32(out), math.Floor, float32(0)
	if o.AlignCorners {
		round = math.Round
		if out > 1 {
			scale = float32(in-1) / float32(out-1)
		}
	}
	if o.HalfPixelCenters {
		offset = 0.5
	}
	sources := make([]int, out)
	for i := range sources {
		at := float32((float32(i) + offset) * scale)
		sources[i] = min(max(int(round(float64(at))), 0), in-1)
	}
	return sources
}
