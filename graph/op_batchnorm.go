package graph

import "fmt"

// Inputs of BatchNorm, by position.
const (
	_ = iota
	InputGamma
	InputBeta
	InputMean
	InputVariance
)

// BatchNorm normalizes each channel (the last axis).
//
//	training:  y = gamma*(x - mean(x))/sqrt(var(x) + Epsilon) + beta
//	inference: y = gamma*(x - Mean)/sqrt(Variance + Epsilon) + beta
//
// Training also updates the moving statistics, with the biased variance:
// moving = moving*Momentum + batch*(1 - Momentum).
//
// Shapes: x [N, ..., C]; gamma, beta, mean, variance [C]; y as x.
//
// Quantized: never alone; it folds into the anchor before it, and where there is
// none, into a 1x1 [DepthwiseConv2D] of ones, see [AnchorBatchNorm].
//
// Source: Keras 3, BatchNormalization.
type BatchNorm struct {
	Epsilon  float32 `json:"epsilon"`
	Momentum float32 `json:"momentum"`
}

func (BatchNorm) Name() string { return "BATCH_NORM" }
func (BatchNorm) Class() Class { return TrainingOnly }

// Infer implements [Op].
func (BatchNorm) Infer(in [][]int) ([]int, error) {
	if err := arity(in, 5, 5); err != nil {
		return nil, err
	}
	return perChannel(in)
}

// FoldWeights multiplies the weights of an anchor by the BatchNorm that follows
// it, channel by channel along Axis, with the moving statistics:
//
//	w' = w * gamma/sqrt(variance + Epsilon)
//
// It stands in QAT graphs whose weights have one scale for all channels, where
// folding and quantizing do not commute.
//
// Inputs in this order: w [..., C, ...], gamma [C], variance [C]; w' as w.
type FoldWeights struct {
	Epsilon float32 `json:"epsilon"`
	// Axis is the anchor's [Anchored.ChannelAxis].
	Axis int `json:"axis,omitempty"`
}

func (FoldWeights) Name() string { return "FOLD_WEIGHTS" }
func (FoldWeights) Class() Class { return TrainingOnly }

// Infer implements [Op].
func (o FoldWeights) Infer(in [][]int) ([]int, error) {
	if err := arity(in, 3, 3); err != nil {
		return nil, err
	}
	w := in[InputX]
	if len(w) < 2 || o.Axis < 0 || o.Axis >= len(w) {
		return nil, &ShapeError{Got: w, Want: fmt.Sprintf("two axes or more, channels along axis %d", o.Axis)}
	}
	if err := channelVectors(in, 1, w[o.Axis]); err != nil {
		return nil, err
	}
	return append([]int(nil), w...), nil
}

// FoldBias is the bias of an anchor with its BatchNorm folded in:
//
//	b' = beta + (b - mean) * gamma/sqrt(variance + Epsilon)
//
// Inputs in this order, each [C]: gamma, variance, beta, mean, and optionally
// b, zero where omitted; b' [C].
type FoldBias struct {
	Epsilon float32 `json:"epsilon"`
}

func (FoldBias) Name() string { return "FOLD_BIAS" }
func (FoldBias) Class() Class { return TrainingOnly }

// Infer implements [Op].
func (FoldBias) Infer(in [][]int) ([]int, error) {
	if err := arity(in, 4, 5); err != nil {
		return nil, err
	}
	gamma := in[0]
	if len(gamma) != 1 {
		return nil, &ShapeError{Got: gamma, Want: "[C]"}
	}
	present := in
	if len(in) == 5 && in[4] == nil {
		present = in[:4]
	}
	if err := channelVectors(present, 1, gamma[0]); err != nil {
		return nil, err
	}
	return append([]int(nil), gamma...), nil
}

// channelVectors checks that every input from first on is [channels].
func channelVectors(in [][]int, first, channels int) error {
	for i := first; i < len(in); i++ {
		if len(in[i]) != 1 || in[i][0] != channels {
			return &ShapeError{Index: i, Got: in[i], Want: fmt.Sprintf("[%d]", channels)}
		}
	}
	return nil
}
