package synth

import (
	"math"
	"slices"

	"github.com/goqat/goqat/internal/trig"
)

// resonator is a filter with one peak:
//
//	y[n] = a*x[n] + b*y[n-1] + c*y[n-2]
//	c = -r^2, b = 2*r*cos(2*pi*frequency/rate), a = 1 - b - c
//
// with r = exp(-pi*bandwidth/rate), of which the first three terms of the series are taken.
type resonator struct{ a, b, c, y1, y2 float64 }

func (r *resonator) tune(frequency, bandwidth float64) {
	d := float64(math.Pi * bandwidth / wordRate)
	radius := 1 - d + float64(d*d/2)
	_, cos := trig.Sincos(frequency / wordRate)
	r.c = float64(-radius * radius)
	r.b = float64(2 * radius * cos)
	r.a = 1 - r.b - r.c
}

func (r *resonator) next(x float64) float64 {
	y := float64(r.a*x) + float64(r.b*r.y1) + float64(r.c*r.y2)
	r.y1, r.y2 = y, r.y1
	return y
}

// vowel and the functions below make phones of some milliseconds.
func vowel(milliseconds, f1, f2, f3 float64) []phone {
	return []phone{{milliseconds: milliseconds, voice: 1, formants: [3]float64{f1, f2, f3}, hissAt: 3000}}
}

// glide is a consonant that is a short, soft vowel: y, l, r or n.
func glide(milliseconds, f1, f2, f3 float64) []phone {
	p := vowel(milliseconds, f1, f2, f3)
	p[0].voice = 0.45
	return p
}

func fricative(milliseconds, loudness, at float64) []phone {
	return []phone{{milliseconds: milliseconds, formants: [3]float64{400, 1500, 2500}, hiss: loudness, hissAt: at}}
}

// stop is silence with a burst behind it.
func stop(burst, loudness, at float64) []phone {
	return slices.Concat(fricative(50, 0, at), fricative(burst, loudness, at))
}

// vocabulary are the words in order of class. Formants of vowels are those of men in Peterson and Barney's table.
var vocabulary = []struct {
	name   string
	phones []phone
}{
	{"yes", slices.Concat(glide(70, 290, 2250, 3000), vowel(150, 530, 1840, 2480), fricative(190, 0.35, 5600))},
	{"no", slices.Concat(glide(90, 280, 1200, 2400), vowel(140, 570, 900, 2410), vowel(110, 380, 900, 2240))},
	{"up", slices.Concat(vowel(150, 640, 1190, 2390), stop(40, 0.5, 900))},
	{"down", slices.Concat(stop(20, 0.5, 3600), vowel(130, 730, 1200, 2440), vowel(90, 440, 1000, 2240), glide(120, 280, 1300, 2400))},
	{"left", slices.Concat(glide(80, 340, 1050, 2700), vowel(120, 530, 1840, 2480), fricative(120, 0.12, 4300), stop(45, 0.5, 4200))},
	{"right", slices.Concat(glide(90, 330, 1100, 1600), vowel(110, 730, 1150, 2440), vowel(110, 310, 2200, 2900), stop(45, 0.5, 4200))},
	{"stop", slices.Concat(fricative(150, 0.35, 5600), stop(20, 0.5, 4000), vowel(150, 730, 1090, 2440), stop(40, 0.5, 900))},
	{"go", slices.Concat(stop(25, 0.6, 1900), vowel(150, 570, 900, 2410), vowel(120, 340, 850, 2240))},
}
