package interp

import (
	"fmt"
	"slices"

	"github.com/x448/float16"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/q8"
	"github.com/goqat/goqat/quant"
)

// Encode returns the real values x as elements of the activation t, any number
// of rows: x itself for Float32, codes by the rule of [quant.Code] for Int8, UInt8
// and Int16.
//
// Errors: other types; an integer tensor without parameters; NaN or infinite
// values that have no code, by row.
func Encode(t *graph.Tensor, x []float32) (any, error) {
	if t.Type == graph.Float32 {
		return x, nil
	}
	encode, err := newEncoder(t)
	if err == nil {
		err = checkFinite(t, 0, x)
	}
	if err != nil {
		return nil, fmt.Errorf("interp: encode: %w", err)
	}
	v := newValue(t, []int{len(x)}, newData(t.Type, len(x)))
	return v.data, encode(v, x)
}

// An encoder sets a value to finite real numbers, of which it has as many.
type encoder func(v *value, x []float32) error

// newEncoder returns the encoder for an activation.
func newEncoder(t *graph.Tensor) (encoder, error) {
	if t.Type == graph.Float32 {
		return func(v *value, x []float32) error {
			copy(v.floats(), x)
			return nil
		}, nil
	}
	p, err := perTensor(t)
	if err != nil {
		return nil, err
	}
	switch t.Type {
	case graph.UInt8:
		return coding[uint8](p), nil
	case graph.Int16:
		return func(v *value, x []float32) error {
			return quant.Quantize(p, elements[int16](v), x, v.shape, grids[graph.Int16])
		}, nil
	}
	return coding[int8](p), nil
}

func coding[T q8.Code](p quant.Params) encoder {
	border := q8.NewBorder[T](p, q8.LiteRT)
	return func(v *value, x []float32) error {
		border.Quantize(elements[T](v), x)
		return nil
	}
}

// Decode returns the real values of elements of t, any number of rows: data
// itself for Float32, the exact values for Float16, scale*(q - zero point) for
// Int8, UInt8, Int16, Int32 and Int64, per channel if t has a scale per channel.
//
// Errors: data of another type than t's; an integer tensor without parameters.
func Decode(t *graph.Tensor, data any) ([]float32, error) {
	typ, _, ok := typeOf(data)
	if !ok || typ != t.Type {
		return nil, fmt.Errorf("interp: decode: tensor %q: data is %T, want []%v", t.Name, data, t.Type)
	}
	if d, ok := data.([]float32); ok {
		return d, nil
	}
	return appendReal(nil, newValue(t, t.Shape, data))
}

// appendReal appends the real values of v to y.
func appendReal(y []float32, v *value) ([]float32, error) {
	t, at := v.tensor, len(y)
	y = slices.Grow(y, v.n)[:at+v.n]
	x := y[at:]
	switch t.Type {
	case graph.Float32:
		copy(x, v.floats())
		return y, nil
	case graph.Float16:
		for i, bits := range elements[uint16](v) {
			x[i] = float16.Frombits(bits).Float32()
		}
		return y, nil
	}
	p, err := params(t)
	if err == nil {
		switch t.Type {
		case graph.Int8:
			err = decode[int8](p, x, v)
		case graph.UInt8:
			err = decode[uint8](p, x, v)
		case graph.Int16:
			err = decode[int16](p, x, v)
		case graph.Int32:
			err = decode[int32](p, x, v)
		case graph.Int64:
			decodeWide(p, x, v)
		default:
			err = fmt.Errorf("tensor %q: %v has no real values", t.Name, t.Type)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("interp: decode: %w", err)
	}
	return y, nil
}

// decode sets x to the real values of v.
func decode[T quant.CodeType](p quant.Params, x []float32, v *value) error {
	codes := v.data.([]T)[:v.n]
	if p.PerChannel() {
		if err := quant.Dequantize(p, x, codes, v.tensor.Shape); err != nil {
			return fmt.Errorf("tensor %q: %w", v.tensor.Name, err)
		}
		return nil
	}
	scale, zero := p.Scale[0], p.ZeroPoint[0]
	for i, code := range codes {
		x[i] = quant.Value(int32(code), scale, zero)
	}
	return nil
}

// decodeWide is decode for biases of int64, whose zero points are 0.
func decodeWide(p quant.Params, x []float32, v *value) {
	inner := 1
	if p.PerChannel() {
		inner = graph.Inner(v.tensor.Shape, p.Axis)
	}
	for i, code := range elements[int64](v) {
		x[i] = float32(float64(code) * float64(p.Scale[i/inner%len(p.Scale)]))
	}
}

// RunFloat runs any number of rows through a graph with one input and one
// output, Options.Batch at a time, and returns the output rows: real values in
// and out, whatever types the graph has. The codes of the output are in
// Output(0) for the rows of the last run: all of them where Options.Batch is
// large enough.
//
// Errors: those of [Encode], [Interpreter.Run] and [Decode]; more inputs or
// outputs; no rows, or a part of one; an output without a batch axis.
func (ip *Interpreter) RunFloat(x []float32) ([]float32, error) { return ip.AppendFloat(nil, x) }

// AppendFloat is [Interpreter.RunFloat] for rows in a hurry: it appends the output
// rows to y and returns the longer slice, and allocates nothing where y has room
// for them.
func (ip *Interpreter) AppendFloat(y, x []float32) ([]float32, error) {
	g := ip.graph
	if len(g.Inputs) != 1 || len(g.Outputs) != 1 {
		return nil, fmt.Errorf("interp: %d inputs and %d outputs: real rows go through graphs with one of each", len(g.Inputs), len(g.Outputs))
	}
	in, out := g.Inputs[0], g.Outputs[0]
	row := in.Elements()
	if len(x) == 0 || len(x)%row != 0 {
		return nil, fmt.Errorf("interp: input %q: %d elements are not one or more rows of %d, the shape %v", in.Name, len(x), row, in.Shape[1:])
	}
	err := ip.uncoded
	if err == nil && ip.coded {
		err = checkFinite(in, 0, x)
	}
	if err != nil {
		return nil, fmt.Errorf("interp: input: %w", err)
	}
	y = slices.Grow(y, len(x)/row*out.Elements())
	for len(x) > 0 {
		n := min(ip.options.Batch, len(x)/row)
		if err := ip.runReal(n, x[:n*row]); err != nil {
			return nil, err
		}
		values, err := appendReal(y, ip.output(0))
		if err != nil {
			return nil, err
		}
		if got := len(values) - len(y); got != n*out.Elements() {
			return nil, fmt.Errorf("interp: output %q: %d elements for %d rows, want %d for each", out.Name, got, n, out.Elements())
		}
		y, x = values, x[n*row:]
	}
	return y, nil
}

// runReal runs rows of real input.
func (ip *Interpreter) runReal(rows int, x []float32) error {
	if err := ip.bind(rows); err != nil {
		return err
	}
	ip.real = x
	err := ip.run()
	ip.real = nil
	return err
}
