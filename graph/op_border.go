package graph

// Quantize turns real values into codes, or codes into codes of other
// parameters; the output tensor says which. Shapes: y as x.
//
//	float: q = clamp(half_away(float32(x/scale)) + zero_point)
type Quantize struct{}

func (Quantize) Name() string { return "QUANTIZE" }
func (Quantize) Class() Class { return Border }

// Infer implements [Op].
func (Quantize) Infer(in [][]int) ([]int, error) { return elementwise(in) }

// Dequantize turns codes or float16 values into float32. Shapes: y as x.
//
//	codes: x = scale * (q - zero_point)
type Dequantize struct{}

func (Dequantize) Name() string { return "DEQUANTIZE" }
func (Dequantize) Class() Class { return Border }

// Infer implements [Op].
func (Dequantize) Infer(in [][]int) ([]int, error) { return elementwise(in) }
