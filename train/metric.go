package train

// Metric measures predictions; its value is the mean over the rows seen.
type Metric interface {
	// Name appears in histories and logs: "accuracy".
	Name() string
	// Score measures one row: the network's output against the target.
	Score(output, target []float32, loss Loss) float64
}

// Accuracy is the share of right predictions. With one target and several
// outputs the target is a label and the prediction the largest output (the
// first of equals); with several targets both are the largest; with one output
// the prediction is positive above 0.5, or above 0 when the loss takes logits.
type Accuracy struct{}

// Name implements [Metric].
func (Accuracy) Name() string { return "accuracy" }

// Score implements [Metric].
func (Accuracy) Score(output, target []float32, loss Loss) float64 {
	right := false
	switch {
	case len(output) == 1:
		threshold := float32(0.5)
		if b, ok := loss.(BinaryCrossentropy); ok && b.FromLogits {
			threshold = 0
		}
		right = (output[0] > threshold) == (target[0] > 0.5)
	case len(target) == 1:
		right = float32(Largest(output)) == target[0]
	default:
		right = Largest(output) == Largest(target)
	}
	if right {
		return 1
	}
	return 0
}

// Largest returns the index of the greatest value, the first of equals.
func Largest(values []float32) int {
	best := 0
	for i, v := range values {
		if v > values[best] {
			best = i
		}
	}
	return best
}

// MAE is the mean absolute error over the elements of a row.
type MAE struct{}

// Name implements [Metric].
func (MAE) Name() string { return "mae" }

// Score implements [Metric].
func (MAE) Score(output, target []float32, _ Loss) float64 {
	sum := 0.0
	for i, t := range target {
		sum += max(float64(output[i])-float64(t), float64(t)-float64(output[i]))
	}
	return sum / float64(len(target))
}
