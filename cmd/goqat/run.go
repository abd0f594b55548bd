package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/atomicfile"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/tflite"
)

// runCommand is `goqat run`.
type runCommand struct {
	Model   string  `arg:"" name:"MODEL.tflite" help:"File to run."`
	In      string  `required:"" placeholder:"X.npy" help:"Input: an array of the model's own number type and the shape of its input, with any number of rows; an NPZ file with one array will do."`
	Out     string  `required:"" placeholder:"Y.npy" help:"Where the output goes, in the model's own number type."`
	Profile profile `default:"litert" placeholder:"litert|tflm|xnnpack" help:"Runtime whose integers to compute: LiteRT's reference kernels, TensorFlow Lite for Microcontrollers, or LiteRT by default, with XNNPACK. Default: litert."`
}

// Help is shown below the flags.
func (runCommand) Help() string {
	return `Nothing is converted: an int8 model takes and gives int8 codes. goqat inspect shows types, shapes and scales.

Example:
  goqat run models/int8-qat.tflite -in codes.npy -out scores.npy`
}

// profile is [interp.Profile] by name.
type profile struct{ interp.Profile }

// UnmarshalText reads the name of a profile.
func (p *profile) UnmarshalText(b []byte) error {
	switch strings.ToLower(string(b)) {
	case "litert":
		p.Profile = interp.LiteRT
	case "tflm":
		p.Profile = interp.TFLM
	case "xnnpack":
		p.Profile = interp.XNNPACK
	default:
		return fmt.Errorf("unknown profile %q: use litert, tflm or xnnpack", b)
	}
	return nil
}

// Run reads, computes and writes.
func (c *runCommand) Run(s *session) error {
	model, err := tflite.ReadFile(c.Model)
	if err != nil {
		return err
	}
	x, err := readArray(c.In)
	if err != nil {
		return err
	}
	y, err := runModel(s.ctx, model, x, c.Profile.Profile)
	if err != nil {
		return fmt.Errorf("%s on %s: %w", c.Model, c.In, err)
	}
	return atomicfile.Write(c.Out, func(w io.Writer) error { return data.WriteNPY(w, y) })
}

// readArray reads an NPY file, or an NPZ file with one array.
func readArray(path string) (*data.Array, error) {
	if !strings.HasSuffix(path, ".npz") {
		return data.ReadNPYFile(path)
	}
	arrays, err := data.ReadNPZFile(path)
	if err != nil {
		return nil, err
	}
	names := slices.Sorted(maps.Keys(arrays))
	if len(names) != 1 {
		return nil, fmt.Errorf("%s holds %d arrays, want one: %q", path, len(names), names)
	}
	return arrays[names[0]], nil
}

// runRows rows run at once, and fewer where their activations do not fit the bytes;
// it does not change the result.
const (
	runRows  = 64
	runBytes = 256 << 20
)

// runModel computes the output of a model for all rows of x.
func runModel(ctx context.Context, g *graph.Graph, x *data.Array, p interp.Profile) (*data.Array, error) {
	if len(g.Inputs) != 1 || len(g.Outputs) != 1 {
		return nil, fmt.Errorf("the model has %d inputs and %d outputs, want one of each", len(g.Inputs), len(g.Outputs))
	}
	in, out := g.Inputs[0], g.Outputs[0]
	if err := takes(in, x); err != nil {
		return nil, err
	}
	n := x.Shape[0]
	shapes, err := g.Shapes(n)
	if err != nil {
		return nil, err
	}
	if len(out.Shape) == 0 || shapes[out][0] != n {
		return nil, fmt.Errorf("output %q of shape %v has no axis for the rows of the input", out.Name, out.Shape)
	}
	plan, err := interp.PlanMemory(g, interp.Options{})
	if err != nil {
		return nil, err
	}
	batch := min(n, runRows, plan.RowsWithin(runBytes))
	ip, err := interp.New(g, interp.Options{Profile: p, Batch: batch})
	if err != nil {
		return nil, err
	}
	// The elements are slices of the tensors' types, whichever these are.
	from := reflect.ValueOf(x.Data)
	var to reflect.Value
	for first := 0; first < n; first += batch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		last := min(first+batch, n)
		if err := ip.Run(from.Slice(first*in.Elements(), last*in.Elements()).Interface()); err != nil {
			return nil, fmt.Errorf("rows %d to %d: %w", first, last-1, err)
		}
		part := reflect.ValueOf(ip.Output(0))
		if first == 0 {
			to = reflect.MakeSlice(part.Type(), 0, n*out.Elements())
		}
		to = reflect.AppendSlice(to, part)
	}
	return &data.Array{Shape: shapes[out], Data: to.Interface()}, nil
}

// takes reports an array that a model's input does not take.
func takes(in *graph.Tensor, x *data.Array) error {
	if have := reflect.TypeOf(x.Data).Elem().Name(); have != in.Type.String() {
		return fmt.Errorf("the array holds %s, but input %q takes %v", strings.ToLower(have), in.Name, in.Type)
	}
	if len(x.Shape) != len(in.Shape) || !slices.Equal(x.Shape[1:], in.Shape[1:]) || x.Shape[0] == 0 {
		return fmt.Errorf("the array has shape %v, but input %q takes %v with any number of rows", x.Shape, in.Name, in.Shape)
	}
	return nil
}
