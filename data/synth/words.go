package synth

import (
	"fmt"
	"math"
	"slices"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/internal/rng"
)

// Words is a synthetic set of spoken words: a small formant synthesizer says them in the voices of several speakers,
// who differ in pitch, in the length of the vocal tract and in tempo, over a noisy ground. They sound like a robot of
// the eighties, and were never spoken by anyone.
//
// Row i is word i mod Classes, of yes, no, up, down, left, right, stop and go, said by speaker i/Classes mod Speakers.
// The zero value has 240 rows of 4 words and 12 speakers.
//
// Shapes: input [16000], one second at 16 kHz, -1 to 1; target [1], a class label.
//
// Source: D. H. Klatt, "Software for a cascade/parallel formant synthesizer", JASA 67(3), 1980, for the resonators;
// D. H. Klatt and L. C. Klatt, JASA 87(2), 1990, for the pulse; Peterson and Barney, JASA 24(2), 1952, for vowels.
type Words struct {
	Rows     int     // 0 means 240
	Classes  int     // words; 0 means 4, at most 8
	Speakers int     // 0 means 12
	Noise    float64 // standard deviation of the ground; 0 means 0.003, below 0 none
}

const (
	wordRate   = 16000 // samples per second, and samples in a row
	wordUpdate = 80    // samples between updates of the filters
)

func (w Words) withDefaults() (Words, error) {
	for _, d := range []struct {
		value       *int
		replacement int
	}{{&w.Rows, 240}, {&w.Classes, 4}, {&w.Speakers, 12}} {
		if *d.value == 0 {
			*d.value = d.replacement
		}
	}
	if w.Noise == 0 {
		w.Noise = 0.003
	}
	w.Noise = max(w.Noise, 0)
	if w.Classes < 1 || w.Classes > len(vocabulary) || w.Rows < w.Classes || w.Speakers < 1 || w.Rows > math.MaxInt/8/wordRate {
		return w, fmt.Errorf("synth: words: %d rows of %d words and %d speakers, want 1 to %d words", w.Rows, w.Classes, w.Speakers, len(vocabulary))
	}
	return w, nil
}

// Labels are the words, in order of class.
//
// Errors: as [Words.Make].
func (w Words) Labels() ([]string, error) {
	w, err := w.withDefaults()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, word := range vocabulary[:w.Classes] {
		names = append(names, word.name)
	}
	return names, nil
}

// Groups are the speakers of the rows, for data.SplitGroups: it keeps each of them on one side.
//
// Errors: as [Words.Make].
func (w Words) Groups() ([]int, error) {
	w, err := w.withDefaults()
	if err != nil {
		return nil, err
	}
	groups := make([]int, w.Rows)
	for i := range groups {
		groups[i] = i / w.Classes % w.Speakers
	}
	return groups, nil
}

// Make builds the set.
//
// Errors: counts outside the stated limits, noise that is not a number.
func (w Words) Make(seed uint64) (*data.Memory, error) {
	w, err := w.withDefaults()
	if err != nil {
		return nil, err
	}
	x, y := make([]float32, w.Rows*wordRate), make([]float32, w.Rows)
	for i := range y {
		y[i] = float32(i % w.Classes)
		voice := newVoice(rng.New(seed, streamSpeakers, uint64(i/w.Classes%w.Speakers)))
		random := rng.New(seed, streamWords, uint64(i))
		w.ground(x[i*wordRate:(i+1)*wordRate], voice.say(vocabulary[i%w.Classes].phones, random), random)
	}
	ds, err := data.NewMemory(data.Arrays{InputShape: []int{wordRate}, X: x, Y: y, Classes: w.Classes})
	if err != nil {
		return nil, fmt.Errorf("synth: words: %w", err)
	}
	return ds, nil
}

// ground puts a word somewhere into a second of noise, at a loudness of its own.
func (w Words) ground(to []float32, word []float64, random *rng.Stream) {
	peak := 0.0
	for _, v := range word {
		peak = max(peak, v, -v)
	}
	gain := (0.3 + float64(0.5*random.Float64())) / peak
	start := random.IntN(len(to) - len(word) + 1)
	for i := range to {
		v := float64(w.Noise * random.Normal())
		if i >= start && i < start+len(word) {
			v += float64(gain * word[i-start])
		}
		to[i] = float32(min(max(v, -1), 1))
	}
}

// voice is what all words of a speaker have in common.
type voice struct {
	pitch float64 // Hz
	tract float64 // factor of all formants: above 1 for a short vocal tract
	tempo float64 // factor of all durations
	rough float64 // noise in the voice
}

