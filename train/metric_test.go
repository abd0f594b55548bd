package train

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
		{"score of a hinge loss", []float32{0.1}, []float32{1}, Hinge{}, 1},
		{"negative target of a hinge loss", []float32{-0.1}, []float32{-1}, SquaredHinge{}, 1},
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

func TestTopK(t *testing.T) {
	sparse, oneHot := SparseCategoricalCrossentropy{}, CategoricalCrossentropy{}
	output := []float32{0.3, 0.1, 0.3, 0.2, 0.05, 0.05}
	for class, rank := range []int{1, 4, 1, 3, 5, 5} { // ties share a place
		target := make([]float32, len(output))
		target[class] = 1
		for k := 1; k <= 6; k++ {
			want := 0.0
			if rank <= k {
				want = 1
			}
			if got := (SparseTopKCategoricalAccuracy{K: k}).Score(output, []float32{float32(class)}, sparse); got != want {
				t.Errorf("class %d among the first %d: %v, want %v", class, k, got, want)
			}
			if got := (TopKCategoricalAccuracy{K: k}).Score(output, target, oneHot); got != want {
				t.Errorf("one-hot class %d among the first %d: %v, want %v", class, k, got, want)
			}
		}
	}
	if got := (TopKCategoricalAccuracy{}).Score(output, []float32{0, 0, 0, 0, 0, 1}, oneHot); got != 1 {
		t.Errorf("fifth place is not among the first 5")
	}
}

// over returns the value of an accumulator over rows.
func over(m Accumulator, outputs, targets [][]float32, loss Loss) float64 {
	var counts []float64
	for i := range outputs {
		counts = m.Accumulate(counts, outputs[i], targets[i], loss)
	}
	return m.Value(counts)
}

// column makes rows of one element.
func column(values ...float32) [][]float32 {
	rows := make([][]float32, len(values))
	for i, v := range values {
		rows[i] = []float32{v}
	}
	return rows
}

func TestPrecisionAndRecall(t *testing.T) {
	binary, logits := BinaryCrossentropy{}, BinaryCrossentropy{FromLogits: true}
	sparse, fromLogits := SparseCategoricalCrossentropy{}, SparseCategoricalCrossentropy{FromLogits: true}
	// Three classes: predicted 0 1 1 2, labels 0 1 2 2, never above a half in
	// the last row.
	probabilities := [][]float32{{0.8, 0.1, 0.1}, {0.1, 0.6, 0.3}, {0.1, 0.7, 0.2}, {0.3, 0.3, 0.4}}
	scores := [][]float32{{3, 0, 0}, {0, 2, 0}, {0, 2, 0}, {0.1, 0.1, 0.2}} // likewise: softmax
	labels := column(0, 1, 2, 2)
	oneHot := [][]float32{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {0, 0, 1}}
	for _, c := range []struct {
		name              string
		settings          Precision
		outputs, targets  [][]float32
		loss              Loss
		precision, recall float64
	}{
		{"Keras' example", Precision{}, column(1, 0, 1, 1), column(0, 1, 1, 1), binary, 2. / 3, 2. / 3},
		{"at the threshold is negative", Precision{}, column(0.5, 0.6), column(1, 1), binary, 1, 0.5},
		{"higher threshold", Precision{Threshold: 0.75}, column(0.7, 0.8, 0.9), column(1, 0, 1), binary, 0.5, 0.5},
		{"logits", Precision{}, column(-1, 0, 1e-9, 2), column(1, 0, 1, 0), logits, 0.5, 0.5},
		{"logits and a threshold", Precision{Threshold: 0.75}, column(1.09, 1.1), column(0, 1), logits, 1, 1}, // ln 3 = 1.0986
		{"hinge scores", Precision{}, column(-1, 0.25), column(-1, 1), Hinge{}, 1, 1},
		{"nothing predicted", Precision{}, column(0.1), column(1), binary, 0, 0},
		{"nothing to find", Precision{}, column(0.9), column(0), binary, 0, 0},
		{"classes pooled", Precision{}, probabilities, labels, sparse, 2. / 3, 0.5},
		{"one-hot", Precision{}, probabilities, oneHot, CategoricalCrossentropy{}, 2. / 3, 0.5},
		{"softmax of logits", Precision{}, scores, labels, fromLogits, 2. / 3, 0.5},
		{"softmax of hinge scores", Precision{}, scores, oneHot, CategoricalHinge{}, 2. / 3, 0.5},
		{"one class", Precision{Classes: []int{1}}, probabilities, labels, sparse, 0.5, 1},
		{"no class", Precision{Classes: []int{}}, probabilities, labels, sparse, 0, 0},
		{"the greatest output", Precision{TopK: 1}, probabilities, labels, sparse, 0.75, 0.75},
		{"the greatest output of a class", Precision{TopK: 1, Classes: []int{2}}, scores, labels, fromLogits, 1, 0.5},
		{"two greatest outputs, the first of equals", Precision{TopK: 2}, probabilities[3:], column(0), sparse, 0.5, 1},
		{"two greatest outputs, the second of equals", Precision{TopK: 2}, probabilities[3:], column(1), sparse, 0, 0},
		{"greatest outputs above a threshold", Precision{TopK: 2, Threshold: 0.35}, probabilities[3:], column(0), sparse, 0, 0},
	} {
		if got := over(c.settings, c.outputs, c.targets, c.loss); got != c.precision {
			t.Errorf("%s: precision %v, want %v", c.name, got, c.precision)
		}
		if got := over(Recall(c.settings), c.outputs, c.targets, c.loss); got != c.recall {
			t.Errorf("%s: recall %v, want %v", c.name, got, c.recall)
		}
	}
}

