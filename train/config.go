package train

import (
	"errors"
	"fmt"

	"github.com/goqat/goqat/train/internal/nodes"
)

// Executor says what runs the Gorgonia graph of a step. Both give the same
// bits.
type Executor uint8

const (
	// OwnVM is goqat's implementation of gorgonia.VM: no allocation per step.
	OwnVM Executor = iota
	// TapeMachine is Gorgonia's reference machine.
	TapeMachine
)

// executors maps the public names to the compiled step's.
var executors = map[Executor]nodes.Executor{OwnVM: nodes.Fast, TapeMachine: nodes.Tape}

// Config says how a graph is trained.
type Config struct {
	Optimizer Optimizer // nil means RMSprop{}, as in Keras
	Loss      Loss      // required
	Metrics   []Metric
	BatchSize int // 0 means 32
	Executor  Executor
}

// withDefaults fills in the defaults and reports every fault.
func (c Config) withDefaults() (Config, error) {
	var faults []error
	if c.Optimizer == nil {
		c.Optimizer = RMSprop{}
	}
	if c.BatchSize == 0 {
		c.BatchSize = 32
	}
	if c.BatchSize < 0 {
		faults = append(faults, fmt.Errorf("train: batch size %d is negative", c.BatchSize))
	}
	if c.Loss == nil {
		faults = append(faults, errors.New("train: Config.Loss is missing"))
	}
	if _, known := executors[c.Executor]; !known {
		faults = append(faults, fmt.Errorf("train: unknown executor %d", c.Executor))
	}
	return c, errors.Join(append(faults, c.Optimizer.check())...)
}

// identity describes what must stay the same for a run to be resumed.
func (c Config) identity() string {
	names := ""
	for _, m := range c.Metrics {
		names += " " + m.Name()
	}
	return fmt.Sprintf("%T%+v %T%+v metrics%s batch %d", c.Optimizer, c.Optimizer, c.Loss, c.Loss, names, c.BatchSize)
}
