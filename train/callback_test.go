package train_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/train"
)

// spoil adds noise to a parameter after the given epoch, so that validation gets
// worse from there on.
type spoil struct{ after int }

func (s spoil) EpochEnd(f *train.Fitting, e train.Epoch) error {
	if e.Number >= s.after {
		for _, p := range f.Model.Graph().Parameters() {
			for i := range p.Float32s() {
				p.Float32s()[i] *= -2
			}
		}
	}
	return nil
}

// recorder keeps the hash of the variables at the end of each epoch.
type recorder struct{ hashes []string }

func (r *recorder) EpochEnd(f *train.Fitting, _ train.Epoch) error {
	r.hashes = append(r.hashes, hash(f.Model.Graph()))
	return nil
}

func TestEarlyStopping(t *testing.T) {
	for _, c := range []struct {
		name string
		stop *train.EarlyStopping
	}{
		{"validation loss", &train.EarlyStopping{Patience: 2, RestoreBest: true}},
		{"validation accuracy", &train.EarlyStopping{Monitor: train.ValidationMetric, Maximize: true, Patience: 2, RestoreBest: true}},
		{"training loss", &train.EarlyStopping{Monitor: train.TrainingLoss, Patience: 2, RestoreBest: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := cnn(t)
			m, err := train.Compile(g, config())
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			seen := &recorder{}
			h, err := m.Fit(context.Background(), rows(320), train.FitConfig{
				Epochs: 30, Seed: 1, Validation: rows(200), Callbacks: []train.Callback{c.stop, seen, spoil{after: 4}},
			})
			if err != nil {
				t.Fatal(err)
			}
			best := c.stop.BestEpoch()
			if best < 1 || best > 4 {
				t.Errorf("the best epoch is %d, but from the fourth on the weights are spoilt", best)
			}
			if len(h.Epochs) != best+2 {
				t.Errorf("stopped after %d epochs, want the best (%d) and a patience of 2", len(h.Epochs), best)
			}
			if hash(g) != seen.hashes[best-1] {
				t.Errorf("the variables are not those of epoch %d", best)
			}
		})
	}
}

func TestEarlyStoppingRefuses(t *testing.T) {
	m, err := train.Compile(cnn(t), config())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	_, err = m.Fit(context.Background(), rows(32), train.FitConfig{Callbacks: []train.Callback{&train.EarlyStopping{}}})
	if err == nil || !strings.Contains(err.Error(), "FitConfig.Validation is nil") {
		t.Errorf("watching a validation set that is missing gives %v", err)
	}
}

func TestCSVLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.csv")
	h := fitHistory(t, train.CSVLog{Path: path})
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if want := "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate"; lines[0] != want {
		t.Errorf("the header is %q, want %q", lines[0], want)
	}
	if len(lines) != 3 || !strings.HasPrefix(lines[2], "2,") || !strings.HasSuffix(lines[2], ",0.001") {
		t.Errorf("two epochs are logged as %q", lines[1:])
	}
	if accuracy, ok := h.Epochs[1].Validation.Metric("accuracy"); !ok || accuracy <= 0 {
		t.Errorf("the history has no validation accuracy: %+v", h.Epochs[1])
	}
	m, err := train.Compile(cnn(t), config())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	_, err = m.Fit(context.Background(), rows(32), train.FitConfig{Callbacks: []train.Callback{train.CSVLog{Path: path + "/none/log.csv"}}})
	if err == nil || !strings.Contains(err.Error(), "csv log") {
		t.Errorf("a path that cannot be written gives %v", err)
	}
}

func TestProgress(t *testing.T) {
	var text strings.Builder
	fitHistory(t, &train.Progress{Writer: &text, Label: "float32"})
	lines := strings.Split(strings.TrimSpace(text.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("two epochs are shown as %d lines: %q", len(lines), lines)
	}
	for _, want := range []string{"float32 2/2", "loss ", "accuracy ", "val_loss ", "val_accuracy "} {
		if !strings.Contains(lines[1], want) {
			t.Errorf("the line %q lacks %q", lines[1], want)
		}
	}
}

// fitHistory trains for two epochs with a callback.
func fitHistory(t *testing.T, c train.Callback) *train.History {
	t.Helper()
	m, err := train.Compile(cnn(t), config())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	h, err := m.Fit(context.Background(), rows(64), train.FitConfig{Epochs: 2, Seed: 1, Validation: rows(40), Callbacks: []train.Callback{c}})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// A damaged checkpoint is refused, and one that cannot be written keeps the old.
func TestCheckpointFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "checkpoint")
	fitHistory(t, &train.Checkpoint{Path: path})
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := graph.Load(path); err != nil {
		t.Errorf("a checkpoint is not readable as a network: %v", err)
	}
	for name, damaged := range map[string][]byte{"truncated": b[:len(b)-5], "flipped": append(append([]byte(nil), b[:len(b)-1]...), b[len(b)-1]^1)} {
		if err := os.WriteFile(path+name, damaged, 0o644); err != nil {
			t.Fatal(err)
		}
		if m, err := train.Resume(path+name, config()); err == nil {
			m.Close()
			t.Errorf("a %s checkpoint was accepted", name)
		}
	}
}