// exactAUC is the share of pairs of a positive and a negative that are in the
// right order, equal ones counting half: the area under the ROC curve.
func exactAUC(p, target []float32) float64 {
	right, pairs := 0.0, 0.0
	for i := range p {
		for j := range p {
			if target[i] > target[j] {
				pairs++
				switch {
				case p[i] > p[j]:
					right++
				case p[i] == p[j]:
					right += 0.5
				}
			}
		}
	}
	return right / pairs
}

func TestAUC(t *testing.T) {
	binary := BinaryCrossentropy{}
	for _, c := range []struct {
		name    string
		m       AUC
		outputs [][]float32
		targets [][]float32
		loss    Loss
		want    float64
	}{
		// Keras' documentation works this one out: 0.75.
		{"three thresholds", AUC{Thresholds: 3}, column(0, 0.5, 0.3, 0.9), column(0, 0, 1, 1), binary, 0.75},
		{"perfect", AUC{}, column(0.1, 0.2, 0.8, 0.9), column(0, 0, 1, 1), binary, 1},
		{"inverted", AUC{}, column(0.9, 0.8, 0.2, 0.1), column(0, 0, 1, 1), binary, 0},
		{"all equal", AUC{}, column(0.5, 0.5), column(0, 1), binary, 0.5},
		{"beyond the range", AUC{}, column(-3, 1.5, float32(math.NaN())), column(0, 1, 0), binary, 1},
		{"one class only", AUC{}, column(0.5, 0.6), column(1, 1), binary, 0},
		{"logits", AUC{}, column(-2, -1, 1, 0.5), column(0, 1, 1, 0), BinaryCrossentropy{FromLogits: true}, 0.75},
		{"hinge scores", AUC{}, column(-2, -1, 1, 0.5), column(-1, 1, 1, -1), Hinge{}, 0.75},
		// Pooled: positives 0.8, 0.6; negatives 0.1, 0.1, 0.3, 0.1.
		{"labels", AUC{}, [][]float32{{0.8, 0.1, 0.1}, {0.3, 0.6, 0.1}}, column(0, 1), SparseCategoricalCrossentropy{}, 1},
	} {
		if got := over(c.m, c.outputs, c.targets, c.loss); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: area %v, want %v", c.name, got, c.want)
		}
	}
	// With a threshold between any two of 200 distinct values the area is exact.
	p, target := make([]float32, 200), make([]float32, 200)
	for i := range p {
		p[i] = (float32(i*77%200) + 0.5) / 200
		if i%3 == 0 || i > 150 && i%2 == 0 {
			target[i] = 1
		}
	}
	got, want := over(AUC{Thresholds: 201}, column(p...), column(target...), binary), exactAUC(p, target)
	if math.Abs(got-want) > 1e-12 {
		t.Errorf("area %v, want the share of pairs in order, %v", got, want)
	}
}

