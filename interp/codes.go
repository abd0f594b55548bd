package interp

import (
	"fmt"

	"github.com/x448/float16"

	"github.com/goqat/goqat/graph"
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
	p, err := perTensor(t)
	if err == nil {
		err = checkFinite(t, x)
	}
	if err != nil {
		return nil, fmt.Errorf("interp: encode: %w", err)
	}
	switch t.Type {
	case graph.UInt8:
		return encoded[uint8](t, p, x)
	case graph.Int16:
		return encoded[int16](t, p, x)
	}
	return encoded[int8](t, p, x)
}

func encoded[T quant.CodeType](t *graph.Tensor, p quant.Params, x []float32) ([]T, error) {
	codes := make([]T, len(x))
	return codes, quant.Quantize(p, codes, x, []int{len(x)}, grids[t.Type])
}

// Decode returns the real values of elements of t, any number of rows: data
// itself for Float32, the exact values for Float16, scale*(q - zero point) for
// Int8, UInt8, Int16 and Int32, per channel if t has a scale per channel.
//
// Errors: data of another type than t's; an integer tensor without parameters.
func Decode(t *graph.Tensor, data any) ([]float32, error) {
	typ, n, ok := typeOf(data)
	if !ok || typ != t.Type {
		return nil, fmt.Errorf("interp: decode: tensor %q: data is %T, want %v", t.Name, data, t.Type)
	}
	if d, ok := data.([]float32); ok {
		return d, nil
	}
	x := make([]float32, n)
	if d, ok := data.([]uint16); ok {
		for i, bits := range d {
			x[i] = float16.Frombits(bits).Float32()
		}
		return x, nil
	}
	p, err := params(t)
	if err != nil {
		return nil, fmt.Errorf("interp: decode: %w", err)
	}
	shape := []int{n}
	if p.PerChannel() {
		shape = t.Shape
	}
	switch d := data.(type) {
	case []int8:
		err = quant.Dequantize(p, x, d, shape)
	case []uint8:
		err = quant.Dequantize(p, x, d, shape)
	case []int16:
		err = quant.Dequantize(p, x, d, shape)
	case []int32:
		err = quant.Dequantize(p, x, d, shape)
	default:
		err = fmt.Errorf("%v has no real values", t.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("interp: decode: tensor %q: %w", t.Name, err)
	}
	return x, nil
}

// RunFloat runs any number of rows through a graph with one input and one
// output, Options.Batch at a time, and returns the output rows: real values in
// and out, whatever types the graph has. The codes of the output are in
// Output(0) for the rows of the last run: all of them where Options.Batch is
// large enough.
//
// Errors: those of [Encode], [Interpreter.Run] and [Decode]; more inputs or
// outputs; no rows, or a part of one; an output without a batch axis.
func (ip *Interpreter) RunFloat(x []float32) ([]float32, error) {
	g := ip.graph
	if len(g.Inputs) != 1 || len(g.Outputs) != 1 {
		return nil, fmt.Errorf("interp: %d inputs and %d outputs: real rows go through graphs with one of each", len(g.Inputs), len(g.Outputs))
	}
	in, out := g.Inputs[0], g.Outputs[0]
	row := in.Elements()
	if len(x) == 0 || len(x)%row != 0 {
		return nil, fmt.Errorf("interp: input %q: %d elements are not one or more rows of %d", in.Name, len(x), row)
	}
	if ip.coded {
		if err := checkFinite(in, x); err != nil {
			return nil, fmt.Errorf("interp: input: %w", err)
		}
	}
	y := make([]float32, 0, len(x)/row*out.Elements())
	for len(x) > 0 {
		n := min(ip.options.Batch, len(x)/row)
		data, err := Encode(in, x[:n*row])
		if err != nil {
			return nil, err
		}
		if err := ip.Run(data); err != nil {
			return nil, err
		}
		values, err := Decode(out, ip.Output(0))
		if err != nil {
			return nil, err
		}
		if len(values) != n*out.Elements() {
			return nil, fmt.Errorf("interp: output %q: %d elements for %d rows, want %d for each", out.Name, len(values), n, out.Elements())
		}
		y, x = append(y, values...), x[n*row:]
	}
	return y, nil
}
