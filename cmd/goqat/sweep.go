package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/goqat/goqat/cmd/goqat/internal/ptq"
	"github.com/goqat/goqat/cmd/goqat/internal/samples"
	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite"
)

// sweepCommand is `goqat calibration-sweep`.
type sweepCommand struct {
	Model string    `arg:"" name:"IN.tflite" help:"Float network that tells classes."`
	Data  rowData   `embed:""`
	Sizes []int     `placeholder:"N,..." default:"1,2,5,10,20,50,100,200,500,1000" help:"Numbers of rows to calibrate with. Default: 1,2,5,10,20,50,100,200,500,1000."`
	Draws int       `placeholder:"N" default:"3" help:"How often each number is drawn from the training rows. Default: 3."`
	Seed  uint64    `placeholder:"N" default:"1" help:"Seed of the draws. Default: 1."`
	Plan  planFlags `embed:""`
	JSON  bool      `name:"json" help:"Print JSON."`
}

// Help is shown below the flags.
func (sweepCommand) Help() string {
	return `Calibrates with so many random training rows, as often as -draws says, and measures each int8 model on the test rows: those of IDX directories and NPZ files are stored, of images and sounds it is a fifth.

Examples:
  goqat calibration-sweep net.tflite -data fashion-mnist
  goqat calibration-sweep net.tflite -data photos -sizes 10,100,1000 -range mse -json`
}

// Validate is called before Run.
func (c *sweepCommand) Validate() error {
	if c.Draws < 1 || len(c.Sizes) == 0 || slices.Min(c.Sizes) < 1 {
		return errors.New("--sizes and --draws must be positive")
	}
	return nil
}

// sweep is what `goqat calibration-sweep` prints.
type sweep struct {
	Model string       `json:"model"`
	Data  string       `json:"data"`
	Float ptq.Measured `json:"float"`
	Sizes []sweepRow   `json:"sizes"`
}

// sweepRow is the accuracy of the models of one number of rows.
type sweepRow struct {
	Samples  int       `json:"samples"`
	Accuracy []float64 `json:"accuracy"` // of each draw
}

// Run calibrates, measures and prints.
func (c *sweepCommand) Run(s *session) error {
	p, err := c.Plan.plan()
	if err != nil {
		return err
	}
	if !ptq.Calibrated(p.Mode) {
		return fmt.Errorf("mode %s needs no calibration", p.Mode)
	}
	p.Samples = 0 // all that are drawn
	net, train, test, err := c.Data.labelled(c.Model)
	if err != nil {
		return err
	}
	out := sweep{Model: c.Model, Data: c.Data.Data}
	if out.Float, err = ptq.Measure(s.ctx, net, test, "float", s.stderr); err != nil {
		return err
	}
	for _, n := range c.Sizes {
		if n > train.Len() {
			continue
		}
		row := sweepRow{Samples: n}
		for draw := range c.Draws {
			rows, err := data.Subset(train, data.Shuffle(train.Len(), c.Seed, draw)[:n])
			if err != nil {
				return err
			}
			result, err := ptq.Quantize(s.ctx, net, p, rows, ptq.Options{})
			if err != nil {
				return fmt.Errorf("%s: %w", c.Model, err)
			}
			m, err := ptq.Measure(s.ctx, result.Model, test, fmt.Sprintf("%d samples, draw %d", n, draw+1), s.stderr)
			if err != nil {
				return err
			}
			row.Accuracy = append(row.Accuracy, m.Accuracy)
		}
		out.Sizes = append(out.Sizes, row)
	}
	if c.JSON {
		return writeJSON(s.stdout, out)
	}
	return out.writeText(s.stdout)
}

// labelled reads a network and rows of two parts.
func (d rowData) labelled(model string) (net *graph.Graph, train, test data.Dataset, err error) {
	if net, err = tflite.ReadFile(model); err != nil {
		return nil, nil, nil, err
	}
	if d.Data == "" {
		return nil, nil, nil, errors.New("there are no rows to test on: -data PATH")
	}
	if len(net.Inputs) != 1 {
		return nil, nil, nil, fmt.Errorf("the model has %d inputs, want one", len(net.Inputs))
	}
	train, test, err = samples.OpenLabelled(d.Data, net.Inputs[0], samples.Options{Scale: d.Scale, Offset: d.Offset, Features: d.Features})
	return net, train, test, err
}

// writeText prints a table for people.
func (w sweep) writeText(to io.Writer) error {
	t := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "samples\tleast\tmean\tmost\tbelow float\t\n")
	for _, r := range w.Sizes {
		mean := 0.0
		for _, a := range r.Accuracy {
			mean += a / float64(len(r.Accuracy))
		}
		fmt.Fprintf(t, "%d\t%.2f %%\t%.2f %%\t%.2f %%\t%.2f points\t\n", r.Samples, 100*slices.Min(r.Accuracy), 100*mean, 100*slices.Max(r.Accuracy), 100*(w.Float.Accuracy-mean))
	}
	fmt.Fprintf(t, "float\t\t%.2f %%\t\t\t\n", 100*w.Float.Accuracy)
	return t.Flush()
}