func TestConfusionMatrix(t *testing.T) {
	m := ConfusionMatrix{}
	var counts []float64
	loss := SparseCategoricalCrossentropy{}
	for _, pair := range [][2]int{{0, 0}, {0, 0}, {0, 1}, {1, 1}, {2, 0}, {2, 2}, {2, 2}, {2, 2}} {
		output := []float32{0.1, 0.1, 0.1}
		output[pair[1]] = 0.8
		counts = m.Accumulate(counts, output, []float32{float32(pair[0])}, loss)
	}
	c := m.matrix(counts)
	if diff := cmp.Diff(Confusion{{2, 1, 0}, {0, 1, 0}, {1, 0, 3}}, c); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := m.Value(counts); got != 0.75 {
		t.Errorf("value %v, want an accuracy of 6 in 8", got)
	}
	const table = `class        cat    dog      2  recall
cat            2      1      0   0.667
dog            0      1      0   1.000
2              1      0      3   0.750
precision  0.667  0.500  1.000   0.750
`
	if diff := cmp.Diff(table, c.Table([]string{"cat", "dog"})); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
	binary := m.matrix(m.Accumulate(m.Accumulate(nil, []float32{0.7}, []float32{0}, BinaryCrossentropy{}), []float32{-1}, []float32{1}, Hinge{}))
	if diff := cmp.Diff(Confusion{{0, 1}, {1, 0}}, binary); diff != "" {
		t.Errorf("one output (-want +got):\n%s", diff)
	}
	if p, r := binary.Precision(0), binary.Recall(0); p != 0 || r != 0 {
		t.Errorf("precision %v and recall %v of a class never hit, want 0", p, r)
	}
}

func TestMetricsRefuse(t *testing.T) {
	for _, c := range []struct {
		metrics []Metric
		want    string
	}{
		{[]Metric{Accuracy{}, Accuracy{}}, `two metrics have the name "accuracy"`},
		{[]Metric{Precision{}, Precision{Classes: []int{1}, As: "cats"}}, ``},
		{[]Metric{Precision{Threshold: 2}}, `metric precision: threshold is 2, want 0 to 1`},
		{[]Metric{Recall{TopK: -1}}, `metric recall: TopK is -1`},
		{[]Metric{AUC{Thresholds: 1}}, `metric auc: 1 thresholds, want at least 2`},
		{[]Metric{SparseTopKCategoricalAccuracy{K: -2}}, `k is -2`},
		{[]Metric{TopKCategoricalAccuracy{K: -2}}, `k is -2`},
	} {
		err := checkMetrics(c.metrics)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want %q", c.metrics, err, c.want)
		}
	}
}

// TestDescribed: what a checkpoint says of settings names the fields that are
// set, inside of others too, and nothing that a run changes.
func TestDescribed(t *testing.T) {
	for _, c := range []struct {
		c    Config
		want string
	}{
		{Config{Optimizer: Adam{}, Loss: MeanSquaredError{}, BatchSize: 3}, "train.Adam{} train.MeanSquaredError{} metrics batch 3"},
		{
			Config{
				Optimizer: SGD{LearningRate: 0.5, Schedule: Warmup{Steps: 2, Then: StepDecay{Steps: 3, Rate: 0.5}}},
				Loss:      BinaryCrossentropy{LabelSmoothing: 0.1},
				Metrics:   []Metric{AUC{}, Precision{Classes: []int{1, 2}}}, BatchSize: 3,
			},
			"train.SGD{LearningRate:0.5 Schedule:train.Warmup{Steps:2 Then:train.StepDecay{Steps:3 Rate:0.5}}}" +
				" train.BinaryCrossentropy{LabelSmoothing:0.1} metrics train.AUC{} train.Precision{Classes:[1 2]} batch 3",
		},
	} {
		if got := c.c.identity(); got != c.want {
			t.Errorf("%s\nwant %s", got, c.want)
		}
	}
}
