package nodes

import (
	"errors"
	"fmt"
	"sync"

	"gorgonia.org/gorgonia"

	"github.com/goqat/goqat/graph"
)

// Step is a network compiled for one batch size.
type Step struct {
	machine gorgonia.VM
	number  uint64 // of the step being run
	fault   error  // of the operator that failed

	input, target *turn // target is nil without a loss
	turns         []*turn
	output        *value
	weights       []float32
	loss          *gorgonia.F32
	gradients     [][]float32
	penalties     []penalty
	penalty       float32 // sum of the penalties in the last Run
	statistics    []statistic
	observations  []*observation
	fresh         bool // a run has been observed and not yet committed
	frozen        bool // BatchNorm uses the moving statistics and keeps them
}

// construction guards Gorgonia's global state, which building a graph or a
// machine writes to.
var construction sync.Mutex

// Compile builds the step that c describes. The parameters, statistics and
// ranges of g stay where they are; g must not change its structure afterwards.
//
// Errors: a faulty graph or configuration; operators that cannot be trained or
// shapes they cannot take, by node; FromLogits on a network that ends in
// SOFTMAX or LOGISTIC.
func Compile(g *graph.Graph, c Config) (s *Step, err error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if err := g.Check(); err != nil {
		return nil, fmt.Errorf("nodes: %w", err)
	}
	construction.Lock()
	defer construction.Unlock()
	defer rescue("compile", &err)
	for salt := range 8 { // one collision is a matter of one in a million
		s, err = newCompiler(g, c, salt).compile()
		if !errors.Is(err, errCollision) {
			break
		}
	}
	return s, err
}

// Input returns the slice [batch, input...] that the caller fills before Run.
func (s *Step) Input() []float32 { return s.input.now.data }

// Target returns the slice that the caller fills with what the output should
// be: [batch, output...], or for sparse labels one number per row. It is nil
// without a loss.
func (s *Step) Target() []float32 {
	if s.target == nil {
		return nil
	}
	return s.target.now.data
}

// Next returns a second input and target. They may be filled while Run is
// running; Turn makes them those of the next Run.
func (s *Step) Next() (input, target []float32) {
	if s.target != nil {
		target = s.target.next.data
	}
	return s.input.next.data, target
}

// Turn exchanges Input and Target for those of Next.
func (s *Step) Turn() {
	for _, t := range s.turns {
		*t.now, t.next = t.next, *t.now
	}
}

// Weights returns the weight of each sample [batch] in the loss; all are 1 until
// the caller changes them. It is nil without a loss.
func (s *Step) Weights() []float32 { return s.weights }

// Output returns the predictions of the last Run, [batch, output...].
func (s *Step) Output() []float32 { return s.output.data }

// Loss returns the loss of the last Run: the sum of each row's loss times its
// weight, divided by the number of rows, and the penalties of the parameters. It
// is 0 without a loss.
func (s *Step) Loss() float32 {
	if s.loss == nil {
		return 0
	}
	return float32(*s.loss) + s.penalty
}

// Gradients returns the gradients of the loss after Run, in the order of the
// graph's Parameters, zero where the loss does not depend on one. The slices
// stay the same from step to step. It is nil unless training.
func (s *Step) Gradients() [][]float32 { return s.gradients }

// Run computes the output and, if configured, the loss and the gradients. The
// number of the step chooses the Dropout masks.
//
// Errors: labels outside their range, by row; weights or ranges that cannot be
// quantized, by tensor. After an error the results are not valid.
func (s *Step) Run(step uint64) (err error) {
	defer rescue("run", &err)
	s.number, s.fault, s.fresh = step, nil, false
	err = s.machine.RunAll()
	s.machine.Reset()
	if s.fault != nil {
		return s.fault // without the machine's wrapping
	}
	if err != nil {
		return fmt.Errorf("nodes: %w", err)
	}
	s.penalize()
	s.fresh = true
	return nil
}

// FreezeStatistics says how the BatchNorm nodes of a training step work from the
// next Run on. Frozen, they normalize with the moving statistics, which are
// constants to the gradients of x, gamma and beta, and Commit leaves them alone.
func (s *Step) FreezeStatistics(frozen bool) { s.frozen = frozen }

// Close releases the machine.
func (s *Step) Close() error { return s.machine.Close() }
