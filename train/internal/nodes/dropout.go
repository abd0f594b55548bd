package nodes

import (
	"fmt"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/parallel"
	"github.com/goqat/goqat/internal/rng"
)

// partElements is the least number of elements that an elementwise operator
// gives to a thread: some 50 microseconds of work.
const partElements = 1 << 14

// dropout builds [graph.Dropout]; outside training it is the identity.
//
// Element i is kept where value i of the stream (seed, layer's seed, step) is at
// least Rate: the mask depends on nothing else.
func dropout(c *compiler, n *graph.Node) (*operator, error) {
	op := n.Op.(graph.Dropout)
	if !(op.Rate >= 0 && op.Rate < 1) {
		return nil, fmt.Errorf("rate %v is outside [0, 1)", op.Rate)
	}
	if !c.config.Training {
		return nil, nil
	}
	elements := c.elements(n.Output)
	d := &dropped{
		threshold: uint64(float64(op.Rate) * (1 << 64)),
		scale:     1 / (1 - op.Rate),
		mask:      make([]bool, elements),
		parts:     parallel.Parts(elements, partElements, parallel.MaxParts),
	}
	draw, apply := d.draw, d.apply // made once: a method value allocates
	return c.unary(n,
		func(y, x []float32) {
			d.key = rng.Key(c.config.Seed, op.Seed, c.step.number)
			parallel.For(d.parts, draw)
			d.dst, d.src = y, x
			parallel.For(d.parts, apply)
		},
		func(dx, dy, _ []float32) {
			d.dst, d.src = dx, dy
			parallel.For(d.parts, apply)
		}), nil
}

// dropped is the state of a Dropout node during a step.
type dropped struct {
	key, threshold uint64
	scale          float32
	mask           []bool // kept
	parts          int
	dst, src       []float32 // of the pass being run
}

// draw makes one part of the mask.
func (d *dropped) draw(part int) {
	lo, hi := parallel.Range(len(d.mask), d.parts, part)
	for i := lo; i < hi; i++ {
		d.mask[i] = rng.At(d.key, uint64(i)) >= d.threshold
	}
}

// apply computes one part of dst = src*mask/(1-rate).
func (d *dropped) apply(part int) {
	lo, hi := parallel.Range(len(d.mask), d.parts, part)
	for i := lo; i < hi; i++ {
		v := float32(0)
		if d.mask[i] {
			v = d.src[i] * d.scale
		}
		d.dst[i] = v
	}
}
