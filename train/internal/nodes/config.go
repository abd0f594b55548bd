package nodes

import "fmt"

// Executor says what runs the expression graph.
type Executor uint8

const (
	// Fast is the machine of this package: no goroutine, nothing allocated.
	Fast Executor = iota
	// Tape is gorgonia.TapeMachine.
	Tape
)

// LossKind is a loss function. x are the predictions or logits of one row, t its
// target, K the size of the last axis.
type LossKind uint8

const (
	// SparseCategoricalCrossentropy is -log p[label]; the target is the label.
	SparseCategoricalCrossentropy LossKind = iota + 1
	// CategoricalCrossentropy is -sum(t * log p).
	CategoricalCrossentropy
	// BinaryCrossentropy is -sum(t*log p + (1-t)*log(1-p)) / K.
	BinaryCrossentropy
	// MeanSquaredError is sum((x-t)^2) / K.
	MeanSquaredError
	// MeanAbsoluteError is sum(|x-t|) / K.
	MeanAbsoluteError
	// Huber is sum(h(|x-t|)) / K, h(d) = d^2/2 up to Delta and
	// Delta*(d - Delta/2) beyond.
	Huber
	// CategoricalHinge is max(0, 1 + max((1-t)*x) - sum(t*x)).
	CategoricalHinge
	// Hinge is sum(max(0, 1-t*x)) / K, with t = -1 for a target of 0.
	Hinge
	// SquaredHinge is sum(max(0, 1-t*x)^2) / K, likewise.
	SquaredHinge
)

var lossNames = map[LossKind]string{
	SparseCategoricalCrossentropy: "sparse categorical cross-entropy",
	CategoricalCrossentropy:       "categorical cross-entropy",
	BinaryCrossentropy:            "binary cross-entropy",
	MeanSquaredError:              "mean squared error",
	MeanAbsoluteError:             "mean absolute error",
	Huber:                         "huber loss",
	CategoricalHinge:              "categorical hinge loss",
	Hinge:                         "hinge loss",
	SquaredHinge:                  "squared hinge loss",
}

func (k LossKind) String() string {
	if s, ok := lossNames[k]; ok {
		return s
	}
	return fmt.Sprintf("loss %d", uint8(k))
}

// crossentropy reports whether the loss takes probabilities or logits.
func (k LossKind) crossentropy() bool { return k <= BinaryCrossentropy }

// Loss is what training minimizes.
type Loss struct {
	Kind LossKind
	// FromLogits says that a cross-entropy gets logits rather than
	// probabilities. It must be false if the network ends in SOFTMAX or
	// LOGISTIC; the categorical losses, or the binary one, are then still
	// computed from the logits, stably.
	FromLogits bool
	// Smoothing a makes a cross-entropy take t*(1-a) + a/C for each target t,
	// with C = K classes, or 2 for the binary one.
	Smoothing float32
	// Delta is where Huber turns from squares to lines.
	Delta float32
}

// check reports settings that the kind does not have or that are out of range.
func (l Loss) check() error {
	switch {
	case lossNames[l.Kind] == "":
		return fmt.Errorf("nodes: unknown %v", l.Kind)
	case l.FromLogits && !l.Kind.crossentropy():
		return fmt.Errorf("nodes: %v takes predictions, not logits", l.Kind)
	case !(l.Smoothing >= 0 && l.Smoothing <= 1):
		return fmt.Errorf("nodes: %v: label smoothing is %v, want 0 to 1", l.Kind, l.Smoothing)
	case l.Smoothing > 0 && !l.Kind.crossentropy():
		return fmt.Errorf("nodes: %v has no label smoothing", l.Kind)
	case l.Kind == Huber && (!(l.Delta > 0) || l.Delta-l.Delta != 0):
		return fmt.Errorf("nodes: %v: delta is %v, want a positive number", l.Kind, l.Delta)
	}
	return nil
}

// Config says what a step computes.
type Config struct {
	// Batch is the number of rows of a step.
	Batch int
	// Training makes gradients, and lets BatchNorm, Dropout and quantizers
	// behave as they do while training. It needs a Loss.
	Training bool
	// Loss to compute; nil for the predictions alone.
	Loss *Loss
	// Seed of the Dropout masks.
	Seed     uint64
	Executor Executor
}

// check reports a configuration that cannot be compiled.
func (c Config) check() error {
	switch {
	case c.Batch < 1:
		return fmt.Errorf("nodes: batch %d is not positive", c.Batch)
	case c.Executor > Tape:
		return fmt.Errorf("nodes: unknown executor %d", c.Executor)
	case c.Loss == nil && c.Training:
		return fmt.Errorf("nodes: training without a loss")
	case c.Loss == nil:
		return nil
	}
	return c.Loss.check()
}
