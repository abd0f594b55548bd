package data

import "fmt"

// Reconstruct is the set whose targets are its inputs, for autoencoders. The targets of ds are not used.
//
// Of an [Epoched] set the inputs vary and the targets do not: with [GaussianNoise] that trains a denoising
// autoencoder.
func Reconstruct(ds Dataset) Dataset { return &reconstruct{Dataset: ds} }

type reconstruct struct {
	Dataset         // rows as they are
	inputs  Dataset // rows as the epoch sees them; nil for rows as they are
}

func (r *reconstruct) TargetShape() []int { return r.InputShape() }
func (r *reconstruct) Variation() string  { return variation(r.Dataset) }
func (r *reconstruct) Epoch(epoch int) Dataset {
	return &reconstruct{r.Dataset, Epoch(r.Dataset, epoch)}
}

func (r *reconstruct) Read(index []int, x, y []float32) error {
	size, err := elements(r.Dataset.TargetShape())
	if err != nil {
		return err
	}
	unused := make([]float32, len(index)*size)
	if err := r.Dataset.Read(index, y, unused); err != nil {
		return err
	}
	if r.inputs != nil {
		return r.inputs.Read(index, x, unused)
	}
	if len(x) != len(y) {
		return fmt.Errorf("data: buffer for %d inputs has length %d, want %d", len(index), len(x), len(y))
	}
	copy(x, y)
	return nil
}
