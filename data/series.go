package data

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Series is one recording: values of some channels over time, an accelerometer's for example.
type Series struct {
	X []float32 // [steps, channels], row-major
	// Y is one target for the whole recording, or one for each step. It may be nil, for targets of 0.
	Y []float32
}

// NewSeries makes a recording of a set whose rows are its steps in their order, such as [ReadCSV] reads with one
// line for each step. The elements of an input are the channels; targets, of shape [1], are those of the steps.
//
// Errors: targets of another shape; errors of the set.
func NewSeries(ds Dataset) (Series, error) {
	if shape := ds.TargetShape(); !slices.Equal(shape, []int{1}) {
		return Series{}, fmt.Errorf("data: series: targets have shape %v, want [1]", shape)
	}
	var s Series
	err := eachRow(ds, func(x, y []float32) error {
		s.X, s.Y = append(s.X, x...), append(s.Y, y...)
		return nil
	})
	return s, err
}

// Windows says how to cut recordings into windows of equal length.
type Windows struct {
	Length   int  // steps in a window
	Stride   int  // steps from the start of a window to that of the next; 0 means Length, without overlap
	Channels int  // 0 means 1
	Classes  int  // as in [Arrays]
	Flat     bool // inputs have one axis instead of two
}

// Windowed is a [Dataset] of windows; see [Windows.Cut].
type Windowed struct {
	spec   Windows
	series []Series
	source []int // of each window: its recording
	start  []int // of each window: its first step
	y      []float32
}

// Cut makes a set of the windows of recordings: in each from its first step, Stride steps apart, as long as whole
// windows fit. The set keeps the values of the recordings: do not change them afterwards.
//
// The target of a window is that of its recording, or of its steps: the class that most of them have, the lower
// one of two, or, where targets are no class labels, the number at its last step.
//
// Overlapping windows share steps, so [Split] would put the same steps on both sides. Cut each side of [SplitTime]
// instead, or split recordings by [SplitGroups] with [Windowed.Sources].
//
// Shapes: input [Length, Channels], or [Length*Channels] with Flat; target [1].
//
// Errors: sizes below 1; values that are not whole steps; a number of targets that is neither 1 nor that of the
// steps; NaN or Inf, or a label out of range, by recording and step; no recording as long as a window.
func (w Windows) Cut(series []Series) (*Windowed, error) {
	if w.Stride == 0 {
		w.Stride = w.Length
	}
	if w.Channels == 0 {
		w.Channels = 1
	}
	if w.Length < 1 || w.Stride < 1 || w.Channels < 1 || w.Length > math.MaxInt/8/w.Channels {
		return nil, fmt.Errorf("data: windows of %d steps, stride %d and %d channels", w.Length, w.Stride, w.Channels)
	}
	if w.Classes < 0 || w.Classes > maxClasses {
		return nil, fmt.Errorf("data: windows: %d classes, want 0 to %d", w.Classes, maxClasses)
	}
	set := &Windowed{spec: w, series: slices.Clone(series)}
	var faults []error
	for i, s := range series {
		if err := w.check(s); err != nil {
			faults = append(faults, fmt.Errorf("data: windows: recording %d: %w", i, err))
			continue
		}
		for start := 0; start <= len(s.X)/w.Channels-w.Length; start += w.Stride {
			set.source, set.start = append(set.source, i), append(set.start, start)
			set.y = append(set.y, w.target(s, start))
		}
	}
	if len(faults) == 0 && len(set.y) == 0 {
		faults = append(faults, fmt.Errorf("data: windows: none of %d recordings has %d steps", len(series), w.Length))
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return set, nil
}

func (w Windows) check(s Series) error {
	if len(s.X)%w.Channels != 0 {
		return fmt.Errorf("%d values are not whole steps of %d channels", len(s.X), w.Channels)
	}
	steps := len(s.X) / w.Channels
	if len(s.Y) > 1 && len(s.Y) != steps {
		return fmt.Errorf("%d targets for %d steps, want one for all or one for each", len(s.Y), steps)
	}
	for i, v := range s.X {
		if name := notFinite(v); name != "" {
			return fmt.Errorf("step %d, channel %d is %s", i/w.Channels, i%w.Channels, name)
		}
	}
	for i, v := range s.Y {
		var err error
		if w.Classes > 0 {
			err = checkLabel(v, w.Classes)
		} else if name := notFinite(v); name != "" {
			err = errors.New("target is " + name)
		}
		if err != nil {
			return fmt.Errorf("step %d: %w", i, err)
		}
	}
	return nil
}

// target is that of the window from start.
func (w Windows) target(s Series, start int) float32 {
	switch {
	case len(s.Y) == 0:
		return 0
	case len(s.Y) == 1:
		return s.Y[0]
	case w.Classes == 0:
		return s.Y[start+w.Length-1]
	}
	labels := slices.Sorted(slices.Values(s.Y[start : start+w.Length]))
	most, longest, run := labels[0], 0, 0
	for i, l := range labels {
		if i > 0 && l != labels[i-1] {
			run = 0
		}
		if run++; run > longest {
			most, longest = l, run
		}
	}
	return most
}

// Len is the number of windows.
func (w *Windowed) Len() int { return len(w.y) }

// InputShape is the shape of one window.
func (w *Windowed) InputShape() []int {
	if w.spec.Flat {
		return []int{w.spec.Length * w.spec.Channels}
	}
	return []int{w.spec.Length, w.spec.Channels}
}

// TargetShape is [1].
func (w *Windowed) TargetShape() []int { return []int{1} }

// Classes is the number of classes, or 0 if the targets are not class labels.
func (w *Windowed) Classes() int { return w.spec.Classes }

// Sources are the numbers of the recordings that the windows were cut from.
func (w *Windowed) Sources() []int { return slices.Clone(w.source) }

// Read copies windows; see [Dataset].
func (w *Windowed) Read(index []int, x, y []float32) error {
	size := w.spec.Length * w.spec.Channels
	if err := checkRead(w.Len(), index, size, 1, x, y); err != nil {
		return err
	}
	for j, i := range index {
		copy(x[j*size:(j+1)*size], w.series[w.source[i]].X[w.start[i]*w.spec.Channels:])
		y[j] = w.y[i]
	}
	return nil
}

// SplitTime divides each recording at one moment: first has the steps before it, fraction of them, rounded down, and
// second those from it on. No step is on both sides, so windows cut from them share none either.
//
// Errors: a fraction outside (0, 1); channels below 1; values that are not whole steps; a number of targets that is
// neither 1 nor that of the steps.
func SplitTime(series []Series, channels int, fraction float64) (first, second []Series, err error) {
	if !(fraction > 0 && fraction < 1) {
		return nil, nil, fmt.Errorf("data: split fraction %v is not between 0 and 1", fraction)
	}
	if channels < 1 {
		return nil, nil, fmt.Errorf("data: split: %d channels", channels)
	}
	for i, s := range series {
		steps := len(s.X) / channels
		if len(s.X)%channels != 0 || len(s.Y) > 1 && len(s.Y) != steps {
			return nil, nil, fmt.Errorf("data: split: recording %d has %d values of %d channels and %d targets",
				i, len(s.X), channels, len(s.Y))
		}
		at := int(fraction * float64(steps))
		before, after := Series{X: s.X[:at*channels], Y: s.Y}, Series{X: s.X[at*channels:], Y: s.Y}
		if len(s.Y) > 1 {
			before.Y, after.Y = s.Y[:at], s.Y[at:]
		}
		first, second = append(first, before), append(second, after)
	}
	return first, second, nil
}
