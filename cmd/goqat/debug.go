package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/goqat/goqat/cmd/goqat/internal/ptq"
	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/diagnose"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite"
)

// debugCommand is `goqat debug`.
type debugCommand struct {
	Model string    `arg:"" name:"IN.tflite" help:"Float network, or a quantized one from any program, or a file of graph.Save or a checkpoint, in which the network may be one that trains quantization-aware."`
	With  string    `placeholder:"Q.tflite" help:"Quantized model that was made of the float network IN.tflite. Without it the network is quantized here, as the other flags say."`
	Data  rowData   `embed:""`
	Plan  planFlags `embed:""`
	JSON  bool      `name:"json" help:"Print JSON."`
}

// Help is shown below the flags.
func (debugCommand) Help() string {
	return `The first table has the error of each tensor: signal to noise in decibels, cosine, largest error, share of values outside of the range. The second has the error of the outputs with one layer quantized alone and with all layers but one: the layer to keep in float32 or to repair is the one whose absence helps most.

A quantized model on its own is compared with what its codes stand for: its weights, taken for exact, in float32. With the float network that it was made from the error of the weights shows, too. After quantization-aware training that is what export.Float32 makes of the trained network, not the network before.

Examples:
  goqat debug net.tflite -data photos
  goqat debug net.tflite -data photos -range mse -repair equalize
  goqat debug net.tflite -with net-int8.tflite -data photos -json
  goqat debug net-qat-int8.tflite -data photos`
}

// diagnosis is what `goqat debug` prints.
type diagnosis struct {
	Tensors []diagnose.Tensor `json:"tensors"`
	Layers  []diagnose.Layer  `json:"layers"`
	All     diagnose.Effect   `json:"all"`
	// OwnWeights says that layers are left in float32 with the weights of the
	// quantized model instead of those of a float network.
	OwnWeights bool `json:"own_weights"`
}

// Run compares and prints.
func (c *debugCommand) Run(s *session) error {
	p, err := c.Plan.plan()
	if err != nil {
		return err
	}
	net, err := readNetwork(c.Model)
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
	float, model, err := c.pair(s, net, p, rows)
	if err != nil {
		return err
	}
	d, err := c.diagnose(s, float, model, rows, diagnose.Options{Samples: p.Samples, Progress: s.stderr})
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
	if err := diagnose.WriteTensors(s.stdout, d.Tensors); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(s.stdout); err != nil {
		return err
	}
	return diagnose.WriteLayers(s.stdout, d.Layers, d.All)
}

// pair returns the float network, nil where it is not known, and the quantized one.
func (c *debugCommand) pair(s *session, net *graph.Graph, p ptq.Plan, rows data.Dataset) (float, model *graph.Graph, err error) {
	quantized := ptq.Quantized(net)
	plan := c.Plan
	if plan.Samples = nil; plan != (planFlags{}) && (quantized || c.With != "") {
		return nil, nil, errors.New("flags that say how to quantize have no meaning for a model that is quantized")
	}
	switch {
	case quantized && c.With != "":
		return nil, nil, fmt.Errorf("%s is quantized: -with takes the quantized model, and the float network goes before it", c.Model)
	case quantized:
		return nil, net, nil
	case c.With != "":
		if model, err = readNetwork(c.With); err != nil {
			return nil, nil, err
		}
		if !ptq.Quantized(model) {
			return nil, nil, fmt.Errorf("%s is not quantized", c.With)
		}
		float, err = ptq.Prepare(net)
		return float, model, err
	}
	return ptq.Pair(s.ctx, net, p, rows, ptq.Options{Progress: s.stderr, Logger: warnings(s.stderr)})
}

func (c *debugCommand) diagnose(s *session, float, model *graph.Graph, rows data.Dataset, o diagnose.Options) (d diagnosis, err error) {
	d.OwnWeights = float == nil
	if d.Tensors, err = diagnose.Tensors(s.ctx, float, model, rows, o); err != nil {
		return d, err
	}
	d.Layers, d.All, err = diagnose.Layers(s.ctx, float, model, rows, o)
	if origin := (*diagnose.OriginError)(nil); errors.As(err, &origin) {
		fmt.Fprintf(s.stderr, "%v: layers are compared with the model's own weights in float32\n", origin)
		d.OwnWeights = true
		d.Layers, d.All, err = diagnose.Layers(s.ctx, nil, model, rows, o)
	}
	return d, err
}

// readNetwork reads a .tflite file, or one of graph.Save.
func readNetwork(path string) (*graph.Graph, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	read := tflite.Unmarshal
	if len(content) > 8 && content[8] == '{' { // the header of safetensors
		read = func(content []byte) (*graph.Graph, error) { return graph.Decode(bytes.NewReader(content)) }
	}
	g, err := read(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return g, nil
}
