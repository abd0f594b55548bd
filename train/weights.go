package train

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/goqat/goqat/data"
)

// weights are those of the rows in the loss: FitConfig's ClassWeight or
// SampleWeight.
type weights struct {
	class  map[int]float32
	sample []float32
}

// newWeights checks the weights of a Fit.
//
// Errors: both kinds at once; a number of sample weights that is not that of the
// rows; class weights for targets that have no class, or of a class they cannot
// have; a weight that is negative or not finite.
func newWeights(c FitConfig, ds data.Dataset) (weights, error) {
	w := weights{c.ClassWeight, c.SampleWeight}
	if w.class != nil && w.sample != nil {
		return w, fmt.Errorf("train: ClassWeight and SampleWeight at once: multiply them into SampleWeight")
	}
	if w.sample != nil && len(w.sample) != ds.Len() {
		return w, fmt.Errorf("train: %d sample weights for %d rows", len(w.sample), ds.Len())
	}
	for row, v := range w.sample {
		if !validWeight(v) {
			return w, fmt.Errorf("train: the sample weight of row %d is %v, want a finite number of at least 0", row, v)
		}
	}
	target := ds.TargetShape()
	if w.class != nil && len(target) != 1 {
		return w, fmt.Errorf("train: class weights for targets of shape %v, want labels [1] or [classes]", target)
	}
	for _, class := range slices.Sorted(maps.Keys(w.class)) {
		v := w.class[class]
		if n := data.Classes(ds); n == 0 && target[0] > 1 && class >= target[0] || n > 0 && class >= n || class < 0 {
			return w, fmt.Errorf("train: a weight of class %d, which the targets cannot have", class)
		}
		if !validWeight(v) {
			return w, fmt.Errorf("train: the weight of class %d is %v, want a finite number of at least 0", class, v)
		}
	}
	return w, nil
}

func validWeight(v float32) bool { return v >= 0 && !math.IsInf(float64(v), 0) }

// fill writes the weights of the rows of index, whose targets are given.
func (w weights) fill(dst, target []float32, index []int) {
	size := len(target) / len(index)
	for i, row := range index {
		dst[i] = 1
		if w.sample != nil {
			dst[i] = w.sample[row]
		}
		if w.class == nil {
			continue
		}
		t := target[i*size : (i+1)*size]
		class := Largest(t)
		if size == 1 {
			class = int(math.RoundToEven(float64(t[0])))
		}
		if v, ok := w.class[class]; ok {
			dst[i] = v
		}
	}
}

// fingerprint is a hash of the weights, empty for none.
func (w weights) fingerprint() string {
	if w.class == nil && w.sample == nil {
		return ""
	}
	h := sha256.New()
	write := func(v any) { _ = binary.Write(h, binary.LittleEndian, v) } // a hash takes everything
	for _, class := range slices.Sorted(maps.Keys(w.class)) {
		write(int64(class))
		write(w.class[class])
	}
	write(w.sample)
	return hex.EncodeToString(h.Sum(nil))
}
