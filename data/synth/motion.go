package synth

import (
	"fmt"
	"math"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/internal/rng"
	"github.com/goqat/goqat/internal/trig"
)

// Motion is a synthetic set of recordings as of an accelerometer on a belt, one for each subject: 50 steps in a second,
// three axes in units of g. Each goes through bouts of 3 to 7 seconds, labelled step by step: idle, walk, run, and fall,
// which is a fall with the time on the ground after it. Subjects differ in the way they wear the device, in gait and
// in vigour. The zero value has 8 subjects of one minute.
//
// Cut the recordings into windows with data.Windows, where Channels and Classes are [MotionChannels] and
// len([MotionLabels]()).
type Motion struct {
	Subjects int     // 0 means 8
	Steps    int     // in each recording; 0 means 3000
	Noise    float64 // standard deviation in g; 0 means 0.02, below 0 none
}

// MotionChannels is the number of axes of [Motion].
const MotionChannels = 3

// MotionLabels are the classes of [Motion] in order.
func MotionLabels() []string { return []string{"idle", "walk", "run", "fall"} }

const motionRate = 50 // steps per second

// Make builds the recordings.
//
// Errors: a negative count, noise that is not finite.
func (m Motion) Make(seed uint64) ([]data.Series, error) {
	if m.Subjects == 0 {
		m.Subjects = 8
	}
	if m.Steps == 0 {
		m.Steps = 3000
	}
	if m.Noise == 0 {
		m.Noise = 0.02
	}
	m.Noise = max(m.Noise, 0)
	if m.Subjects < 1 || m.Steps < 1 || m.Steps > math.MaxInt/8/MotionChannels || !(m.Noise <= math.MaxFloat32) {
		return nil, fmt.Errorf("synth: motion: %d subjects of %d steps, noise %v", m.Subjects, m.Steps, m.Noise)
	}
	series := make([]data.Series, m.Subjects)
	for i := range series {
		series[i] = m.record(rng.New(seed, streamMotion, uint64(i)))
	}
	return series, nil
}

// subject is what all bouts of a recording have in common.
type subject struct {
	cadence    float64 // walking steps per second
	vigour     float64 // factor of all movements
	roll, lean float64 // of the device against the body, in turns
}

func (m Motion) record(random *rng.Stream) data.Series {
	s := subject{
		cadence: 1.8 + spread(random, 0.2), vigour: 1 + spread(random, 0.25),
		roll: spread(random, 0.06), lean: spread(random, 0.06),
	}
	sinRoll, cosRoll := trig.Sincos(s.roll)
	sinLean, cosLean := trig.Sincos(s.lean)
	out := data.Series{X: make([]float32, 0, m.Steps*MotionChannels), Y: make([]float32, 0, m.Steps)}
	activity := random.IntN(len(activities))
	for len(out.Y) < m.Steps {
		length := (3 + random.IntN(5)) * motionRate
		b := bout{subject: s, tempo: 1 + spread(random, 0.05), phase: random.Float64(), side: float64(2*random.IntN(2)) - 1}
		for step := range min(length, m.Steps-len(out.Y)) {
			ahead, aside, up := activities[activity](b, float64(step)/motionRate)
			// The device is leant forwards or back, then rolled to a side.
			ahead, up = float64(ahead*cosLean)-float64(up*sinLean), float64(ahead*sinLean)+float64(up*cosLean)
			aside, up = float64(aside*cosRoll)-float64(up*sinRoll), float64(aside*sinRoll)+float64(up*cosRoll)
			for _, v := range [MotionChannels]float64{ahead, aside, up} {
				out.X = append(out.X, float32(v+float64(m.Noise*random.Normal())))
			}
			out.Y = append(out.Y, float32(activity))
		}
		activity = (activity + 1 + random.IntN(len(activities)-1)) % len(activities) // never the same twice
	}
	return out
}

// bout is one stretch of one activity.
type bout struct {
	subject
	tempo, phase float64
	side         float64 // -1 or 1: the side to fall to
}

// activities give the acceleration at a time of a bout, in seconds, in order of class. Standing still is (0, 0, 1).
var activities = []func(b bout, t float64) (ahead, aside, up float64){bout.idle, bout.walk, bout.run, bout.fall}

// idle is swaying a little.
func (b bout) idle(t float64) (ahead, aside, up float64) {
	sway := trig.Sin(float64(0.3*t) + b.phase)
	return float64(0.02 * sway), float64(0.015 * trig.Sin(float64(0.23*t)+b.phase)), 1
}

// walk is a swing for each step, and one to the side for each two.
func (b bout) walk(t float64) (ahead, aside, up float64) {
	at := float64(b.cadence*b.tempo*t) + b.phase
	ahead = float64(0.14 * b.vigour * trig.Sin(at+0.2))
	aside = float64(0.1 * b.vigour * trig.Sin(at/2))
	up = 1 + float64(0.28*b.vigour*trig.Sin(at)) + float64(0.1*b.vigour*trig.Sin(float64(2*at)+0.15))
	return ahead, aside, up
}

// run is a flight, weightless, and an impact for each step.
func (b bout) run(t float64) (ahead, aside, up float64) {
	at := float64(1.5*b.cadence*b.tempo*t) + b.phase
	push := max(0, trig.Sin(at))
	ahead = float64(0.45 * b.vigour * trig.Sin(at+0.15))
	aside = float64(0.25 * b.vigour * trig.Sin(at/2))
	up = 0.1 + float64(2.6*b.vigour*push*push)
	return ahead, aside, up
}

// fall is 0.4 seconds nearly weightless, a blow that rings off within half a second, and lying on one side.
func (b bout) fall(t float64) (ahead, aside, up float64) {
	const down, ringing = 0.4, 0.5
	if t < down {
		return float64(0.1 * b.vigour), float64(0.2 * b.side), 0.15
	}
	ahead, aside, up = 0.1, float64(0.97*b.side), 0.2
	if rest := 1 - (t-down)/ringing; rest > 0 {
		blow := float64(3 * b.vigour * rest * rest * rest * trig.Sin(0.25+float64(9*(t-down))))
		aside += float64(b.side * blow)
		ahead += float64(0.4 * blow)
		up += float64(0.6 * blow)
	}
	return ahead, aside, up
}
