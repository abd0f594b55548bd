package ptq

import (
	"context"
	"fmt"
	"io"

	"github.com/goqat/goqat/cmd/goqat/internal/compare"
	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/tflite"
)

// Measured is what a model does on test rows.
type Measured struct {
	// Accuracy is the share of rows whose largest output is that of their label.
	Accuracy float64 `json:"accuracy"`
	Rows     int     `json:"rows"`
	// Bytes of the file.
	Bytes int `json:"bytes"`
}

// Measure writes a model to memory, reads it back and runs it on labelled rows.
//
// Errors: models that do not tell the classes of the rows; those of writing and
// running.
func Measure(ctx context.Context, model *graph.Graph, test data.Dataset, label string, progress io.Writer) (Measured, error) {
	content, err := tflite.Marshal(model)
	if err != nil {
		return Measured{}, err
	}
	if model, err = tflite.Unmarshal(content); err != nil {
		return Measured{}, err
	}
	labels, err := data.Labels(test)
	if err != nil {
		return Measured{}, err
	}
	predictions, err := compare.Predict(ctx, model, test, interp.LiteRT, compare.Progress{Writer: progress, Label: label})
	if err != nil {
		return Measured{}, fmt.Errorf("%s: %w", label, err)
	}
	right := 0
	for i, l := range labels {
		if predictions[i] == l {
			right++
		}
	}
	return Measured{float64(right) / float64(len(labels)), len(labels), len(content)}, nil
}
