package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/goqat/goqat/cmd/goqat/internal/bench"
)

// benchCommand is `goqat bench`.
type benchCommand struct {
	Models benchModelsCommand `cmd:"" help:"Write the networks of the zoo, untrained, as files to measure."`
	Run    benchRunCommand    `cmd:"" help:"Measure how fast .tflite files run."`
	Train  benchTrainCommand  `cmd:"" help:"Measure how fast networks train, in float and with quantizers."`
}

// benchTrainCommand is `goqat bench train`.
type benchTrainCommand struct {
	Data    string   `placeholder:"DIR" help:"Directory of IDX files with images of 28x28, as those of MNIST and Fashion-MNIST. Without it: 60000 rows of noise."`
	Nets    []string `placeholder:"NET" help:"Networks to train: ${nets}. Default: all."`
	Batches []int    `default:"32,128" placeholder:"N" help:"Rows in a training batch. Default: 32,128."`
	Threads int      `placeholder:"N" help:"Threads to use. Default: one for each core, or GOMAXPROCS."`
	Epochs  int      `placeholder:"N" help:"Measure whole epochs. Default: a part of the time of one, or more than one, and infer from it."`
	Seconds float64  `default:"2" placeholder:"S" help:"How long to measure each line when it is not by epochs. Default: 2."`
	JSON    bool     `name:"json" help:"Print one JSON object a line."`
}

// Help is shown below the flags.
func (benchTrainCommand) Help() string {
	var nets strings.Builder
	for _, n := range bench.Networks {
		fmt.Fprintf(&nets, "  %-8s  %s\n", n.Name, n.About)
	}
	return `Each network is trained with Adam as float network and with the quantizers of int8, with shuffling, loss and accuracy. The first steps warm up; then the speed is the median of ten parts of the time, or of the epochs. "epoch s" is what all rows need at that speed, "first step s" what passed from the start of the program to the end of the first step of this line, without the other lines.

Networks:
` + nets.String() + `
Examples:
  goqat bench train
  goqat bench train -nets cnn,dscnn -batches 128 -threads 1
  goqat bench train -data /usr/share/datasets/fashion-mnist -epochs 3 -json > speed.jsonl`
}

// networkNames are what -nets takes.
func networkNames() (names []string) {
	for _, n := range bench.Networks {
		names = append(names, n.Name)
	}
	return names
}

// Validate is called before Run.
func (c *benchTrainCommand) Validate() error {
	for _, name := range c.Nets {
		if !slices.Contains(networkNames(), name) {
			return fmt.Errorf("--nets: unknown network %q: use %s", name, strings.Join(networkNames(), ", "))
		}
	}
	for _, b := range c.Batches {
		if b < 1 {
			return fmt.Errorf("--batches: %d is not positive", b)
		}
	}
	switch {
	case c.Threads < 0:
		return fmt.Errorf("--threads: %d is negative", c.Threads)
	case c.Epochs < 0:
		return fmt.Errorf("--epochs: %d is negative", c.Epochs)
	case !(c.Seconds > 0 && c.Seconds < 1e6):
		return fmt.Errorf("--seconds: %v is not a positive time", c.Seconds)
	}
	return nil
}

// Run measures and prints.
func (c *benchTrainCommand) Run(s *session) error {
	if c.Threads > 0 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(c.Threads))
	}
	rows, err := bench.OpenRows(c.Data)
	if err != nil {
		return err
	}
	before := time.Since(started)
	if !c.JSON {
		if err := bench.WriteHeader(s.stdout, rows); err != nil {
			return err
		}
	}
	for _, n := range bench.Networks {
		if len(c.Nets) > 0 && !slices.Contains(c.Nets, n.Name) {
			continue
		}
		for _, batch := range c.Batches {
			for _, what := range []bench.What{bench.Float, bench.QAT} {
				fmt.Fprintf(s.stderr, "%s, batch %d, %s\n", n.Name, batch, what)
				r, err := bench.Train(s.ctx, rows, bench.Training{
					Network: n, Batch: batch, What: what,
					Epochs: c.Epochs, Time: time.Duration(c.Seconds * float64(time.Second)), Before: before,
				})
				if err != nil {
					return fmt.Errorf("%s, batch %d, %s: %w", n.Name, batch, what, err)
				}
				if err := c.write(s, r); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// write prints a result.
func (c *benchTrainCommand) write(s *session, r bench.Result) error {
	if c.JSON {
		return json.NewEncoder(s.stdout).Encode(r)
	}
	return r.WriteText(s.stdout)
}
