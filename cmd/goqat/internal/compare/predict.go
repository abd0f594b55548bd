package compare

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/progress"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/train"
)

// Progress says where and under which name a computation shows how far it is.
type Progress struct {
	Writer io.Writer // nil for silence
	Label  string
}

// predictBatch rows run at once; it does not change the result.
const predictBatch = 64

// Predict runs a model on all rows and returns for each the class with the
// largest output, the first of equals.
//
// Errors: a model that does not fit the set, naming both shapes; those of the
// interpreter; ctx's error.
func Predict(ctx context.Context, g *graph.Graph, ds data.Dataset, p Progress) ([]int, error) {
	if err := fits(g, ds); err != nil {
		return nil, err
	}
	ip, err := interp.New(g, interp.Options{Batch: predictBatch})
	if err != nil {
		return nil, err
	}
	bar := progress.New(p.Writer, progress.Options{Label: p.Label})
	bar.Start(1, 0, ds.Len())
	defer bar.Stop()
	width, classes := graph.Elements(ds.InputShape()), graph.Elements(g.Outputs[0].Shape[1:])
	x, y := make([]float32, predictBatch*width), make([]float32, predictBatch)
	var predictions []int
	for index := range data.Batches(rows(ds.Len()), predictBatch) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		x := x[:len(index)*width]
		if err := ds.Read(index, x, y[:len(index)]); err != nil {
			return nil, err
		}
		scores, err := ip.RunFloat(x)
		if err != nil {
			return nil, fmt.Errorf("rows %d to %d: %w", index[0], index[len(index)-1], err)
		}
		for row := range slices.Chunk(scores, classes) {
			predictions = append(predictions, train.Largest(row))
		}
		bar.Step(len(predictions), "")
	}
	bar.EndEpoch(fmt.Sprintf("%d rows", len(predictions)))
	return predictions, nil
}

// fits reports a model that cannot tell the classes of a set.
func fits(g *graph.Graph, ds data.Dataset) error {
	classes := data.Classes(ds)
	if classes == 0 {
		return fmt.Errorf("compare: the targets are not class labels")
	}
	if len(g.Inputs) != 1 || len(g.Outputs) != 1 {
		return fmt.Errorf("compare: the model has %d inputs and %d outputs, want one of each", len(g.Inputs), len(g.Outputs))
	}
	in, out := g.Inputs[0], g.Outputs[0]
	if want := append([]int{1}, ds.InputShape()...); !slices.Equal(in.Shape, want) {
		return fmt.Errorf("compare: input %q of the model has shape %v, but the data need %v", in.Name, in.Shape, want)
	}
	if want := []int{1, classes}; !slices.Equal(out.Shape, want) {
		return fmt.Errorf("compare: output %q of the model has shape %v, but the data need %v, one for each class", out.Name, out.Shape, want)
	}
	return nil
}

// rows returns 0, 1, ..., n-1.
func rows(n int) []int {
	index := make([]int, n)
	for i := range index {
		index[i] = i
	}
	return index
}
