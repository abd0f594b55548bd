package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"time"

	"github.com/goqat/goqat/cmd/goqat/internal/bench"
)

// benchRunCommand is `goqat bench run`.
type benchRunCommand struct {
	Models  []string `arg:"" name:"MODEL.tflite" help:"Files to run."`
	Threads int      `default:"1" placeholder:"N" help:"Threads to use. Default: 1."`
	Profile profile  `default:"litert" placeholder:"litert|tflm|xnnpack" help:"Runtime whose integers to compute: LiteRT's reference kernels, TensorFlow Lite for Microcontrollers, or LiteRT by default, with XNNPACK. Default: litert."`
	Seconds float64  `default:"0.5" placeholder:"S" help:"How long to run each file. Default: 0.5."`
	JSON    bool     `name:"json" help:"Print one JSON object a line."`
}

// Help is shown below the flags.
func (benchRunCommand) Help() string {
	return `Each file runs on one row of noise, again and again. "us" is the median time of a run in microseconds, "load us" what passed from the bytes of the file in memory to the end of the first run, and "arena B" the memory of all activations.

Examples:
  goqat bench run models/*.tflite
  goqat bench run models/int8-qat.tflite -threads 2 -json`
}

// Validate is called before Run.
func (c *benchRunCommand) Validate() error {
	switch {
	case c.Threads < 1:
		return fmt.Errorf("--threads: %d is not positive", c.Threads)
	case !(c.Seconds > 0 && c.Seconds < 1e6):
		return fmt.Errorf("--seconds: %v is not a positive time", c.Seconds)
	}
	return nil
}

// Run measures and prints.
func (c *benchRunCommand) Run(s *session) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(c.Threads))
	for i, model := range c.Models {
		l, err := bench.Run(s.ctx, model, c.Profile.Profile, time.Duration(c.Seconds*float64(time.Second)))
		if err != nil {
			return err
		}
		if c.JSON {
			err = json.NewEncoder(s.stdout).Encode(l)
		} else {
			err = l.WriteText(s.stdout, i == 0)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// benchModelsCommand is `goqat bench models`.
type benchModelsCommand struct {
	Out string `required:"" placeholder:"DIR" help:"Where the files go."`
}

// Help is shown below the flags.
func (benchModelsCommand) Help() string {
	return `Each network is written as NAME-int8.tflite and NAME-int16x8.tflite, calibrated on noise and with integer borders, as NAME-dynamic-range.tflite and as NAME-float32.tflite. The files compute nothing useful, as fast as trained ones.

Example:
  goqat bench models -out models && goqat bench run models/*.tflite`
}

// Run writes the files.
func (c *benchModelsCommand) Run(s *session) error {
	return bench.WriteModels(s.ctx, c.Out)
}
