package kerneltest

import (
	"github.com/goqat/goqat/internal/kernels/axes"
	"github.com/goqat/goqat/internal/kernels/f32"
)

// Nonlinear is an activation of one element and its slope: the gradient of the input is the slope times that of the
// output. One of Slope and SlopeAt is set: the slope by the output, or by the input.
type Nonlinear struct {
	Value, Slope, SlopeAt func(float32) float32
}

// LeakyRelu defines f32.LeakyReluTo and f32.LeakyReluGrad.
func LeakyRelu(alpha float32) Nonlinear {
	factor := func(x float32) float32 {
		if x > 0 {
			return 1
		}
		return alpha
	}
	return Nonlinear{Value: func(x float32) float32 { return x * factor(x) }, SlopeAt: factor}
}

// Nonlinears define the functions of package f32 by name.
var Nonlinears = map[string]Nonlinear{
	"Elu": {
		Value: func(x float32) float32 {
			if x > 0 {
				return x
			}
			return f32.Expm1(x)
		},
		Slope: func(y float32) float32 {
			if y > 0 {
				return 1
			}
			return y + 1
		},
	},
	"HardSwish": {
		Value: func(x float32) float32 { return x * min(max(x+3, 0), 6) / 6 },
		SlopeAt: func(x float32) float32 {
			if x <= -3 {
				return 0
			}
			if x >= 3 {
				return 1
			}
			return x/3 + 0.5
		},
	},
	"Sigmoid": {Value: f32.Sigmoid, Slope: func(y float32) float32 { return y * (1 - y) }},
	"Tanh":    {Value: f32.Tanh, Slope: func(y float32) float32 { return (1 - y) * (1 + y) }},
}

// Prelu defines f32.Prelu.
func Prelu(p axes.Pair, y, x, alpha []float32) {
	for i := range y {
		_, j := p.At(i)
		y[i] = LeakyRelu(alpha[j]).Value(x[i])
	}
}

// PreluGrad defines f32.PreluGrad.
func PreluGrad(p axes.Pair, dx, dy, x, alpha []float32) {
	for i := range dx {
		_, j := p.At(i)
		dx[i] = dy[i] * LeakyRelu(alpha[j]).SlopeAt(x[i])
	}
}
