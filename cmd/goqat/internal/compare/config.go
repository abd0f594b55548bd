package compare

import (
	"errors"
	"fmt"
	"io"

	"github.com/goqat/goqat/internal/rng"
	"github.com/goqat/goqat/quant"
)

// Config says what to compare. Apart from Dir the zero value is the default.
type Config struct {
	// Model is the name of a network, see [Models]; empty means cnn.
	Model string
	// Recipe of the int8 files; the zero value is [quant.Int8].
	Recipe quant.Recipe
	// Epochs of the float network: 0 means 5, or what suits the model's own data
	// for a small source.
	Epochs int
	// QATEpochs of training on, with and without quantizers: 0 means 2, or what
	// suits the model's own data for a small source.
	QATEpochs int
	// BatchSize: 0 means 128, or 32 for a small source.
	BatchSize int
	Seed      uint64
	// Dir is where the files go. It must exist.
	Dir string
	// Progress shows how far things are; nil for silence.
	Progress io.Writer
}

const (
	// rate and tuneRate are Adam's learning rates: first, and while training on.
	rate, tuneRate = 1e-3, 1e-4
	// calibrationRows are as many as the TensorFlow guides use.
	calibrationRows = 500
)

// withDefaults fills in the defaults for a source, finds the model and reports
// every fault.
func (c Config) withDefaults(s Source) (Config, Model, error) {
	var faults []error
	m, err := ByName(c.Model)
	if err != nil {
		faults = append(faults, fmt.Errorf("compare: %w", err))
	}
	c.Model = m.Name
	epochs, qatEpochs, batch := 5, 2, 128
	if s.Small {
		epochs, qatEpochs, batch = m.Own.epochs, m.Own.qatEpochs, 32
	}
	for _, f := range []struct {
		name     string
		value    *int
		standard int
	}{
		{"epochs", &c.Epochs, epochs},
		{"QAT epochs", &c.QATEpochs, qatEpochs},
		{"batch size", &c.BatchSize, batch},
	} {
		if *f.value == 0 {
			*f.value = f.standard
		}
		if *f.value < 0 {
			faults = append(faults, fmt.Errorf("compare: %s: %d is negative", f.name, *f.value))
		}
	}
	if c.Recipe.Mode == 0 {
		c.Recipe = quant.Int8()
	}
	if c.Recipe.Mode != quant.Integer {
		faults = append(faults, fmt.Errorf("compare: recipe %q is of mode %v, want mode %v", c.Recipe.Name, c.Recipe.Mode, quant.Integer))
	}
	if c.Dir == "" {
		faults = append(faults, errors.New("compare: no directory for the files"))
	}
	return c, m, errors.Join(append(faults, s.check())...)
}

// Random choices beyond the weights and the first order of rows, each with a
// seed of its own.
const (
	streamTune        = iota + 1 // the order of rows while training on, for QAT and control alike
	streamCalibration            // which rows calibrate
)

func (c Config) seedOf(stream uint64) uint64 { return rng.Key(c.Seed, stream) }
