package train

import "testing"

func TestAccuracy(t *testing.T) {
	logits := BinaryCrossentropy{FromLogits: true}
	for _, c := range []struct {
		name           string
		output, target []float32
		loss           Loss
		want           float64
	}{
		{"label hit", []float32{0.1, 0.7, 0.2}, []float32{1}, SparseCategoricalCrossentropy{}, 1},
		{"label missed", []float32{0.1, 0.7, 0.2}, []float32{2}, SparseCategoricalCrossentropy{}, 0},
		{"tie goes to the first", []float32{0.5, 0.5}, []float32{0}, SparseCategoricalCrossentropy{}, 1},
		{"one-hot hit", []float32{0.1, 0.7}, []float32{0, 1}, CategoricalCrossentropy{}, 1},
		{"one-hot missed", []float32{0.8, 0.7}, []float32{0, 1}, CategoricalCrossentropy{}, 0},
		{"probability below a half", []float32{0.4}, []float32{0}, BinaryCrossentropy{}, 1},
		{"logit below a half is positive", []float32{0.4}, []float32{1}, logits, 1},
		{"negative logit", []float32{-0.1}, []float32{1}, logits, 0},
	} {
		if got := (Accuracy{}).Score(c.output, c.target, c.loss); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestMAE(t *testing.T) {
	if got := (MAE{}).Score([]float32{1, -2}, []float32{2, 1}, MeanSquaredError{}); got != 2 {
		t.Errorf("mean absolute error %v, want 2", got)
	}
}
