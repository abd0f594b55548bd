package window

// Resize says which pixel of an NHWC image each pixel of another one copies: row Rows[i] and column Cols[j] for the
// pixel in row i and column j.
type Resize struct {
	Input      [2]int // height and width of the image that is copied from
	Channels   int
	Rows, Cols []int
}

// InputLen is the number of elements of the image that is copied from.
func (r *Resize) InputLen() int { return r.Input[0] * r.Input[1] * r.Channels }

// OutputLen is the number of elements of the image that is made.
func (r *Resize) OutputLen() int { return len(r.Rows) * len(r.Cols) * r.Channels }

// Offset is where the channels of a pixel of the first image begin.
func (r *Resize) Offset(row, col int) int { return (row*r.Input[1] + col) * r.Channels }

// Copy makes one image dst of the image src.
func Copy[T any](r Resize, dst, src []T) {
	for _, row := range r.Rows {
		for _, col := range r.Cols {
			copy(dst[:r.Channels], src[r.Offset(row, col):])
			dst = dst[r.Channels:]
		}
	}
}
