package audio

import (
	"fmt"
	"math"
)

// Bank is a definition of the mel scale together with that of the filters on it. Each band is a triangle that rises
// from the centre of the band below and falls to that of the band above; centres are evenly spaced in mel between the
// edges Low and High, which are no centres.
type Bank uint8

const (
	// HTK has mel(f) = 2595*log10(1 + f/700), triangles that are straight in mel and 1 at their centres, and leaves
	// the bin of 0 Hz out.
	//
	// Source: Young et al., "The HTK Book", section 5.4; TensorFlow, tf.signal.linear_to_mel_weight_matrix.
	HTK Bank = iota
	// HTKRounded is HTK over the bins from floor(1.5 + Low/width) to floor(High/width), with bins of width Hz.
	//
	// Source: TensorFlow, operator Mfcc, which its speech_commands example uses.
	HTKRounded
	// Slaney has a scale that is linear below 1000 Hz, 15 mel, and logarithmic above,
	//
	//	mel(f) = 3*f/200                                 if f < 1000
	//	mel(f) = 15 + 27*log(f/1000)/log(6.4)            otherwise
	//
	// and triangles that are straight in Hz with an area of 1.
	//
	// Source: Slaney, "Auditory Toolbox", 1998; librosa, librosa.filters.mel.
	Slaney
)

// mel converts from Hz.
func (b Bank) mel(hertz float64) float64 {
	if b != Slaney {
		return 2595 * math.Log10(1+hertz/700)
	}
	if hertz < 1000 {
		return 3 * hertz / 200
	}
	return 15 + 27*math.Log(hertz/1000)/math.Log(6.4)
}

// hertz converts from mel.
func (b Bank) hertz(mel float64) float64 {
	if b != Slaney {
		return 700 * (math.Pow(10, mel/2595) - 1)
	}
	if mel < 15 {
		return 200 * mel / 3
	}
	return 1000 * math.Pow(6.4, (mel-15)/27)
}

// filter is one band: the weights of consecutive bins.
type filter struct {
	first   int
	weights []float64
}

// filters computes the bands of a spectrum of the given number of bins, each of width Hz.
//
// Errors: a band so narrow that no bin lies in it.
func (b Bank) filters(bins int, width float64, bands int, low, high float64) ([]filter, error) {
	bottom, top := b.mel(low), b.mel(high)
	edge := func(i int) float64 { return bottom + (top-bottom)*float64(i)/float64(bands+1) }
	first, last := 0, bins-1
	switch b {
	case HTK:
		first = 1
	case HTKRounded:
		first, last = int(1.5+low/width), min(int(high/width), bins-1)
	}
	list := make([]filter, bands)
	for band := range list {
		left, centre, right := edge(band), edge(band+1), edge(band+2)
		at, height := b.mel, 1.0 // where a frequency lies on the axis of the triangle
		if b == Slaney {
			at = func(hertz float64) float64 { return hertz }
			left, centre, right = b.hertz(left), b.hertz(centre), b.hertz(right)
			height = 2 / (right - left)
		}
		f := &list[band]
		for bin := first; bin <= last; bin++ {
			x := at(float64(bin) * width)
			w := min((x-left)/(centre-left), (right-x)/(right-centre)) * height
			if w <= 0 {
				continue
			}
			if len(f.weights) == 0 {
				f.first = bin
			}
			f.weights = append(f.weights, w)
		}
		if len(f.weights) == 0 {
			return nil, fmt.Errorf("band %d of %d, %.0f to %.0f Hz, lies between two bins %.2f Hz apart: use fewer bands or a longer FFT",
				band, bands, b.hertz(edge(band)), b.hertz(edge(band+2)), width)
		}
	}
	return list, nil
}
