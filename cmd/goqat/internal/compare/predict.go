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

// predictBatch rows run at once, and fewer where their activations do not fit the
// bytes; it does not change the result.
const (
	predictBatch = 256
	predictBytes = 256 << 20
)

// Predict runs a model on all rows and returns for each the class with the
// largest output, the first of equals.
//
// Errors: a model that does not fit the set, naming both shapes; those of the
// interpreter; ctx's error.
func Predict(ctx context.Context, g *graph.Graph, ds data.Dataset, profile interp.Profile, p Progress) ([]int, error) {
	classes := data.Classes(ds)
	if classes == 0 {
		return nil, fmt.Errorf("compare: the targets are not class labels")
	}
	if err := fits(g, ds, classes, "class"); err != nil {
		return nil, err
	}
	var predictions []int
	err := eachRow(ctx, g, ds, profile, p, func(_, y []float32) { predictions = append(predictions, train.Largest(y)) })
	return predictions, err
}

// eachRow runs a model that fits on all rows and shows visit the inputs and
// outputs of each.
func eachRow(ctx context.Context, g *graph.Graph, ds data.Dataset, profile interp.Profile, p Progress, visit func(x, y []float32)) error {
	options := interp.Options{Profile: profile}
	plan, err := interp.PlanMemory(g, options)
	if err != nil {
		return err
	}
	batch := min(predictBatch, plan.RowsWithin(predictBytes))
	options.Batch = batch
	ip, err := interp.New(g, options)
	if err != nil {
		return err
	}
	bar := progress.New(p.Writer, progress.Options{Label: p.Label})
	bar.Start(1, 0, ds.Len())
	defer bar.Stop()
	outputs := g.Outputs[0].Elements()
	width, targets := graph.Elements(ds.InputShape()), graph.Elements(ds.TargetShape())
	x, unused := make([]float32, batch*width), make([]float32, batch*targets)
	var y []float32
	done := 0
	for index := range data.Batches(rows(ds.Len()), batch) {
		if err := ctx.Err(); err != nil {
			return err
		}
		x := x[:len(index)*width]
		if err := ds.Read(index, x, unused[:len(index)*targets]); err != nil {
			return err
		}
		if y, err = ip.AppendFloat(y[:0], x); err != nil {
			return fmt.Errorf("rows %d to %d: %w", index[0], index[len(index)-1], err)
		}
		for i := range index {
			visit(x[i*width:(i+1)*width], y[i*outputs:(i+1)*outputs])
		}
		done += len(index)
		bar.Step(done, "")
	}
	bar.EndEpoch(fmt.Sprintf("%d rows", done))
	return nil
}

// fits reports a model that does not take the rows of a set, or has other than so
// many outputs, one for each of what is named.
func fits(g *graph.Graph, ds data.Dataset, outputs int, each string) error {
	if len(g.Inputs) != 1 || len(g.Outputs) != 1 {
		return fmt.Errorf("compare: the model has %d inputs and %d outputs, want one of each", len(g.Inputs), len(g.Outputs))
	}
	in, out := g.Inputs[0], g.Outputs[0]
	if want := append([]int{1}, ds.InputShape()...); !slices.Equal(in.Shape, want) {
		return fmt.Errorf("compare: input %q of the model has shape %v, but the data need %v", in.Name, in.Shape, want)
	}
	if want := []int{1, outputs}; !slices.Equal(out.Shape, want) {
		return fmt.Errorf("compare: output %q of the model has shape %v, but the data need %v, one for each %s", out.Name, out.Shape, want, each)
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
