package interp

import (
	"github.com/x448/float16"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/q16"
	"github.com/goqat/goqat/internal/kernels/q8"
	"github.com/goqat/goqat/quant"
)

func quantize(s site) (kernel, error) {
	out, err := perTensor(s.Output)
	if err != nil {
		return nil, err
	}
	x, y := s.Input(graph.InputX), s.Output
	switch {
	case x.Type == graph.Float32 && y.Type == graph.Int8:
		return toCodes[int8](out, s.Profile.kernels()), nil
	case x.Type == graph.Float32 && y.Type == graph.UInt8:
		return toCodes[uint8](out, s.Profile.kernels()), nil
	case x.Type == graph.Int8 && y.Type == graph.Int8:
		return requantize[int8, int8](s)
	case x.Type == graph.Int8 && y.Type == graph.UInt8:
		return requantize[int8, uint8](s)
	case x.Type == graph.UInt8 && y.Type == graph.Int8:
		return requantize[uint8, int8](s)
	case x.Type == graph.UInt8 && y.Type == graph.UInt8:
		return requantize[uint8, uint8](s)
	case x.Type == graph.Float32 && y.Type == graph.Int16:
		return toWide(out), nil
	case x.Type == graph.Int16 && y.Type == graph.Int16:
		in, out, err := s.activationParams()
		if err != nil {
			return nil, err
		}
		table, err := q16.NewRequantize(in, out)
		return mapped(table), err
	}
	return nil, s.unsupported()
}

func dequantize(s site) (kernel, error) {
	x := s.Input(graph.InputX)
	switch {
	case s.Output.Type != graph.Float32:
	case x.Type == graph.Float16 && s.Profile != TFLM:
		return widen, nil
	case x.Type == graph.Int8:
		return fromCodes[int8](x)
	case x.Type == graph.UInt8:
		return fromCodes[uint8](x)
	case x.Type == graph.Int16:
		return fromWide(x)
	}
	return nil, s.unsupported()
}

func toCodes[T q8.Code](p quant.Params, profile q8.Profile) kernel {
	border := q8.NewBorder[T](p, profile)
	return func(in []*value, out *value) error {
		if err := in[graph.InputX].checkFinite(); err != nil {
			return err
		}
		border.Quantize(elements[T](out), in[graph.InputX].floats())
		return nil
	}
}

func requantize[In, Out q8.Code](s site) (kernel, error) {
	in, out, err := s.activationParams()
	if err != nil {
		return nil, err
	}
	table, err := q8.NewRequantize[In, Out](in, out, s.Profile.kernels())
	if err != nil {
		return nil, err
	}
	return tabulated(table), nil
}

// fromCodes dequantizes activations and, with a scale per channel, weights.
func fromCodes[T q8.Code](x *graph.Tensor) (kernel, error) {
	p, err := params(x)
	if err != nil {
		return nil, err
	}
	if p.PerChannel() {
		return func(in []*value, out *value) error {
			return quant.Dequantize(p, out.floats(), elements[T](in[graph.InputX]), out.shape)
		}, nil
	}
	border := q8.NewBorder[T](p, q8.LiteRT)
	return func(in []*value, out *value) error {
		border.Dequantize(out.floats(), elements[T](in[graph.InputX]))
		return nil
	}, nil
}

// toWide quantizes real values to int16.
func toWide(p quant.Params) kernel {
	return func(in []*value, out *value) error {
		x := in[graph.InputX]
		if err := x.checkFinite(); err != nil {
			return err
		}
		return quant.Quantize(p, elements[int16](out), x.floats(), x.shape, q16.Grid)
	}
}

// fromWide dequantizes int16.
func fromWide(x *graph.Tensor) (kernel, error) {
	p, err := params(x)
	return func(in []*value, out *value) error {
		return quant.Dequantize(p, out.floats(), elements[int16](in[graph.InputX]), out.shape)
	}, err
}

// widen turns float16 bits into float32; every float16 is a float32.
func widen(in []*value, out *value) error {
	y := out.floats()
	for i, bits := range elements[uint16](in[graph.InputX]) {
		y[i] = float16.Frombits(bits).Float32()
	}
	return nil
}
