package main

import (
	"fmt"

	"github.com/goqat/goqat/cmd/goqat/internal/ptq"
	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/diagnose"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite"
)

// debugCommand is `goqat debug`.
type debugCommand struct {
	Model string    `arg:"" name:"IN.tflite" help:"Float network."`
	With  string    `placeholder:"Q.tflite" help:"Quantized model that was made of it, by whatever program. Without it the network is quantized here, as the other flags say."`
	Data  rowData   `embed:""`
	Plan  planFlags `embed:""`
	JSON  bool      `name:"json" help:"Print JSON."`
}

// Help is shown below the flags.
func (debugCommand) Help() string {
	return `The first table has the error of each tensor: signal to noise in decibels, cosine, largest error, share of values outside of the range. The second, which needs the network to be quantized here, has the error of the outputs with one layer quantized alone and with all layers but one: the layer to keep in float32 or to repair is the one whose absence helps most.

Examples:
  goqat debug net.tflite -data photos
  goqat debug net.tflite -data photos -range mse -repair equalize
  goqat debug net.tflite -with net-int8.tflite -data photos -json`
}

// diagnosis is what `goqat debug` prints.
type diagnosis struct {
	Tensors []diagnose.Tensor `json:"tensors"`
	Layers  []diagnose.Layer  `json:"layers,omitempty"`
	All     *diagnose.Effect  `json:"all,omitempty"`
}

// Run compares and prints.
func (c *debugCommand) Run(s *session) error {
	p, err := c.Plan.plan()
	if err != nil {
		return err
	}
	net, err := tflite.ReadFile(c.Model)
	if err != nil {
		return err
	}
	if c.Data.Data == "" {
		return fmt.Errorf("there are no rows to compare with: -data PATH")
	}
	rows, err := c.Data.open(net, p.Samples)
	if err != nil {
		return err
	}
	d, err := c.diagnose(s, net, p, rows)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Model, err)
	}
	if c.JSON {
		return writeJSON(s.stdout, d)
	}
	for i := range d.Tensors {
		d.Tensors[i].Name = ptq.Short(d.Tensors[i].Name)
	}
	for i := range d.Layers {
		d.Layers[i].Name = ptq.Short(d.Layers[i].Name)
	}
	if err := diagnose.WriteTensors(s.stdout, d.Tensors); err != nil || d.All == nil {
		return err
	}
	if _, err := fmt.Fprintln(s.stdout); err != nil {
		return err
	}
	return diagnose.WriteLayers(s.stdout, d.Layers, *d.All)
}

func (c *debugCommand) diagnose(s *session, net *graph.Graph, p ptq.Plan, rows data.Dataset) (d diagnosis, err error) {
	o := diagnose.Options{Samples: p.Samples, Progress: s.stderr}
	if c.With != "" {
		model, err := tflite.ReadFile(c.With)
		if err != nil {
			return d, err
		}
		if net, err = ptq.Prepare(net); err != nil {
			return d, err
		}
		d.Tensors, err = diagnose.Tensors(s.ctx, net, model, rows, o)
		return d, err
	}
	float, simulated, err := ptq.Simulate(s.ctx, net, p, rows, ptq.Options{Progress: s.stderr, Logger: warnings(s.stderr)})
	if err != nil {
		return d, err
	}
	if d.Tensors, err = diagnose.Tensors(s.ctx, float, simulated, rows, o); err != nil {
		return d, err
	}
	d.All = &diagnose.Effect{}
	d.Layers, *d.All, err = diagnose.Layers(s.ctx, simulated, rows, o)
	return d, err
}