func newVoice(random *rng.Stream) voice {
	height := random.Float64() // high voices have short vocal tracts
	return voice{
		pitch: 90 + float64(140*height),
		tract: 0.92 + float64(0.2*height) + spread(random, 0.03),
		tempo: 1 + spread(random, 0.15),
		rough: float64(0.05 * random.Float64()),
	}
}

// spread is uniform in [-width, width).
func spread(random *rng.Stream, width float64) float64 {
	return float64(width * (float64(2*random.Float64()) - 1))
}

// say synthesizes a word: a pulse train and noise through four resonators in a row, and hissing through one of its own.
func (v voice) say(phones []phone, random *rng.Stream) []float64 {
	tempo := v.tempo * (1 + spread(random, 0.08))
	pitch := v.pitch * (1 + spread(random, 0.06))
	tract := v.tract * (1 + spread(random, 0.02))
	track := newTrack(phones, tempo, wordRate*9/10)
	out := make([]float64, track.length)
	var mouth [4]resonator
	var hiss resonator
	var now phone
	phase := 0.0
	for i := range out {
		if i%wordUpdate == 0 {
			now = track.at(i)
			for k, f := range now.formants {
				mouth[k].tune(float64(f*tract), 60+float64(30*float64(k)))
			}
			mouth[3].tune(min(3500*tract, 4200), 250)
			hiss.tune(min(now.hissAt*tract, 7000), 0.3*now.hissAt)
		}
		// The pitch falls by a fifth along a word.
		phase += float64(pitch*(1.1-float64(0.2*float64(i))/float64(len(out)))) / wordRate
		phase -= math.Floor(phase)
		noise := random.Normal()
		source := float64(now.voice * (pulse(phase) + float64(v.rough*noise)))
		for k := range mouth {
			source = mouth[k].next(source)
		}
		edge := min(1, float64(i)/(wordRate/100), float64(len(out)-i)/(wordRate/30)) // without clicks
		out[i] = float64(edge * (source + hiss.next(float64(now.hiss*noise))))
	}
	return out
}

// pulse is the derivative of the flow through the glottis, which is open for 0.6 of a period: with x = phase/0.6,
// the flow is x^2 - x^3.
func pulse(phase float64) float64 {
	if phase >= 0.6 {
		return 0
	}
	x := phase / 0.6
	return float64(2*x) - float64(3*x*x)
}

// phone is one stretch of a word. Parameters change evenly from one to the next.
type phone struct {
	milliseconds float64
	voice        float64    // loudness of the pulses
	formants     [3]float64 // Hz
	hiss         float64    // loudness of the noise of a fricative or a burst
	hissAt       float64    // its frequency, Hz
}

// A track is a sequence of phones in samples.
type track struct {
	phones []phone
	ends   []int
	length int
}

// newTrack stretches phones by tempo, or less so that they fit into limit samples.
func newTrack(phones []phone, tempo float64, limit int) track {
	total := 0.0
	for _, p := range phones {
		total += p.milliseconds
	}
	const perMillisecond = wordRate / 1000
	t := track{phones: phones}
	end, stretch := 0.0, min(tempo*perMillisecond, float64(limit)/total)
	for _, p := range phones {
		end += float64(p.milliseconds * stretch)
		t.ends = append(t.ends, int(end))
	}
	t.length = t.ends[len(t.ends)-1]
	return t
}

// at is the phone at a sample. Around each border it blends from one to the other, over 20 ms or half of the shorter.
func (t track) at(sample int) phone {
	k, _ := slices.BinarySearch(t.ends, sample+1)
	start := 0
	if k > 0 {
		start = t.ends[k-1]
	}
	if before := sample - start; k > 0 && before < t.blend(k-1) {
		return mix(t.phones[k-1], t.phones[k], 0.5+float64(before)/float64(2*t.blend(k-1)))
	}
	if after := t.ends[k] - sample; k+1 < len(t.phones) && after < t.blend(k) {
		return mix(t.phones[k], t.phones[k+1], 0.5-float64(after)/float64(2*t.blend(k)))
	}
	return t.phones[k]
}

// blend is how far the border behind phone k reaches to either side.
func (t track) blend(k int) int {
	start := 0
	if k > 0 {
		start = t.ends[k-1]
	}
	return max(1, min(wordRate/100, (t.ends[k]-start)/2, (t.ends[k+1]-t.ends[k])/2))
}

// mix is a where share is 0 and b where it is 1.
func mix(a, b phone, share float64) phone {
	between := func(x, y float64) float64 { return x + float64(share*(y-x)) }
	c := phone{voice: between(a.voice, b.voice), hiss: between(a.hiss, b.hiss), hissAt: between(a.hissAt, b.hissAt)}
	for i := range c.formants {
		c.formants[i] = between(a.formants[i], b.formants[i])
	}
	return c
}
