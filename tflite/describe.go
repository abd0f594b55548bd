package tflite

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/goqat/goqat/tflite/internal/format"
	"github.com/goqat/goqat/tflite/internal/operators"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// Description is what is in a .tflite file.
type Description struct {
	// Origin is what the writing program calls itself.
	Origin string `json:"origin,omitempty"`
	// MinRuntime is the first TensorFlow release that runs the file, as its
	// metadata say; empty if they do not.
	MinRuntime string `json:"min_runtime,omitempty"`
	// Subgraphs are the networks of the file. The first is the main one.
	Subgraphs  []SubgraphInfo  `json:"subgraphs"`
	Signatures []SignatureInfo `json:"signatures,omitempty"`
	Metadata   []string        `json:"metadata,omitempty"` // names of what else is stored
	Bytes      Bytes           `json:"bytes"`
}

// SubgraphInfo is one network of a file.
type SubgraphInfo struct {
	Name      string         `json:"name,omitempty"`
	Inputs    []int          `json:"inputs"`  // indices into Tensors
	Outputs   []int          `json:"outputs"` // indices into Tensors
	Tensors   []TensorInfo   `json:"tensors"`
	Operators []OperatorInfo `json:"operators"`
}

// SignatureInfo gives names to inputs and outputs of a subgraph.
type SignatureInfo struct {
	Key      string         `json:"key"`
	Subgraph int            `json:"subgraph"`
	Inputs   map[string]int `json:"inputs"` // indices of tensors
	Outputs  map[string]int `json:"outputs"`
}

// TensorInfo is one tensor of a file.
type TensorInfo struct {
	Index int    `json:"index"`
	Name  string `json:"name"`
	// Type is the schema's name for the number type, in lower case: "int8".
	Type  string `json:"type"`
	Shape []int  `json:"shape"`
	// Signature is the shape with -1 for sizes that are known only at run time;
	// empty if there are none.
	Signature []int `json:"shape_signature,omitempty"`
	// Scales and ZeroPoints are empty for tensors that are not quantized.
	Scales     []float32 `json:"scales,omitempty"`
	ZeroPoints []int64   `json:"zero_points,omitempty"`
	// Axis is the axis along which there are several scales.
	Axis int `json:"axis,omitempty"`
	// Bytes of constant data in the file; 0 for activations.
	Bytes int `json:"bytes"`
	// Note says what is unusual: sparse storage, state, data in another file,
	// another kind of quantization.
	Note string `json:"note,omitempty"`
}

