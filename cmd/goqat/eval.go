package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/goqat/goqat/cmd/goqat/internal/compare"
	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/tflite"
)

// evalCommand is `goqat eval`.
type evalCommand struct {
	Model   string  `arg:"" name:"MODEL.tflite" help:"File to measure."`
	Data    string  `placeholder:"DIR|FILE.npz" help:"Directory of IDX files or NPZ file, of which the test part counts. Without it: the embedded digits, or the data of -of."`
	Of      string  `default:"cnn" placeholder:"NAME" help:"Network of goqat compare whose data to measure on."`
	Profile profile `default:"litert" placeholder:"litert|tflm|xnnpack" help:"Runtime whose integers to compute: LiteRT's reference kernels, TensorFlow Lite for Microcontrollers, or LiteRT by default, with XNNPACK. Default: litert."`
	JSON    bool    `name:"json" help:"Print JSON."`
}

// Help is shown below the flags.
func (evalCommand) Help() string {
	return `The input of the model must have the shape of the images, its output one value for each class. Integer models get their inputs quantized.

Examples:
  goqat eval models/int8-qat.tflite
  goqat eval words.tflite -of ds-cnn
  goqat eval fashion.tflite -data /usr/share/datasets/fashion-mnist`
}

// evaluation is what `goqat eval` found.
type evaluation struct {
	Model    string  `json:"model"`
	Data     string  `json:"data"`
	Rows     int     `json:"rows"`
	Right    int     `json:"right"`
	Accuracy float64 `json:"accuracy"`
	// Seconds is what the model took for all rows, without reading files.
	Seconds float64 `json:"seconds"`
}

// Run measures and prints.
func (c *evalCommand) Run(s *session) error {
	model, err := tflite.ReadFile(c.Model)
	if err != nil {
		return err
	}
	of, err := compare.ByName(c.Of)
	if err != nil {
		return err
	}
	source, err := compare.OpenTest(of, c.Data)
	if err != nil {
		return err
	}
	labels, err := data.Labels(source.Test)
	if err != nil {
		return err
	}
	begin := time.Now()
	predictions, err := compare.Predict(s.ctx, model, source.Test, c.Profile.Profile, compare.Progress{Writer: s.stderr, Label: "evaluate"})
	if err != nil {
		return fmt.Errorf("%s: %w", c.Model, err)
	}
	e := evaluation{Model: c.Model, Data: source.Name, Rows: len(labels), Seconds: time.Since(begin).Seconds()}
	for i, l := range labels {
		if predictions[i] == l {
			e.Right++
		}
	}
	e.Accuracy = float64(e.Right) / float64(e.Rows)
	if c.JSON {
		return writeJSON(s.stdout, e)
	}
	_, err = fmt.Fprintf(s.stdout, "%s: accuracy %.2f %% (%d of %d test rows of %s) in %.3f s\n", e.Model, 100*e.Accuracy, e.Right, e.Rows, e.Data, e.Seconds)
	return err
}

// writeJSON prints one indented object.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
