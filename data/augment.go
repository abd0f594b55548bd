package data

import (
	"errors"
	"fmt"

	"github.com/goqat/goqat/internal/parallel"
	"github.com/goqat/goqat/internal/rng"
)

// Augmentation is one step of the pipeline of [Augment]: a random change of one input. [RandomFlip],
// [RandomTranslation], [RandomRotation], [GaussianNoise] and [RandomErasing] are the steps there are.
//
// Those that move pixels take images [height, width, channels], spectrograms and other maps among them, and
// series [steps, channels], which they treat as images one pixel wide.
type Augmentation interface {
	// check reports a step without sense, or one that inputs of this shape do not allow.
	check(shape []int) error
	// apply changes x in place; scratch has the length of x.
	apply(x, scratch []float32, shape []int, random *rng.Stream)
}

// Augmented is a set with a pipeline of augmentations; see [Augment].
type Augmented struct {
	Dataset
	seed  uint64
	steps []Augmentation
	shape []int
	size  int
}

// Augment makes a set whose inputs differ from epoch to epoch: each step changes them at random, one step after
// the other. Targets stay as they are.
//
// What row i becomes in epoch e depends on seed, e, i and the steps alone: not on the order of rows, the size of
// batches, the number of threads, or what was read before. A step keeps its random numbers when those around it
// change. Training asks for an epoch (see [Epoched]); [Dataset.Read] gives the rows as they are, so measuring
// accuracy on the set, or calibrating with it, is not affected.
//
// Errors: no step; a step that would do nothing or whose limits are not numbers or out of order; one that needs
// an image for inputs of another shape.
func Augment(ds Dataset, seed uint64, steps ...Augmentation) (*Augmented, error) {
	shape := ds.InputShape()
	size, err := elements(shape)
	if err != nil {
		return nil, fmt.Errorf("data: augment: input: %w", err)
	}
	var faults []error
	if len(steps) == 0 {
		faults = append(faults, errors.New("data: augment: no steps"))
	}
	for i, s := range steps {
		if s == nil {
			faults = append(faults, fmt.Errorf("data: augment: step %d is nil", i))
		} else if err := s.check(shape); err != nil {
			faults = append(faults, fmt.Errorf("data: augment: step %d, %T: %w", i, s, err))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return &Augmented{ds, seed, append([]Augmentation(nil), steps...), shape, size}, nil
}

// Classes is that of the set below.
func (a *Augmented) Classes() int { return Classes(a.Dataset) }

// Epoch implements [Epoched].
func (a *Augmented) Epoch(epoch int) Dataset {
	return &augmentedEpoch{Augmented: a, rows: Epoch(a.Dataset, epoch), epoch: epoch}
}

// Variation implements [Epoched]: the seed and the steps, behind those of the set below.
func (a *Augmented) Variation() string {
	text := fmt.Sprintf("%saugment seed %d", variation(a.Dataset), a.seed)
	for _, s := range a.steps {
		text += fmt.Sprintf(" %T%+v", s, s)
	}
	return text + "\n"
}

// augmentedEpoch is an [Augmented] in one epoch.
type augmentedEpoch struct {
	*Augmented
	rows  Dataset // the set below in that epoch
	epoch int
}

// Read reads rows and applies the steps to them.
func (a *augmentedEpoch) Read(index []int, x, y []float32) error {
	if err := a.rows.Read(index, x, y); err != nil {
		return err
	}
	parts := parallel.Parts(len(index)*a.size, 1<<11, parallel.MaxParts)
	parallel.For(parts, func(p int) {
		scratch := make([]float32, a.size)
		from, to := parallel.Range(len(index), parts, p)
		for j := from; j < to; j++ {
			for k, s := range a.steps {
				random := rng.New(a.seed, streamAugment, uint64(a.epoch), uint64(index[j]), uint64(k))
				s.apply(x[j*a.size:(j+1)*a.size], scratch, a.shape, random)
			}
		}
	})
	return nil
}
