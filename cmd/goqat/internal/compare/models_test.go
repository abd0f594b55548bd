package compare

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/data/synth"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/zoo"
)

// TestModelsTakeTheirOwnData: every model builds for the data that it learns from by
// default, which are labels of all classes in both parts.
func TestModelsTakeTheirOwnData(t *testing.T) {
	names := []string{"cnn", "mlp"}
	for _, n := range zoo.Networks() {
		names = append(names, n.Name)
	}
	for i, m := range Models() {
		if i >= len(names) || m.Name != names[i] || m.About == "" || m.Own.About == "" {
			t.Errorf("model %d is %q: %q on %q", i, m.Name, m.About, m.Own.About)
		}
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			s, err := Open(m, "")
			if err != nil {
				t.Fatal(err)
			}
			if err := s.check(); err != nil {
				t.Error(err)
			}
			if !s.Small || s.Name == "" || strings.Contains(s.Name, "synthetic") != strings.Contains(s.Note, "not recordings") {
				t.Errorf("source %q, note %q, small %t", s.Name, s.Note, s.Small)
			}
			if _, err := m.build(s, 1); err != nil {
				t.Error(err)
			}
			if !slices.Equal(s.Train.InputShape(), s.Test.InputShape()) {
				t.Errorf("training rows %v, test rows %v", s.Train.InputShape(), s.Test.InputShape())
			}
			if err := sameRow(s.Train, s.Test); err != "" {
				t.Error(err)
			}
			labels, err := data.Labels(s.Test)
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(labels)
			if got := len(slices.Compact(labels)); got != data.Classes(s.Test) {
				t.Errorf("test rows of %d of %d classes", got, data.Classes(s.Test))
			}
		})
	}
}

// sameRow tells of a row that two sets have in common.
func sameRow(a, b data.Dataset) string {
	seen := map[string]bool{}
	for i, ds := range []data.Dataset{a, b} {
		width := graph.Elements(ds.InputShape())
		x, y := make([]float32, width), make([]float32, 1)
		for r := range ds.Len() {
			if err := ds.Read([]int{r}, x, y); err != nil {
				return err.Error()
			}
			var key strings.Builder
			for _, v := range x {
				key.WriteByte(byte(int(v * 100)))
			}
			if i == 0 {
				seen[key.String()] = true
			} else if seen[key.String()] {
				return "a test row is a training row"
			}
		}
	}
	return ""
}

// TestRefusedBeforeTraining: what a network cannot take is told with what it takes.
func TestRefusedBeforeTraining(t *testing.T) {
	images, err := synth.Images{Rows: 40, Height: 8, Width: 8}.Make(1)
	if err != nil {
		t.Fatal(err)
	}
	vectors, err := synth.Blobs{Rows: 30, Features: 64, Classes: 3}.Make(1)
	if err != nil {
		t.Fatal(err)
	}
	anomalies, err := data.NewMemory(data.Arrays{InputShape: []int{4}, X: make([]float32, 8), Y: []float32{1, 1}, Classes: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		model string
		ds    data.Dataset
		want  string
	}{
		{"lenet5", images, `compare: lenet5 takes inputs such as [28 28 1], those of data set "mine" have shape [8 8 1]: layers: layer 2 (Conv2D`},
		{"accelerometer", images, `accelerometer takes inputs such as [128 3], those of data set "mine" have shape [8 8 1]`},
		{"resnet8", vectors, `resnet8 takes inputs such as [32 32 3], those of data set "mine" have shape [64]`},
		{"autoencoder", images, `autoencoder takes inputs such as [640]`},
		{"autoencoder", vectors, "there are 3 classes and 10 normal training rows"},
		{"autoencoder", anomalies, "there are 2 classes and 0 normal training rows"},
	} {
		ds := watch(c.ds)
		_, err := Run(t.Context(), Source{Name: "mine", Train: ds, Test: ds}, Config{Model: c.model, Dir: "nowhere"})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.model, err, c.want)
		}
	}
}

// TestSeriesFromFiles: arrays of three axes are read as images with one channel, and
// given to a network of series as series.
func TestSeriesFromFiles(t *testing.T) {
	m, err := ByName("accelerometer")
	if err != nil {
		t.Fatal(err)
	}
	images, err := synth.Images{Rows: 8, Height: 16, Width: 9}.Make(1)
	if err != nil {
		t.Fatal(err)
	}
	ds := m.shaped(images)
	if diff := cmp.Diff([]int{16, 9}, ds.InputShape()); diff != "" || data.Classes(ds) != 4 {
		t.Errorf("%d classes, shape (-want +got):\n%s", data.Classes(ds), diff)
	}
	if _, err := Run(t.Context(), Source{Name: "series", Train: ds, Test: ds}, Config{Model: "accelerometer", Epochs: 1, QATEpochs: 1, Dir: t.TempDir()}); err != nil {
		t.Error(err)
	}
}

func TestAUC(t *testing.T) {
	for _, c := range []struct {
		scores []float64
		labels []int
		want   float64
	}{
		{[]float64{1, 2, 3, 4}, []int{0, 0, 1, 1}, 1},
		{[]float64{4, 3, 2, 1}, []int{0, 0, 1, 1}, 0},
		{[]float64{1, 2, 3, 4}, []int{0, 1, 0, 1}, 0.75},
		{[]float64{5, 5, 5, 5}, []int{0, 1, 0, 1}, 0.5},
		{[]float64{1, 2, 2, 3}, []int{0, 0, 1, 1}, 0.875},
		{[]float64{1, 2}, []int{0, 0}, 0.5},
	} {
		if got := auc(c.scores, c.labels); got != c.want {
			t.Errorf("%v, %v: %v, want %v", c.scores, c.labels, got, c.want)
		}
	}
}

// TestDetection: a network that gives nothing but zeros back errs by the square of
// the row; the threshold is what 95 % of the training rows do not exceed.
func TestDetection(t *testing.T) {
	zero := &graph.Graph{Name: "zero"}
	x := zero.AddInput("x", graph.Float32, []int{1, 1})
	y, err := zero.Add("y", graph.Mul{}, x, &graph.Tensor{Name: "c", Role: graph.Constant, Shape: []int{1}, Data: []float32{0}})
	if err != nil {
		t.Fatal(err)
	}
	zero.Outputs = []*graph.Tensor{y}
	set := func(x, y []float32) data.Dataset {
		ds, err := data.NewMemory(data.Arrays{InputShape: []int{1}, X: x, Y: y, Classes: 2})
		if err != nil {
			t.Fatal(err)
		}
		return ds
	}
	training := make([]float32, 101)
	labels := make([]float32, 101)
	for i := range 100 {
		training[i] = float32(100 - i)
	}
	training[100], labels[100] = 1000, 1 // an anomaly is not learned from
	lessons, err := detection{}.lessons(set(training, labels))
	if err != nil {
		t.Fatal(err)
	}
	if lessons.Len() != 100 {
		t.Errorf("%d normal rows, want 100", lessons.Len())
	}
	test := set([]float32{3, 95, 96, -200, 2}, []float32{0, 0, 0, 1, 1})
	j, err := detection{}.judge(t.Context(), zero, lessons, test, Progress{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{0, 0, 1, 1, 0}, j.predictions); diff != "" {
		t.Errorf("predictions (-want +got):\n%s", diff)
	}
	if d := *j.detector; d.Threshold != 95*95 || d.AUC != 0.5 { // of six pairs, three are in order
		t.Errorf("detector %+v, want threshold 9025 and AUC 0.5", d)
	}
}
