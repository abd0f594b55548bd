package q8

import (
	"errors"
	"fmt"

	"github.com/goqat/goqat/quant"
)

// checkTensor refuses parameters that cannot belong to an activation tensor
// with codes in grid: one positive finite scale, a zero point in the grid.
func checkTensor(name string, p quant.Params, grid quant.Grid) error {
	if p.PerChannel() {
		return fmt.Errorf("%s has %d scales, an activation has one", name, len(p.Scale))
	}
	if err := p.Check(nil); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if !grid.Contains(p.ZeroPoint[0]) {
		return fmt.Errorf("zero point %d of the %s is outside [%d, %d]", p.ZeroPoint[0], name, grid.Min, grid.Max)
	}
	return nil
}

// checkBorders refuses the parameters of an operator's input or output.
func checkBorders[In, Out Code](in, out quant.Params) error {
	return errors.Join(
		checkTensor("input", in, GridOf[In]()),
		checkTensor("output", out, GridOf[Out]()),
	)
}

// checkWeights refuses weights, their parameters or biases that do not fit
// [outputs, depth], the first axis being that of the scales. No bias is fine.
func checkWeights(outputs, depth, weights, biases int, p quant.Params) error {
	if err := checkCounts(outputs, depth, weights, biases); err != nil {
		return err
	}
	if err := p.Check([]int{outputs, depth}); err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	return nil
}

// checkCounts refuses numbers of weights and biases that do not fit.
func checkCounts(outputs, depth, weights, biases int) error {
	if outputs <= 0 || depth <= 0 {
		return fmt.Errorf("%d outputs of %d inputs each", outputs, depth)
	}
	if weights != outputs*depth {
		return fmt.Errorf("%d weights, want %d for %d outputs of %d inputs each", weights, outputs*depth, outputs, depth)
	}
	if biases != 0 && biases != outputs {
		return fmt.Errorf("%d biases for %d outputs", biases, outputs)
	}
	return nil
}

// checkSymmetric refuses weights with a zero point.
func checkSymmetric(p quant.Params) error {
	for i, z := range p.ZeroPoint {
		if z != 0 {
			return fmt.Errorf("zero point %d of the weights is %d, want 0", i, z)
		}
	}
	return nil
}

// channelScales returns one scale per output.
func channelScales(p quant.Params, outputs int) []float32 {
	if p.PerChannel() {
		return p.Scale
	}
	scales := make([]float32, outputs)
	for i := range scales {
		scales[i] = p.Scale[0]
	}
	return scales
}
