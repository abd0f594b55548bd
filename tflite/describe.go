package tflite

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/goqat/goqat/tflite/internal/schema"
)

// Description is what is in a .tflite file.
type Description struct {
	// Name is that of the model, Origin what the writing program calls itself.
	Name   string `json:"name,omitempty"`
	Origin string `json:"origin,omitempty"`
	// MinRuntime is the first TensorFlow release that runs the file, as its
	// metadata say; empty if they do not.
	MinRuntime string         `json:"min_runtime,omitempty"`
	Inputs     []int          `json:"inputs"`  // indices into Tensors
	Outputs    []int          `json:"outputs"` // indices into Tensors
	Tensors    []TensorInfo   `json:"tensors"`
	Operators  []OperatorInfo `json:"operators"`
	Bytes      Bytes          `json:"bytes"`
}

// TensorInfo is one tensor of a file.
type TensorInfo struct {
	Index int    `json:"index"`
	Name  string `json:"name"`
	// Type is the schema's name for the number type, in lower case: "int8".
	Type  string `json:"type"`
	Shape []int  `json:"shape"`
	// Scales and ZeroPoints are empty for tensors that are not quantized.
	Scales     []float32 `json:"scales,omitempty"`
	ZeroPoints []int64   `json:"zero_points,omitempty"`
	// Axis is the axis along which there are several scales.
	Axis int `json:"axis,omitempty"`
	// Bytes of constant data in the file; 0 for activations.
	Bytes int `json:"bytes"`
}

// OperatorInfo is one operator of a file. Inputs and outputs are indices of
// tensors, -1 for an omitted input.
type OperatorInfo struct {
	Index   int    `json:"index"`
	Name    string `json:"name"`
	Version int    `json:"version"`
	Inputs  []int  `json:"inputs"`
	Outputs []int  `json:"outputs"`
}

// Bytes says what the bytes of a file are spent on; the parts add up to Total.
type Bytes struct {
	Weights int `json:"weights"`
	Biases  int `json:"biases"`
	// Quantization is the scales, zero points and recorded ranges.
	Quantization int `json:"quantization"`
	// Structure is the rest: tables, names, shapes, padding.
	Structure int `json:"structure"`
	Total     int `json:"total"`
}

// Describe says what is in a .tflite file, operators that this package does not
// support included. Constants of number type int32 and int64 without scale
// (shapes, axes) count as structure.
//
// Errors: files that are damaged or foreign; files of several subgraphs.
func Describe(data []byte) (*Description, error) {
	f, err := parse(data)
	if err != nil {
		return nil, err
	}
	if f.subgraphs != 1 {
		return nil, fmt.Errorf("tflite: the model has %d subgraphs; only one is supported", f.subgraphs)
	}
	d := &Description{
		Name: f.name, Origin: f.description, MinRuntime: f.runtime(),
		Inputs: f.inputs, Outputs: f.outputs, Bytes: f.breakdown(),
	}
	for i := range f.tensors {
		t := &f.tensors[i]
		info := TensorInfo{
			Index: i, Name: t.name, Type: strings.ToLower(t.typ.String()), Shape: t.shape,
			Scales: t.scale, ZeroPoints: t.zero, Bytes: len(f.bytes(t)),
		}
		if len(t.scale) > 1 {
			info.Axis = t.axis
		}
		d.Tensors = append(d.Tensors, info)
	}
	for i, o := range f.operators {
		if o.code < 0 || o.code >= len(f.codes) {
			return nil, fmt.Errorf("tflite: operator %d (byte %d): names operator code %d, there are %d", i, o.at, o.code, len(f.codes))
		}
		c := f.codes[o.code]
		d.Operators = append(d.Operators, OperatorInfo{Index: i, Name: c.operatorName(), Version: c.version, Inputs: o.inputs, Outputs: o.outputs})
	}
	return d, nil
}

// breakdown counts every byte once, however many tensors point to it.
func (f *file) breakdown() Bytes {
	biases := f.biases()
	b := Bytes{Total: len(f.data)}
	counted := map[buffer]bool{{}: true}
	once := func(part *int, r buffer) {
		if !counted[r] {
			counted[r] = true
			*part += r.size
		}
	}
	for i := range f.tensors {
		t := &f.tensors[i]
		for _, r := range t.quantBytes {
			once(&b.Quantization, r)
		}
		plain := len(t.scale) == 0 && (t.typ == schema.TensorTypeINT32 || t.typ == schema.TensorTypeINT64)
		if t.buffer < 0 || t.buffer >= len(f.buffers) || plain && !biases[i] {
			continue
		}
		part := &b.Weights
		if biases[i] {
			part = &b.Biases
		}
		once(part, f.buffers[t.buffer])
	}
	b.Structure = b.Total - b.Weights - b.Biases - b.Quantization
	return b
}

// biases returns the tensors that anchors read as bias, directly or through a
// DEQUANTIZE.
func (f *file) biases() map[int]bool {
	biases := map[int]bool{}
	for i := len(f.operators) - 1; i >= 0; i-- {
		o := &f.operators[i]
		if o.code < 0 || o.code >= len(f.codes) {
			continue
		}
		row := byName(f.codes[o.code].operatorName())
		switch {
		case row == nil:
		case row.bias > 0 && len(o.inputs) > row.bias:
			biases[o.inputs[row.bias]] = true
		case row.code == schema.BuiltinOperatorDEQUANTIZE && len(o.inputs) == 1 && len(o.outputs) == 1 && biases[o.outputs[0]]:
			biases[o.inputs[0]] = true
		}
	}
	return biases
}

// WriteText writes the description as tables for people.
func (d *Description) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	needs := "needs TensorFlow " + d.MinRuntime
	if d.MinRuntime == "" {
		needs = "does not say which TensorFlow it needs"
	}
	fmt.Fprintf(t, "model %q by %q, %s, inputs %v, outputs %v\n\n", d.Name, d.Origin, needs, d.Inputs, d.Outputs)
	fmt.Fprintln(t, "tensor\ttype\tshape\tscale\tzero point\tbytes\tname")
	for _, x := range d.Tensors {
		scale, zero := "-", "-"
		if len(x.Scales) > 0 {
			scale, zero = fmt.Sprint(x.Scales[0]), fmt.Sprint(first(x.ZeroPoints))
		}
		if len(x.Scales) > 1 {
			scale = fmt.Sprintf("%d along axis %d, %v..%v", len(x.Scales), x.Axis, slices.Min(x.Scales), slices.Max(x.Scales))
		}
		fmt.Fprintf(t, "%d\t%s\t%v\t%s\t%s\t%d\t%s\n", x.Index, x.Type, x.Shape, scale, zero, x.Bytes, x.Name)
	}
	fmt.Fprintln(t, "\noperator\tversion\tinputs\toutputs\tname")
	for _, o := range d.Operators {
		fmt.Fprintf(t, "%d\t%d\t%v\t%v\t%s\n", o.Index, o.Version, o.Inputs, o.Outputs, o.Name)
	}
	b := d.Bytes
	fmt.Fprintf(t, "\nweights\tbiases\tquantization\tstructure\ttotal bytes\n%d\t%d\t%d\t%d\t%d\n", b.Weights, b.Biases, b.Quantization, b.Structure, b.Total)
	if err := t.Flush(); err != nil {
		return fmt.Errorf("tflite: %w", err)
	}
	return nil
}

func first(list []int64) int64 {
	if len(list) == 0 {
		return 0
	}
	return list[0]
}
