package train_test

import (
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/train"
)

// varied are digits that training sees shifted and turned, another way in each epoch.
func varied(t *testing.T, n int, seed uint64) data.Dataset {
	t.Helper()
	ds, err := data.Augment(rows(n), seed, data.RandomTranslation{Height: 0.1, Width: 0.1}, data.RandomRotation{Factor: 0.03})
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

// Variations are those of the epoch, for any number of threads, and a run that
// was interrupted in the middle of an epoch goes on with the same ones.
func TestAugmentedResume(t *testing.T) {
	ds := varied(t, 100, 5)
	f := train.FitConfig{Epochs: 3, Seed: 3}
	want := fit(t, cnn(t), config(), ds, f)
	if got := fit(t, cnn(t), config(), rows(100), f); got == want {
		t.Error("augmentation changes nothing")
	}
	frozen := data.Epoch(ds, 0)
	if got := fit(t, cnn(t), config(), struct{ data.Dataset }{frozen}, f); got == want {
		t.Error("every epoch has the same variation")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if got := fit(t, cnn(t), config(), ds, f); got != want {
		t.Error("one thread gives other weights")
	}

	path := filepath.Join(t.TempDir(), "checkpoint")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m, err := train.Compile(cnn(t), config())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	f.Callbacks = []train.Callback{&train.Checkpoint{Path: path, EverySteps: 2}, &stopAfter{6, cancel}}
	if _, err := m.Fit(ctx, ds, f); !errors.Is(err, context.Canceled) {
		t.Fatalf("the interrupted run ended with %v", err)
	}
	f.Callbacks = nil
	resume := func(ds data.Dataset) (string, error) {
		r, err := train.Resume(path, config())
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		_, err = r.Fit(context.Background(), ds, f)
		return hash(r.Graph()), err
	}
	if got, err := resume(ds); err != nil || got != want {
		t.Errorf("the resumed run ended with weights %s, want %s (%v)", got, want, err)
	}
	for _, other := range []data.Dataset{rows(100), varied(t, 100, 6)} {
		if _, err := resume(other); err == nil || !strings.Contains(err.Error(), "data set differs") {
			t.Errorf("resumed with another pipeline: %v", err)
		}
	}
}

// What is measured is never augmented.
func TestAugmentedValidation(t *testing.T) {
	m, err := train.Compile(cnn(t), config())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	want, err := m.Evaluate(context.Background(), rows(64))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := m.Evaluate(context.Background(), varied(t, 64, 1)); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("scores on the augmented set are %v, want %v (%v)", got, want, err)
	}
	h, err := m.Fit(context.Background(), rows(64), train.FitConfig{Validation: varied(t, 64, 1)})
	if err != nil {
		t.Fatal(err)
	}
	want, err = m.Evaluate(context.Background(), rows(64))
	if err != nil || !reflect.DeepEqual(*h.Epochs[0].Validation, want) {
		t.Errorf("validation gives %v, want %v (%v)", *h.Epochs[0].Validation, want, err)
	}
}
