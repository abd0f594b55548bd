package nodes

import (
	"fmt"
	"math"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/quant"
)

// statistic is a moving statistic of a BatchNorm and the batch's own.
type statistic struct {
	moving   *graph.Tensor
	batch    []float32
	momentum float32
}

// observation is what the FakeQuant nodes of one quantizer saw in a run.
type observation struct {
	quantizer *graph.Quantizer
	nodes     []*extent
	next      quant.Range // after Commit
}

// extent is what one node saw.
type extent struct {
	lo, hi float32
	nan    bool
}

// Commit ends a training step: it moves the BatchNorm statistics, unless they are
// frozen, and the ranges
// of the moving-average quantizers by what the last Run saw, each quantizer once
// by the extremes of all its nodes. Without a Run since the last Commit, or
// outside training, it does nothing.
//
// Errors: NaN or Inf among the values observed, by tensor; nothing is changed
// then.
func (s *Step) Commit() error {
	if !s.fresh {
		return nil
	}
	for _, o := range s.observations {
		r, err := o.merged()
		if err != nil {
			return fmt.Errorf("nodes: tensor %q: %w", o.quantizer.Name, err)
		}
		o.next = r
	}
	statistics := s.statistics
	if s.frozen {
		statistics = nil
	}
	for _, st := range statistics {
		for c, v := range st.batch {
			if v != v || math.IsInf(float64(v), 0) {
				return fmt.Errorf("nodes: tensor %q: channel %d of the batch has %v", st.moving.Name, c, v)
			}
		}
	}
	for _, o := range s.observations {
		o.quantizer.SetRange(o.next)
	}
	for _, st := range statistics {
		f32.MovingAverage(st.moving.Float32s(), st.batch, st.momentum)
	}
	s.fresh = false
	return nil
}

// merged returns the quantizer's range after the run.
func (o *observation) merged() (quant.Range, error) {
	all := *o.nodes[0]
	for _, e := range o.nodes {
		all.lo, all.hi, all.nan = min(all.lo, e.lo), max(all.hi, e.hi), all.nan || e.nan
	}
	if all.nan {
		return quant.Range{}, fmt.Errorf("a value observed is NaN")
	}
	return o.quantizer.Observed().Averaged(all.lo, all.hi, o.quantizer.Decay)
}
