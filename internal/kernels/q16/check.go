package q16

import (
	"errors"
	"fmt"

	"github.com/goqat/goqat/internal/parallel"
	"github.com/goqat/goqat/quant"
)

// Grid has all codes.
var Grid = quant.Signed(16, false)

// checkTensor refuses parameters that cannot belong to an activation: one
// positive finite scale, zero point 0.
func checkTensor(name string, p quant.Params) error {
	if p.PerChannel() {
		return fmt.Errorf("%s has %d scales, an activation has one", name, len(p.Scale))
	}
	if err := p.Check(nil); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if p.ZeroPoint[0] != 0 {
		return fmt.Errorf("zero point of the %s is %d, want 0", name, p.ZeroPoint[0])
	}
	return nil
}

func checkBorders(in, out quant.Params) error {
	return errors.Join(checkTensor("input", in), checkTensor("output", out))
}

// worthwhile is how many steps are worth a goroutine.
const worthwhile = 1 << 16

// each runs f on ranges [lo, hi) of items that take cost steps each, at the same
// time where it is worth it.
func each(items, cost int, f func(lo, hi int)) {
	parts := parallel.Parts(items, worthwhile/max(cost, 1)+1, parallel.MaxParts)
	parallel.For(parts, func(p int) { f(parallel.Range(items, parts, p)) })
}
