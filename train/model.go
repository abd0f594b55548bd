package train

import (
	"context"
	"fmt"
	"slices"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/parallel"
	"github.com/goqat/goqat/train/internal/nodes"
)

// Model is a graph made ready for training. It is not safe for concurrent use.
type Model struct {
	g   *graph.Graph
	cfg Config
	// parameters are those of g.
	parameters []*graph.Tensor
	// state holds the optimizer's vectors: by parameter, by slot.
	state       [][][]float32
	projections []projection
	// step counts the updates made so far.
	step uint64
	// seed is that of the compiled training steps: it drives dropout.
	seed uint64
	// training and inference are compiled steps by batch size.
	training, inference map[int]*nodes.Step
	// resume is where the next Fit goes on; nil to start at the first epoch.
	resume *progressState
}

// Compile makes the graph g ready for training by the configuration. The
// variables of g stay in g: Fit changes them in place.
//
// Errors: every fault of the configuration; a graph with faults, with several
// inputs or outputs, or with operators that cannot be trained, by name.
func Compile(g *graph.Graph, c Config) (*Model, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := g.Check(); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	if len(g.Inputs) != 1 || len(g.Outputs) != 1 {
		return nil, fmt.Errorf("train: network %q has %d inputs and %d outputs, want one of each", g.Name, len(g.Inputs), len(g.Outputs))
	}
	m := &Model{g: g, cfg: c, parameters: g.Parameters(), projections: projections(g), training: map[int]*nodes.Step{}, inference: map[int]*nodes.Step{}}
	for _, p := range m.parameters {
		vectors := make([][]float32, len(c.Optimizer.slots()))
		for i := range vectors {
			vectors[i] = make([]float32, p.Elements())
		}
		m.state = append(m.state, vectors)
	}
	if _, err := m.compiled(true, c.BatchSize); err != nil {
		return nil, err // found now rather than in Fit
	}
	return m, nil
}

// Graph returns the graph being trained.
func (m *Model) Graph() *graph.Graph { return m.g }

// Close frees the compiled steps. The graph stays usable.
func (m *Model) Close() error {
	m.forget()
	return nil
}

// forget closes all compiled steps.
func (m *Model) forget() {
	for _, steps := range []map[int]*nodes.Step{m.training, m.inference} {
		for size, s := range steps {
			s.Close()
			delete(steps, size)
		}
	}
}

// compiled returns the step for a batch size, compiling it at first use.
func (m *Model) compiled(training bool, batch int) (*nodes.Step, error) {
	steps := m.inference
	if training {
		steps = m.training
	}
	if s := steps[batch]; s != nil {
		return s, nil
	}
	loss := m.cfg.Loss.spec()
	s, err := nodes.Compile(m.g, nodes.Config{
		Batch: batch, Training: training, Loss: &loss, Seed: m.seed, Executor: executors[m.cfg.Executor],
	})
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	steps[batch] = s
	return s, nil
}

// fits reports a data set that the network cannot take.
func (m *Model) fits(ds data.Dataset) error {
	if ds == nil || ds.Len() == 0 {
		return fmt.Errorf("train: network %q: the data set is empty", m.g.Name)
	}
	if in := m.g.Inputs[0]; !slices.Equal(in.Shape[1:], ds.InputShape()) {
		return fmt.Errorf("train: input %q takes rows of shape %v, but the data set has %v", in.Name, in.Shape[1:], ds.InputShape())
	}
	output := m.g.Outputs[0].Shape[1:]
	if err := m.cfg.Loss.fits(output, ds); err != nil {
		return err
	}
	return metricsFit(m.cfg.Metrics, output, ds)
}

// Evaluate returns the loss and metrics of the network on a set, in inference
// mode: moving statistics, no dropout, nothing observed.
//
// Errors: a set that does not fit the network; ctx's error.
func (m *Model) Evaluate(ctx context.Context, ds data.Dataset) (Scores, error) {
	var sum meter
	err := m.infer(ctx, ds, func(s *nodes.Step, rows int) {
		sum.add(m.cfg, s.Loss(), rows, s.Output(), s.Target())
	})
	if err != nil {
		return Scores{}, err
	}
	return sum.scores(m.cfg.Metrics), nil
}

// Predict returns the network's outputs on a set, row after row, in inference
// mode.
//
// Errors: as [Model.Evaluate].
func (m *Model) Predict(ctx context.Context, ds data.Dataset) ([]float32, error) {
	var out []float32
	err := m.infer(ctx, ds, func(s *nodes.Step, _ int) { out = append(out, s.Output()...) })
	return out, err
}

// infer runs every batch of a set in order through the network.
func (m *Model) infer(ctx context.Context, ds data.Dataset, each func(s *nodes.Step, rows int)) error {
	if err := m.fits(ds); err != nil {
		return err
	}
	order := make([]int, ds.Len())
	for i := range order {
		order[i] = i
	}
	rows := newAhead(m, ds, false, order)
	var pace parallel.Pace
	for rows.more() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := m.inferBatch(rows, &pace, each); err != nil {
			return fmt.Errorf("train: %w", err)
		}
	}
	return nil
}

// inferBatch runs the next batch.
func (m *Model) inferBatch(rows *ahead, pace *parallel.Pace, each func(s *nodes.Step, rows int)) error {
	pace.Start()
	defer pace.Stop()
	s, index, err := rows.next()
	if err != nil {
		return err
	}
	defer rows.wait()
	if err := s.Run(0); err != nil {
		return err
	}
	each(s, len(index))
	return nil
}
