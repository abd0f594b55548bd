package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"time"

	"github.com/goqat/goqat/cmd/goqat/internal/memory"
	"github.com/goqat/goqat/fakequant"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/train"
)

// Training is what to measure.
type Training struct {
	Network Network
	Batch   int
	// What is trained: the float network, or the network with the quantizers of
	// [quant.Int8].
	What What
	// Epochs is how many whole epochs to measure; 0 for a part of the set, as
	// long as Time.
	Epochs int
	Time   time.Duration
	// Before is what the program needed before Train, which counts into the
	// first step.
	Before time.Duration
}

// What says how a network is trained.
type What string

// The ways to train.
const (
	Float What = "float"
	QAT   What = "qat"
)

// Result is what a measurement found.
type Result struct {
	Net     string `json:"net"`
	Batch   int    `json:"batch"`
	What    What   `json:"what"`
	Threads int    `json:"threads"`
	// ISA names the instructions that the kernels use: "AVX512", "AVX2" or
	// "portable".
	ISA string `json:"isa"`
	// EpochSeconds is the time that all rows of the set need, at the speed
	// measured.
	EpochSeconds     float64 `json:"epoch_s"`
	SamplesPerSecond float64 `json:"samples_per_s"`
	// FirstStepSeconds passed from the start of the program, without other
	// measurements, to the end of the first step.
	FirstStepSeconds float64 `json:"first_step_s"`
	// AllocsPerStep are heap objects.
	AllocsPerStep float64 `json:"allocs_per_step"`
	// PeakBytes is the greatest memory of the process during the measurement, the
	// set included; 0 where the system does not tell.
	PeakBytes int64  `json:"peak_bytes"`
	Data      string `json:"data"`
	Rows      int    `json:"rows"`
	// Steps is how many were measured: those of Epochs whole epochs, or else of a
	// part of one, or of more than one.
	Steps  int `json:"steps"`
	Epochs int `json:"epochs,omitempty"`
}

// Train measures one training.
//
// Errors: fewer rows than can be measured; ctx's error.
func Train(ctx context.Context, rows Rows, t Training) (Result, error) {
	memory.Reset()
	began := time.Now()
	g, rate, err := t.graph()
	if err != nil {
		return Result{}, err
	}
	m, err := train.Compile(g, train.Config{
		Optimizer: train.Adam{LearningRate: rate},
		Loss:      train.SparseCategoricalCrossentropy{FromLogits: true},
		Metrics:   []train.Metric{train.Accuracy{}},
		BatchSize: t.Batch,
	})
	if err != nil {
		return Result{}, err
	}
	defer m.Close()
	clock := &stopwatch{size: t.Batch, total: rows.Set.Len()}
	epochs := t.Epochs
	if epochs == 0 {
		clock.window, epochs = t.Time/windows, math.MaxInt32 // until the time is up
	}
	// Statistics stay in motion to the end, as they do in other frameworks.
	_, err = m.Fit(ctx, rows.Set, train.FitConfig{
		Epochs: epochs, Seed: 1, FreezeBatchNorm: train.Never, Callbacks: []train.Callback{clock},
	})
	if err != nil && !errors.Is(err, errEnough) {
		return Result{}, err
	}
	r := Result{
		Net: t.Network.Name, Batch: t.Batch, What: t.What, Threads: runtime.GOMAXPROCS(0), ISA: f32.Level(),
		SamplesPerSecond: clock.rate(), FirstStepSeconds: (t.Before + clock.first.Sub(began)).Seconds(),
		AllocsPerStep: clock.allocations(), PeakBytes: memory.Peak(),
		Data: rows.Name, Rows: rows.Set.Len(), Steps: clock.steps - warmup, Epochs: t.Epochs,
	}
	if r.SamplesPerSecond == 0 {
		return Result{}, fmt.Errorf("%d steps in %d epochs are too few to measure", clock.steps, epochs)
	}
	r.EpochSeconds = float64(r.Rows) / r.SamplesPerSecond
	return r, nil
}

// graph returns what is trained and the learning rate.
func (t Training) graph() (g *graph.Graph, rate float64, err error) {
	if g, err = t.Network.Layers.Build(layers.Input{side, side, 1}, 1); err != nil || t.What == Float {
		return g, 1e-3, err
	}
	g, err = fakequant.Insert(g, quant.Int8())
	return g, 1e-4, err
}
