package parity

import (
	"context"
	"fmt"
	"io"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/train"
)

// Agreement is the comparison of two graphs' predictions.
type Agreement struct {
	Rows int `json:"rows"`
	// Same is the number of rows with the same largest output.
	Same int `json:"same"`
}

// Share returns the fraction of rows that agree.
func (a Agreement) Share() float64 { return float64(a.Same) / float64(max(a.Rows, 1)) }

// EndToEnd runs rows of real input through the fake-quantized graph and the
// integer model and compares their predictions.
//
// Errors: those of the interpreter.
func EndToEnd(q, model *graph.Graph, x []float32) (Agreement, error) {
	a, err := classes(q, x)
	if err != nil {
		return Agreement{}, err
	}
	b, err := classes(model, x)
	if err != nil {
		return Agreement{}, err
	}
	if len(a) != len(b) {
		return Agreement{}, fmt.Errorf("parity: %d and %d predictions", len(a), len(b))
	}
	agreement := Agreement{Rows: len(a)}
	for i := range a {
		if a[i] == b[i] {
			agreement.Same++
		}
	}
	return agreement, nil
}

// classes returns the index of the largest output of each row.
func classes(g *graph.Graph, x []float32) ([]int, error) {
	ip, err := interp.New(g, interp.Options{Batch: 64})
	if err != nil {
		return nil, fmt.Errorf("parity: %w", err)
	}
	y, err := ip.RunFloat(x)
	if err != nil {
		return nil, fmt.Errorf("parity: %w", err)
	}
	width := graph.Elements(g.Outputs[0].Shape)
	list := make([]int, len(y)/width)
	for i := range list {
		list[i] = train.Largest(y[i*width : (i+1)*width])
	}
	return list, nil
}

// IntegerAccuracy is a training callback that, after each epoch of
// quantization-aware training, exports the network and reports the accuracy of
// its integers on Set.
type IntegerAccuracy struct {
	Set data.Dataset
	// Writer gets one line an epoch; nil for silence.
	Writer io.Writer
	// History collects the accuracies, epoch by epoch.
	History []float64
}

// EpochEnd implements [train.Callback].
func (c *IntegerAccuracy) EpochEnd(f *train.Fitting, e train.Epoch) error {
	accuracy, err := Accuracy(context.Background(), f.Model.Graph(), c.Set)
	if err != nil {
		return err
	}
	c.History = append(c.History, accuracy)
	if c.Writer != nil {
		_, err = fmt.Fprintf(c.Writer, "epoch %d: integer accuracy %.4f\n", e.Number, accuracy)
	}
	return err
}

// Accuracy exports a fake-quantized graph and returns the share of rows of ds
// whose label the integers predict.
//
// Errors: those of export.Integer and the interpreter; targets that are not
// labels; ctx's error.
func Accuracy(ctx context.Context, q *graph.Graph, ds data.Dataset) (float64, error) {
	model, err := export.Integer(q, export.Options{})
	if err != nil {
		return 0, fmt.Errorf("parity: %w", err)
	}
	labels, err := data.Labels(ds)
	if err != nil {
		return 0, fmt.Errorf("parity: %w", err)
	}
	order := make([]int, ds.Len())
	for i := range order {
		order[i] = i
	}
	width, right := graph.Elements(ds.InputShape()), 0
	for index := range data.Batches(order, 256) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		x, y := make([]float32, len(index)*width), make([]float32, len(index))
		if err := ds.Read(index, x, y); err != nil {
			return 0, fmt.Errorf("parity: %w", err)
		}
		predicted, err := classes(model, x)
		if err != nil {
			return 0, err
		}
		for i, p := range predicted {
			if p == labels[index[i]] {
				right++
			}
		}
	}
	return float64(right) / float64(ds.Len()), nil
}