// OperatorInfo is one operator of a file. Inputs and outputs are indices of
// tensors, -1 for an omitted input.
type OperatorInfo struct {
	Index   int    `json:"index"`
	Name    string `json:"name"`
	Version int    `json:"version"`
	Inputs  []int  `json:"inputs"`
	Outputs []int  `json:"outputs"`
	// Options are those that are not at their default, by the schema's name.
	Options map[string]any `json:"options,omitempty"`
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

// Describe says what is in any .tflite file: with operators that this package
// does not know, with several subgraphs, with sizes known only at run time.
// Constants of number type int32 and int64 without scale (shapes, axes) count as
// structure.
//
// Errors: files that are damaged or foreign.
func Describe(data []byte) (*Description, error) {
	f, err := format.Parse(data)
	if err != nil {
		return nil, err
	}
	d := &Description{Origin: f.Description, MinRuntime: f.Runtime(), Bytes: breakdown(f)}
	p := format.NewParser(f)
	damaged := format.Guard(func() {
		for i := range f.Subgraphs {
			var info SubgraphInfo
			if info, err = describe(f, p, &f.Subgraphs[i]); err != nil {
				err = fmt.Errorf("tflite: subgraph %d: %w", i, err)
				return
			}
			d.Subgraphs = append(d.Subgraphs, info)
		}
	})
	if err := errors.Join(damaged, err, p.Err); err != nil {
		return nil, err
	}
	for _, s := range f.Signatures {
		info := SignatureInfo{s.Key, s.Subgraph, map[string]int{}, map[string]int{}}
		for _, e := range s.Inputs {
			info.Inputs[e.Name] = e.Tensor
		}
		for _, e := range s.Outputs {
			info.Outputs[e.Name] = e.Tensor
		}
		d.Signatures = append(d.Signatures, info)
	}
	for _, m := range f.Metadata {
		d.Metadata = append(d.Metadata, m.Name)
	}
	return d, nil
}

// describe says what is in a subgraph.
func describe(f *format.File, p *format.Parser, s *format.Subgraph) (SubgraphInfo, error) {
	info := SubgraphInfo{Name: s.Name, Inputs: s.Inputs, Outputs: s.Outputs}
	for i := range s.Tensors {
		t := &s.Tensors[i]
		x := TensorInfo{
			Index: i, Name: t.Name, Type: strings.ToLower(t.Type.String()), Shape: t.Shape,
			Scales: t.Scale, ZeroPoints: t.Zero, Bytes: len(f.Bytes(t)), Note: note(t),
		}
		if len(t.Scale) > 1 {
			x.Axis = t.Axis
		}
		if slices.Contains(t.Signature, -1) {
			x.Signature = t.Signature
		}
		info.Tensors = append(info.Tensors, x)
	}
	for i := range s.Operators {
		o := &s.Operators[i]
		if o.Code < 0 || o.Code >= len(f.Codes) {
			return info, fmt.Errorf("operator %d (byte %d): names operator code %d, there are %d", i, o.At, o.Code, len(f.Codes))
		}
		c := f.Codes[o.Code]
		x := OperatorInfo{Index: i, Name: c.OperatorName(), Version: c.Version, Inputs: o.Inputs, Outputs: o.Outputs}
		table, list := p.Options(o)
		if table != "" || o.Custom.Size > 0 {
			x.Options = map[string]any{}
		}
		for _, option := range list {
			x.Options[option.Name] = printable(option.Value)
		}
		if o.Custom.Size > 0 {
			x.Options["custom_options"] = fmt.Sprintf("%d bytes", o.Custom.Size)
		}
		if n, err := strconv.Atoi(table); err == nil {
			x.Options["table"] = n // of which the fields are not known
		}
		if o.Stable > 0 {
			x.Options["stablehlo_table"] = o.Stable
		}
		info.Operators = append(info.Operators, x)
	}
	return info, nil
}

// note is what is unusual about a tensor.
func note(t *format.Tensor) string {
	if t.Unsupported == "" && t.State {
		return "state kept between runs"
	}
	return t.Unsupported
}

// printable replaces numbers that JSON does not have.
func printable(v any) any {
	switch x := v.(type) {
	case float32:
		if x-x != 0 {
			return fmt.Sprint(x)
		}
	case []float32:
		if slices.ContainsFunc(x, func(y float32) bool { return y-y != 0 }) {
			return fmt.Sprint(x)
		}
	}
	return v
}

// breakdown counts every byte once, however many tensors point to it.
func breakdown(f *format.File) Bytes {
	b := Bytes{Total: len(f.Data)}
	counted := map[format.Buffer]bool{{}: true}
	once := func(part *int, r format.Buffer) {
		if !counted[r] {
			counted[r] = true
			*part += r.Size
		}
	}
	for k := range f.Subgraphs {
		s := &f.Subgraphs[k]
		biases := biasesOf(f, s)
		for i := range s.Tensors {
			t := &s.Tensors[i]
			for _, r := range t.QuantBytes {
				once(&b.Quantization, r)
			}
			plain := len(t.Scale) == 0 && (t.Type == schema.TensorTypeINT32 || t.Type == schema.TensorTypeINT64)
			if t.Buffer < 0 || t.Buffer >= len(f.Buffers) || plain && !biases[i] {
				continue
			}
			part := &b.Weights
			if biases[i] {
				part = &b.Biases
			}
			once(part, f.Buffers[t.Buffer])
		}
	}
	b.Structure = b.Total - b.Weights - b.Biases - b.Quantization
	return b
}

// biasesOf returns the tensors that anchors read as bias, directly or through a
// DEQUANTIZE.
func biasesOf(f *format.File, s *format.Subgraph) map[int]bool {
	biases := map[int]bool{}
	for i := len(s.Operators) - 1; i >= 0; i-- {
		o := &s.Operators[i]
		if o.Code < 0 || o.Code >= len(f.Codes) {
			continue
		}
		row := operators.ByName(f.Codes[o.Code].OperatorName())
		switch {
		case row == nil:
		case row.Bias > 0 && len(o.Inputs) > row.Bias:
			biases[o.Inputs[row.Bias]] = true
		case row.Code == schema.BuiltinOperatorDEQUANTIZE && len(o.Inputs) == 1 && len(o.Outputs) == 1 && biases[o.Outputs[0]]:
			biases[o.Inputs[0]] = true
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
	for i, s := range d.Subgraphs {
		if i == 0 {
			fmt.Fprintf(t, "model %q by %q, %s, inputs %v, outputs %v\n", s.Name, d.Origin, needs, s.Inputs, s.Outputs)
		} else {
			fmt.Fprintf(t, "\nsubgraph %d %q, inputs %v, outputs %v\n", i, s.Name, s.Inputs, s.Outputs)
		}
		s.writeText(t)
	}
	if len(d.Subgraphs) > 1 {
		for _, s := range d.Signatures {
			fmt.Fprintf(t, "\nsignature %q runs subgraph %d\n", s.Key, s.Subgraph)
		}
	}
	b := d.Bytes
	fmt.Fprintf(t, "\nweights\tbiases\tquantization\tstructure\ttotal bytes\n%d\t%d\t%d\t%d\t%d\n", b.Weights, b.Biases, b.Quantization, b.Structure, b.Total)
	if err := t.Flush(); err != nil {
		return fmt.Errorf("tflite: %w", err)
	}
	return nil
}

// writeText writes the tables of tensors and operators.
func (s *SubgraphInfo) writeText(t io.Writer) {
	fmt.Fprintln(t, "\ntensor\ttype\tshape\tscale\tzero point\tbytes\tname")
	for _, x := range s.Tensors {
		scale, zero, shape := "-", "-", x.Shape
		if len(x.Scales) > 0 {
			scale, zero = fmt.Sprint(x.Scales[0]), fmt.Sprint(first(x.ZeroPoints))
		}
		if len(x.Scales) > 1 {
			scale = fmt.Sprintf("%d along axis %d, %v..%v", len(x.Scales), x.Axis, slices.Min(x.Scales), slices.Max(x.Scales))
		}
		if len(x.Signature) > 0 {
			shape = x.Signature
		}
		name := x.Name
		if x.Note != "" {
			name += " (" + x.Note + ")"
		}
		fmt.Fprintf(t, "%d\t%s\t%v\t%s\t%s\t%d\t%s\n", x.Index, x.Type, shape, scale, zero, x.Bytes, name)
	}
	fmt.Fprintln(t, "\noperator\tversion\tinputs\toutputs\tname\toptions")
	for _, o := range s.Operators {
		var options []string
		for _, name := range slices.Sorted(maps.Keys(o.Options)) {
			options = append(options, fmt.Sprintf("%s %v", name, o.Options[name]))
		}
		if len(options) == 0 {
			options = []string{"-"}
		}
		fmt.Fprintf(t, "%d\t%d\t%v\t%v\t%s\t%s\n", o.Index, o.Version, o.Inputs, o.Outputs, o.Name, strings.Join(options, ", "))
	}
}

func first(list []int64) int64 {
	if len(list) == 0 {
		return 0
	}
	return list[0]
}
