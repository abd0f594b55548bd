package main

import (
	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/data/audio"
	"github.com/goqat/goqat/data/synth"
)

// words are a training and a test set of MFCC features [49, 10, 1].
type words struct {
	name        string
	labels      []string
	train, test data.Dataset
}

// synthetic makes words and splits them by speaker.
func synthetic() (w words, err error) {
	spec := synth.Words{Rows: 480, Classes: 4, Speakers: 24}
	w.name = "synthetic words"
	if w.labels, err = spec.Labels(); err != nil {
		return w, err
	}
	sound, err := spec.Make(1)
	if err != nil {
		return w, err
	}
	features, err := audio.KeywordSpotting().Extract(sound)
	if err != nil {
		return w, err
	}
	speakers, err := spec.Groups()
	if err != nil {
		return w, err
	}
	w.train, w.test, err = data.SplitGroups(features, speakers, 0.75, 1)
	return w, err
}

// recorded reads folders of WAV files and splits them at random within each
// word.
func recorded(dir string) (w words, err error) {
	files, err := audio.OpenFolder(dir, audio.Folder{Length: 16000, Rate: 16000})
	if err != nil {
		return w, err
	}
	w.name, w.labels = dir, files.Labels()
	features, err := audio.KeywordSpotting().Extract(files)
	if err != nil {
		return w, err
	}
	w.train, w.test, err = data.SplitStratified(features, 0.75, 1)
	return w, err
}
