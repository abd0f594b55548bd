package train

import (
	"fmt"
	"slices"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/train/internal/nodes"
)

// Loss is what training minimizes: the sum over the rows of a batch, each times
// its weight if it has one, divided by the number of rows. The losses are
// [SparseCategoricalCrossentropy], [CategoricalCrossentropy],
// [BinaryCrossentropy], [MeanSquaredError], [MeanAbsoluteError], [Huber],
// [CategoricalHinge], [Hinge] and [SquaredHinge].
type Loss interface {
	// spec names the compiled loss.
	spec() nodes.Loss
	// fits reports a set whose targets the loss cannot compare with outputs of
	// the given shape (without batch).
	fits(output []int, ds data.Dataset) error
}

// SparseCategoricalCrossentropy compares class labels with one output for each
// class.
//
//	loss = -log p[label],  p = softmax(output) with FromLogits
//
// Shapes: output [C]; target [1], a label from 0 to C-1.
//
// A network that ends in Softmax has the loss computed from the Softmax's input,
// which is exact; otherwise probabilities are normalized and limited to
// [1e-7, 1-1e-7] first.
//
// Source: Keras 3, which smooths no labels here.
type SparseCategoricalCrossentropy struct {
	FromLogits bool
	// LabelSmoothing is that of [CategoricalCrossentropy] on one-hot targets.
	LabelSmoothing float64
}

func (l SparseCategoricalCrossentropy) spec() nodes.Loss {
	return nodes.Loss{Kind: nodes.SparseCategoricalCrossentropy, FromLogits: l.FromLogits, Smoothing: float32(l.LabelSmoothing)}
}

func (SparseCategoricalCrossentropy) fits(output []int, ds data.Dataset) error {
	if len(output) != 1 || !slices.Equal(ds.TargetShape(), []int{1}) {
		return fmt.Errorf("train: sparse categorical cross-entropy: output has shape %v and targets %v, want [classes] and [1]", output, ds.TargetShape())
	}
	if c := data.Classes(ds); c > output[0] {
		return fmt.Errorf("train: sparse categorical cross-entropy: %d classes for %d outputs", c, output[0])
	}
	return nil
}

// CategoricalCrossentropy compares one-hot targets (or any distribution) with
// one output for each class.
//
//	loss = -sum target*log p,  p = softmax(output) with FromLogits
//
// Shapes: output [C]; target [C]. See [SparseCategoricalCrossentropy] for
// networks that end in Softmax.
//
// Source: Keras 3.
type CategoricalCrossentropy struct {
	FromLogits bool
	// LabelSmoothing a, from 0 to 1, replaces each target t by t*(1-a) + a/C.
	LabelSmoothing float64
}

func (l CategoricalCrossentropy) spec() nodes.Loss {
	return nodes.Loss{Kind: nodes.CategoricalCrossentropy, FromLogits: l.FromLogits, Smoothing: float32(l.LabelSmoothing)}
}

func (CategoricalCrossentropy) fits(output []int, ds data.Dataset) error {
	return sameShape("categorical cross-entropy", output, ds)
}

// BinaryCrossentropy compares targets in [0, 1] with one output each.
//
//	loss = mean(-target*log p - (1-target)*log(1-p)),  p = sigmoid(output) with FromLogits
//
// Shapes: output and target equal.
//
// A network that ends in Sigmoid has the loss computed from the Sigmoid's input,
// which is exact; otherwise probabilities are limited to [1e-7, 1-1e-7] first.
//
// Source: Keras 3.
type BinaryCrossentropy struct {
	FromLogits bool
	// LabelSmoothing a, from 0 to 1, replaces each target t by t*(1-a) + a/2.
	LabelSmoothing float64
}

func (l BinaryCrossentropy) spec() nodes.Loss {
	return nodes.Loss{Kind: nodes.BinaryCrossentropy, FromLogits: l.FromLogits, Smoothing: float32(l.LabelSmoothing)}
}

func (BinaryCrossentropy) fits(output []int, ds data.Dataset) error {
	return sameShape("binary cross-entropy", output, ds)
}

// MeanSquaredError is mean((output-target)^2) over the elements of a row.
//
// Shapes: output and target equal.
type MeanSquaredError struct{}

func (MeanSquaredError) spec() nodes.Loss { return nodes.Loss{Kind: nodes.MeanSquaredError} }

func (MeanSquaredError) fits(output []int, ds data.Dataset) error {
	return sameShape("mean squared error", output, ds)
}

// MeanAbsoluteError is mean(|output-target|) over the elements of a row; its
// gradient is 0 where they are equal.
//
// Shapes: output and target equal.
type MeanAbsoluteError struct{}

func (MeanAbsoluteError) spec() nodes.Loss { return nodes.Loss{Kind: nodes.MeanAbsoluteError} }

func (MeanAbsoluteError) fits(output []int, ds data.Dataset) error {
	return sameShape("mean absolute error", output, ds)
}

// Huber is the mean over the elements of a row of h(output-target):
//
//	h(d) = d^2/2 where |d| <= Delta,  Delta*(|d| - Delta/2) elsewhere
//
// Shapes: output and target equal. Gradient: d clipped to ±Delta.
//
// Source: Keras 3.
type Huber struct{ Delta float64 } // 0 means 1

func (l Huber) spec() nodes.Loss {
	return nodes.Loss{Kind: nodes.Huber, Delta: float32(orDefault(l.Delta, 1))}
}

func (Huber) fits(output []int, ds data.Dataset) error { return sameShape("huber loss", output, ds) }

// CategoricalHinge compares one-hot targets t with a score x for each class.
//
//	loss = max(0, 1 + max((1-t)*x) - sum(t*x))
//
// Shapes: output and target equal, classes last. Gradient: of the greatest
// scores that are equal, the first.
//
// Source: Keras 3.
type CategoricalHinge struct{}

func (CategoricalHinge) spec() nodes.Loss { return nodes.Loss{Kind: nodes.CategoricalHinge} }

func (CategoricalHinge) fits(output []int, ds data.Dataset) error {
	return sameShape("categorical hinge loss", output, ds)
}

// Hinge is mean(max(0, 1 - target*output)) over the elements of a row. Targets
// are 1 and -1; 0 stands for -1.
//
// Shapes: output and target equal.
//
// Source: Keras 3, which takes 0 for -1 in batches of nothing but 0 and 1.
type Hinge struct{}

func (Hinge) spec() nodes.Loss { return nodes.Loss{Kind: nodes.Hinge} }

func (Hinge) fits(output []int, ds data.Dataset) error { return sameShape("hinge loss", output, ds) }

// SquaredHinge is mean(max(0, 1 - target*output)^2), with the targets of
// [Hinge].
//
// Shapes: output and target equal.
type SquaredHinge struct{}

func (SquaredHinge) spec() nodes.Loss { return nodes.Loss{Kind: nodes.SquaredHinge} }

func (SquaredHinge) fits(output []int, ds data.Dataset) error {
	return sameShape("squared hinge loss", output, ds)
}

func sameShape(loss string, output []int, ds data.Dataset) error {
	if !slices.Equal(output, ds.TargetShape()) {
		return fmt.Errorf("train: %s: output has shape %v and targets %v, want equal shapes", loss, output, ds.TargetShape())
	}
	return nil
}
