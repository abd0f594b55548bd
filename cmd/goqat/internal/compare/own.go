package compare

import (
	"slices"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/data/audio"
	"github.com/goqat/goqat/data/digits"
	"github.com/goqat/goqat/data/synth"
	"github.com/goqat/goqat/graph"
)

// The models' own data. Those that are synthetic come from one seed, whatever that
// of a run: runs differ in what they learn, not in what they learn from.
const ownSeed = 1

func openDigits() (Source, error) {
	train, test := digits.Load()
	return Source{Name: "digits", Train: train, Test: test, Small: true}, nil
}

// openLargeDigits has every pixel of the digits four times in both directions.
func openLargeDigits() (Source, error) {
	s, err := openDigits()
	if err != nil {
		return Source{}, err
	}
	s.Name, s.Note = "digits enlarged", "Digits of 8x8 are too small for this network: every pixel stands four times in both directions."
	enlarge := func(x []float32) []float32 {
		var large []float32
		for row := range slices.Chunk(x, 8) {
			for range 4 {
				for _, v := range row {
					large = append(large, v, v, v, v)
				}
			}
		}
		return large
	}
	if s.Train, err = mapped(s.Train, []int{32, 32, 1}, enlarge); err == nil {
		s.Test, err = mapped(s.Test, []int{32, 32, 1}, enlarge)
	}
	return s, err
}

// openWords has eight words of 20 speakers, four of whom are for testing.
func openWords() (Source, error) {
	words := synth.Words{Rows: 1280, Classes: 8, Speakers: 20, Noise: 0.1}
	s := Source{Name: "synthetic words", Note: "Words from a speech synthesizer as MFCC, not recordings; no speaker is in both parts.", Small: true}
	clips, err := words.Make(ownSeed)
	if err != nil {
		return Source{}, err
	}
	ds, err := audio.KeywordSpotting().Extract(clips)
	if err != nil {
		return Source{}, err
	}
	speakers, err := words.Groups()
	if err != nil {
		return Source{}, err
	}
	s.Train, s.Test, err = data.SplitGroups(ds, speakers, 0.8, ownSeed)
	return s, err
}

// openMotion has windows of 2.56 seconds of 12 subjects, three of whom are for
// testing.
func openMotion() (Source, error) {
	s := Source{Name: "synthetic motion", Note: "Computed accelerations, not recordings; no subject is in both parts.", Small: true}
	series, err := synth.Motion{Subjects: 12}.Make(ownSeed)
	if err != nil {
		return Source{}, err
	}
	windows := data.Windows{Length: 128, Stride: 32, Channels: synth.MotionChannels, Classes: len(synth.MotionLabels())}
	if s.Train, err = windows.Cut(series[:9]); err == nil {
		s.Test, err = windows.Cut(series[9:])
	}
	return s, err
}

// openMachine has five frames of 128 log-mel bands of a machine's sound: normal
// ones to learn, normal ones and anomalies to tell apart.
func openMachine() (Source, error) {
	const training, test = 2000, 200
	s := Source{Name: "synthetic machine", Note: "Sounds of a computed machine, not recordings: the training rows are normal, of the test rows half are anomalies.", Small: true}
	clips, err := synth.Machine{Normal: training + test, Anomalies: test}.Make(ownSeed)
	if err != nil {
		return Source{}, err
	}
	f := audio.AnomalyDetection()
	f.Center = false
	ds, err := f.Extract(clips)
	if err != nil {
		return Source{}, err
	}
	// Decibels become numbers around 0, and frames of bands vectors.
	scaled, err := mapped(ds, []int{640}, func(x []float32) []float32 {
		for i, v := range x {
			x[i] = (v + 20) / 20
		}
		return x
	})
	if err != nil {
		return Source{}, err
	}
	all := rows(scaled.Len())
	if s.Train, err = data.Subset(scaled, all[:training]); err == nil {
		s.Test, err = data.Subset(scaled, all[training:])
	}
	return s, err
}

// mapped returns a set of class labels whose inputs are f of those of ds, all rows
// at once, and of the given shape.
func mapped(ds data.Dataset, shape []int, f func(x []float32) []float32) (data.Dataset, error) {
	all := rows(ds.Len())
	x, y := make([]float32, len(all)*graph.Elements(ds.InputShape())), make([]float32, len(all))
	if err := ds.Read(all, x, y); err != nil {
		return nil, err
	}
	return data.NewMemory(data.Arrays{InputShape: shape, X: f(x), Y: y, Classes: data.Classes(ds)})
}
