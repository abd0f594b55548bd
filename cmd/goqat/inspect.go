package main

import (
	"fmt"
	"os"

	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/tflite"
)

// inspectCommand is `goqat inspect`.
type inspectCommand struct {
	Model string `arg:"" name:"MODEL.tflite" help:"File to show."`
	JSON  bool   `name:"json" help:"Print JSON, with all scales."`
}

// Help is shown below the flags.
func (inspectCommand) Help() string {
	return `Files from anywhere can be shown, also those with operators that goqat cannot run. The last tables are the memory of activations as goqat runs one row: what is alive at each operator, with a picture of the arena in which each tensor has a letter, and the place of each tensor.

Examples:
  goqat inspect models/int8-qat.tflite
  goqat inspect models/int8-qat.tflite -json | jq .memory.arena_bytes`
}

// inspection is what `goqat inspect` shows.
type inspection struct {
	*tflite.Description
	Memory *interp.MemoryPlan `json:"memory,omitempty"`
	// NoMemory says why there is no plan.
	NoMemory string `json:"no_memory,omitempty"`
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
	found := inspection{Description: d}
	g, err := tflite.Unmarshal(content)
	if err == nil {
		found.Memory, err = interp.PlanMemory(g, interp.Options{})
	}
	if err != nil {
		found.NoMemory = err.Error()
	}
	if c.JSON {
		return writeJSON(s.stdout, found)
	}
	if err := d.WriteText(s.stdout); err != nil {
		return err
	}
	fmt.Fprintln(s.stdout)
	if found.Memory == nil {
		_, err := fmt.Fprintf(s.stdout, "no plan of memory: %s\n", found.NoMemory)
		return err
	}
	return found.Memory.WriteText(s.stdout)
}
