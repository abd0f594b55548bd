package samples

import (
	"fmt"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/data/audio"
	"github.com/goqat/goqat/graph"
)

// Features say what is computed of sounds.
type Features uint8

const (
	// Raw takes the samples of the sound, cut or followed by zeros.
	Raw Features = iota
	// Keywords are those of [audio.KeywordSpotting], of one second.
	Keywords
	// Anomalies are windows of 5 frames of those of [audio.AnomalyDetection].
	Anomalies
)

var featureNames = [...]string{Raw: "raw", Keywords: "keywords", Anomalies: "anomalies"}

func (f Features) String() string { return featureNames[f] }

// UnmarshalText reads a name.
func (f *Features) UnmarshalText(b []byte) error {
	for i, name := range featureNames {
		if name == string(b) {
			*f = Features(i)
			return nil
		}
	}
	return fmt.Errorf("unknown features %q, want one of %q", b, featureNames)
}

// openSounds reads a folder of WAV files for each label.
func openSounds(dir string, shape []int, o Options) (data.Dataset, error) {
	folder := audio.Folder{Length: graph.Elements(shape)}
	switch o.Features {
	case Keywords:
		folder.Length = audio.KeywordSpotting().Rate
	case Anomalies:
		folder.Length = 0
	}
	sounds, err := audio.OpenFolder(dir, folder)
	if err != nil {
		return nil, err
	}
	few, err := head(sounds, o.Rows)
	if err != nil || o.Features == Raw {
		return few, err
	}
	if o.Features == Keywords {
		return named(dir)(audio.KeywordSpotting().Extract(few))
	}
	return anomalies(few, o.Rows)
}

// anomalies cuts sounds into windows of frames until there are so many rows.
func anomalies(sounds data.Dataset, rows int) (data.Dataset, error) {
	const frames, bands = 5, 128
	x, y := make([]float32, graph.Elements(sounds.InputShape())), make([]float32, 1)
	var all []data.Series
	for i := range sounds.Len() {
		if err := sounds.Read([]int{i}, x, y); err != nil {
			return nil, err
		}
		s, err := audio.AnomalyDetection().Series(x)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
		if rows > 0 && len(all)*(len(s.X)/bands-frames+1) >= rows {
			break
		}
	}
	return data.Windows{Length: frames, Stride: 1, Channels: bands, Flat: true}.Cut(all)
}
