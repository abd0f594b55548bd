package train

import (
	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/parallel"
	"github.com/goqat/goqat/train/internal/nodes"
)

// ahead reads the batches of one pass over a set, each while the step of the one
// before is computed. Which rows become which numbers does not depend on that.
type ahead struct {
	model    *Model
	ds       data.Dataset
	training bool
	order    []int // rows whose reading has not begun

	background parallel.Background
	read       func()
	step       *nodes.Step // whose Next is being filled
	index      []int       // with these rows; none when nothing is being read
	err        error       // of reading them
}

func newAhead(m *Model, ds data.Dataset, training bool, order []int) *ahead {
	a := &ahead{model: m, ds: ds, training: training, order: order}
	a.read = func() {
		x, y := a.step.Next()
		a.err = a.ds.Read(a.index, x, y)
	}
	return a
}

// more reports whether there is a batch left.
func (a *ahead) more() bool { return len(a.index) > 0 || len(a.order) > 0 }

// next returns the step for the next batch, whose input and target are those
// rows, and begins to read the batch after it. [ahead.wait] is due before
// anything of the user's is called.
//
// Errors: of the set; labels out of range, by row.
func (a *ahead) next() (s *nodes.Step, index []int, err error) {
	if len(a.index) == 0 {
		a.start()
	}
	a.wait()
	if a.err != nil {
		return nil, nil, a.err
	}
	s, index = a.step, a.index
	s.Turn()
	m := a.model
	if err := checkLabels(m.cfg.Loss, s.Target(), graph.Elements(m.g.Outputs[0].Shape[1:]), index); err != nil {
		return nil, nil, err
	}
	a.start()
	return s, index, nil
}

// start begins to read the next batch, if there is one.
func (a *ahead) start() {
	n := min(a.model.cfg.BatchSize, len(a.order))
	a.index, a.order = a.order[:n], a.order[n:]
	if n == 0 {
		return
	}
	if a.step, a.err = a.model.compiled(a.training, n); a.err == nil {
		a.background.Start(a.read)
	}
}

// wait returns when nothing is being read.
func (a *ahead) wait() { a.background.Wait() }
