package train_test

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/train"
)

// watchedSet notes what is read, and when, and fails where it is told to.
type watchedSet struct {
	data.Dataset
	batches [][]int // one after another
	reading atomic.Bool
	fail    int // the read that fails, counted from 1
}

var errUnreadable = errors.New("unreadable")

func (w *watchedSet) Classes() int { return data.Classes(w.Dataset) }

func (w *watchedSet) Read(index []int, x, y []float32) error {
	w.reading.Store(true)
	defer w.reading.Store(false)
	w.batches = append(w.batches, slices.Clone(index))
	if len(w.batches) == w.fail {
		return errUnreadable
	}
	return w.Dataset.Read(index, x, y)
}

// quiet counts steps and complains of callbacks during which the set is read.
type quiet struct {
	set   *watchedSet
	steps int
}

func (q *quiet) check() error {
	if q.set.reading.Load() {
		return errors.New("read during a callback")
	}
	return nil
}

func (q *quiet) EpochEnd(*train.Fitting, train.Epoch) error { return q.check() }
func (q *quiet) BatchEnd(*train.Fitting) error              { q.steps++; return q.check() }

// TestReadsAhead: every batch is read once, in the order of the epochs, and
// never while a callback runs; the last batch of an epoch is a small one.
func TestReadsAhead(t *testing.T) {
	set := &watchedSet{Dataset: rows(70)}
	q := &quiet{set: set}
	f := train.FitConfig{Epochs: 3, Seed: 2, Callbacks: []train.Callback{q}}
	if got, want := fit(t, cnn(t), config(), set, f), fit(t, cnn(t), config(), rows(70), train.FitConfig{Epochs: 3, Seed: 2}); got != want {
		t.Error("a watched set gives other weights")
	}
	var want [][]int
	for epoch := range 3 {
		for batch := range data.Batches(data.Shuffle(70, 2, epoch), 32) {
			want = append(want, batch)
		}
	}
	if !slices.EqualFunc(set.batches, want, slices.Equal[[]int]) || q.steps != len(want) {
		t.Errorf("%d steps read %v, want %v", q.steps, set.batches, want)
	}
}

// TestReadErrors: a batch that cannot be read ends training where it is due, not
// where it was read.
func TestReadErrors(t *testing.T) {
	for _, fail := range []int{1, 2, 3, 5} { // of two epochs of three batches
		set := &watchedSet{Dataset: rows(70), fail: fail}
		q := &quiet{set: set}
		m, err := train.Compile(cnn(t), config())
		if err != nil {
			t.Fatal(err)
		}
		h, err := m.Fit(t.Context(), set, train.FitConfig{Epochs: 2, Callbacks: []train.Callback{q}})
		where := []string{"epoch 1, batch 1", "epoch 1, batch 2", "epoch 1, batch 3", "", "epoch 2, batch 2"}[fail-1]
		if !errors.Is(err, errUnreadable) || !strings.Contains(err.Error(), where) || q.steps != fail-1 || len(h.Epochs) != (fail-1)/3 {
			t.Errorf("read %d fails: error %v after %d steps and %d epochs", fail, err, q.steps, len(h.Epochs))
		}
		set.batches, set.fail = nil, 2
		if _, err := m.Evaluate(t.Context(), set); !errors.Is(err, errUnreadable) {
			t.Errorf("evaluation ends with %v", err)
		}
		m.Close()
	}
}
