package main

import (
	"fmt"
	"os"

	"github.com/goqat/goqat/tflite"
)

// inspectCommand is `goqat inspect`.
type inspectCommand struct {
	Model string `arg:"" name:"MODEL.tflite" help:"File to show."`
	JSON  bool   `name:"json" help:"Print JSON, with all scales."`
}

// Help is shown below the flags.
func (inspectCommand) Help() string {
	return `Files from anywhere can be shown, also those with operators that goqat cannot run.

Examples:
  goqat inspect models/int8-qat.tflite
  goqat inspect models/int8-qat.tflite -json | jq .bytes`
}

// Run describes the file.
func (c *inspectCommand) Run(s *session) error {
	content, err := os.ReadFile(c.Model)
	if err != nil {
		return err
	}
	d, err := tflite.Describe(content)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Model, err)
	}
	if c.JSON {
		return writeJSON(s.stdout, d)
	}
	return d.WriteText(s.stdout)
}
