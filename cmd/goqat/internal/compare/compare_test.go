package compare

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/data/synth"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite"
)

// watched is a set that notes which rows are read and can forbid it.
type watched struct {
	data.Dataset
	reads   []int   // by row: how often
	batches [][]int // one after another
	forbid  func() error
}

func watch(ds data.Dataset) *watched { return &watched{Dataset: ds, reads: make([]int, ds.Len())} }

func (w *watched) Classes() int { return data.Classes(w.Dataset) }

func (w *watched) Read(index []int, x, y []float32) error {
	if w.forbid != nil {
		if err := w.forbid(); err != nil {
			return err
		}
	}
	for _, i := range index {
		w.reads[i]++
	}
	w.batches = append(w.batches, slices.Clone(index))
	return w.Dataset.Read(index, x, y)
}

// quick is a small source whose two parts are watched.
func quick(t *testing.T) (s Source, train, test *watched) {
	t.Helper()
	all, err := synth.Images{Rows: 120, Height: 8, Width: 8, Classes: 3}.Make(1)
	if err != nil {
		t.Fatal(err)
	}
	a, b, err := data.Split(all, 0.75, 1)
	if err != nil {
		t.Fatal(err)
	}
	train, test = watch(a), watch(b)
	return Source{Name: "synthetic", Train: train, Test: test, Small: true}, train, test
}

// TestTestRowsComeLast: nothing may read a test row before every file is
// written, so neither training nor calibration nor a choice can depend on one.
func TestTestRowsComeLast(t *testing.T) {
	s, train, test := quick(t)
	dir := t.TempDir()
	test.forbid = func() error {
		files, err := filepath.Glob(filepath.Join(dir, "*.tflite"))
		if err != nil || len(files) != 7 {
			return errors.New("a test row was read before all files were written")
		}
		return nil
	}
	r, err := Run(t.Context(), s, Config{Epochs: 2, QATEpochs: 1, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Rows) != 7 {
		t.Errorf("%d rows, want 7", len(r.Rows))
	}
	for i, n := range test.reads {
		if n != 1+len(r.Rows) { // once for the label, once for each file
			t.Errorf("test row %d was read %d times, want %d", i, n, 1+len(r.Rows))
		}
	}
	for i, n := range train.reads {
		// 2+1+1 epochs, and the three calibrations, for which all 90 rows do.
		if n != 7 {
			t.Errorf("training row %d was read %d times, want 7", i, n)
		}
	}
}

// TestCalibrationRows: of a larger set, 500 rows calibrate, the same each time.
func TestCalibrationRows(t *testing.T) {
	all, err := synth.Images{Rows: 700, Height: 8, Width: 8, Classes: 2}.Make(1)
	if err != nil {
		t.Fatal(err)
	}
	train, test := watch(all), watch(all)
	_, err = Run(t.Context(), Source{Train: train, Test: test}, Config{Model: "mlp", Epochs: 1, QATEpochs: 1, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	counts := map[int]int{}
	for _, n := range train.reads {
		counts[n]++
	}
	// Three trainings of an epoch each; three calibrations.
	if diff := cmp.Diff(map[int]int{3: 200, 6: 500}, counts); diff != "" {
		t.Errorf("rows by number of reads (-want +got):\n%s", diff)
	}
}

// TestControlIsFair: the control is trained on the same batches as QAT, at the
// same rate and for as long.
func TestControlIsFair(t *testing.T) {
	s, train, _ := quick(t)
	r, err := Run(t.Context(), s, Config{Epochs: 1, QATEpochs: 3, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	epochs := map[string]int{}
	for _, p := range r.Phases {
		for _, e := range p.Epochs {
			if want := map[bool]float64{true: rate, false: tuneRate}[p.Name == "float32"]; e.LearningRate != want {
				t.Errorf("%s: learning rate %v, want %v", p.Name, e.LearningRate, want)
			}
			epochs[p.Name]++
		}
	}
	if diff := cmp.Diff(map[string]int{"float32": 1, "control": 3, "QAT": 3}, epochs); diff != "" {
		t.Errorf("epochs (-want +got):\n%s", diff)
	}
	// 90 rows are three batches: float32, calibration (1), control (9), its
	// calibration (1), that of QAT (1), QAT (9).
	if len(train.batches) != 24 {
		t.Fatalf("%d batches, want 24", len(train.batches))
	}
	control, qat := train.batches[4:13], train.batches[15:24]
	if diff := cmp.Diff(control, qat); diff != "" {
		t.Errorf("batches (-control +QAT):\n%s", diff)
	}
	if cmp.Equal(control[:3], train.batches[:3]) || cmp.Equal(control[:3], control[3:6]) {
		t.Error("two epochs have the same order of rows")
	}
}

func TestFilesDiffer(t *testing.T) {
	s, _, _ := quick(t)
	dir := t.TempDir()
	r, err := Run(t.Context(), s, Config{Epochs: 1, QATEpochs: 1, Dir: dir, Recipe: quant.Int8PerTensor()})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, row := range r.Rows {
		content, err := os.ReadFile(row.Path)
		if err != nil {
			t.Fatal(err)
		}
		if int64(len(content)) != row.Bytes {
			t.Errorf("%s: %d bytes reported, the file has %d", row.Name, row.Bytes, len(content))
		}
		if other, ok := seen[string(content)]; ok {
			t.Errorf("%s and %s are the same file", other, row.Name)
		}
		seen[string(content)] = row.Name
		if err := tflite.Verify(content); err != nil {
			t.Errorf("%s: %v", row.Name, err)
		}
	}
}

func TestRunRefuses(t *testing.T) {
	s, _, _ := quick(t)
	numbers, err := data.NewMemory(data.Arrays{InputShape: []int{1}, X: []float32{1}, Y: []float32{0.5}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		source Source
		config Config
		want   string
	}{
		{"no data", Source{Name: "void"}, Config{Dir: "x"}, `data set "void": a part has no rows`},
		{"no labels", Source{Train: numbers, Test: numbers}, Config{Dir: "x"}, "not class labels"},
		{"no directory", s, Config{}, "no directory"},
		{"negative", s, Config{Dir: "x", Epochs: -1, BatchSize: -2}, "epochs: -1 is negative\ncompare: batch size: -2 is negative"},
		{"recipe", s, Config{Dir: "x", Recipe: quant.DynamicRange()}, `recipe "dynamic-range" is of mode`},
		{"model", s, Config{Dir: "x", Model: "vgg"}, `unknown model "vgg": use cnn, mlp, resnet8`},
		{"missing directory", s, Config{Dir: filepath.Join(t.TempDir(), "a", "b"), Epochs: 1, QATEpochs: 1}, "a/b"},
	} {
		if _, err := Run(context.Background(), c.source, c.config); err == nil || !strings.Contains(filepath.ToSlash(err.Error()), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}
