package synth

import (
	"fmt"
	"math"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/internal/rng"
	"github.com/goqat/goqat/internal/trig"
)

// Machine is a synthetic anomaly detection problem: clips of the sound of one machine, a motor with a gear. Normal
// clips, class 0, come first; they differ in speed, load and the noise of the place. In the anomalies behind them, of
// class 1, the bearing knocks, a belt whistles, the gear has worn, or a part rubs, more or less. The seed is the
// machine: what its harmonics are. The zero value has 240 normal clips and 60 anomalies.
//
// Shapes: input [Samples] at 16 kHz, -1 to 1; target [1], a class label.
type Machine struct {
	Normal    int     // 0 means 240
	Anomalies int     // 0 means 60, below 0 none
	Samples   int     // in a clip; 0 means 3072, five frames of audio.AnomalyDetection that do not reach beyond the clip
	Noise     float64 // standard deviation of the noise of the place; 0 means 0.01, below 0 none
}

// Make builds the set.
//
// Errors: no normal clip, a negative length, noise that is not finite.
func (m Machine) Make(seed uint64) (*data.Memory, error) {
	for _, d := range []struct {
		value       *int
		replacement int
	}{{&m.Normal, 240}, {&m.Anomalies, 60}, {&m.Samples, 3072}} {
		if *d.value == 0 {
			*d.value = d.replacement
		}
	}
	if m.Noise == 0 {
		m.Noise = 0.01
	}
	m.Anomalies, m.Noise = max(m.Anomalies, 0), max(m.Noise, 0)
	rows := m.Normal + m.Anomalies
	if m.Normal < 1 || rows < 1 || m.Samples < 1 || m.Samples > math.MaxInt/8/rows || !(m.Noise <= math.MaxFloat32) {
		return nil, fmt.Errorf("synth: machine: %d normal clips, %d anomalies of %d samples, noise %v", m.Normal, m.Anomalies, m.Samples, m.Noise)
	}
	k := newMotor(rng.New(seed, streamMotor))
	x, y := make([]float32, rows*m.Samples), make([]float32, rows)
	for i := range y {
		random := rng.New(seed, streamMachine, uint64(i))
		f := fault{}
		if i >= m.Normal {
			y[i], f = 1, newFault(random)
		}
		k.run(x[i*m.Samples:(i+1)*m.Samples], f, m.Noise, random)
	}
	ds, err := data.NewMemory(data.Arrays{InputShape: []int{m.Samples}, X: x, Y: y, Classes: 2})
	if err != nil {
		return nil, fmt.Errorf("synth: machine: %w", err)
	}
	return ds, nil
}

const (
	machineRate = 16000
	gearTeeth   = 23
)

// motor is what all clips have in common: turns per second, and how loud its harmonics and those of the gear are.
type motor struct {
	speed     float64
	harmonics [12]float64
	gear      [3]float64
}

func newMotor(random *rng.Stream) motor {
	m := motor{speed: 44 + spread(random, 6)}
	for h := range m.harmonics {
		m.harmonics[h] = (0.2 + float64(0.8*random.Float64())) * 0.12 / float64(h+1)
	}
	for h := range m.gear {
		m.gear[h] = (0.5 + float64(0.5*random.Float64())) * 0.04 / float64(h+1)
	}
	return m
}

// fault is what is wrong with an anomaly; the zero value is nothing. Amounts are from 0 to 1.
type fault struct {
	knock, whistle, wear, rub float64
	pitch                     float64 // of the whistle, Hz
}

func newFault(random *rng.Stream) fault {
	f := fault{pitch: 2500 + float64(3500*random.Float64())}
	amounts := [...]*float64{&f.knock, &f.whistle, &f.wear, &f.rub}
	*amounts[random.IntN(len(amounts))] = 0.15 + float64(0.85*random.Float64())
	return f
}

// run fills a clip: harmonics of the speed and of the teeth of the gear, and noise.
func (m motor) run(clip []float32, f fault, noise float64, random *rng.Stream) {
	speed := m.speed * (1 + spread(random, 0.03))
	load, place := 1+spread(random, 0.3), float64(noise*(1+spread(random, 0.5)))
	turn, whistle := random.Float64(), random.Float64()
	for i := range clip {
		t := float64(i) / machineRate
		at := turn + float64(speed*t)
		once := trig.Sin(at)
		worn := 1 + float64(2.5*f.wear*once) // worn teeth sound once a turn, which gives the tone sidebands
		v := float64(load * (series(m.harmonics[:], at) + float64(worn*series(m.gear[:], float64(gearTeeth*at)))))
		v += float64(0.06 * f.whistle * trig.Sin(whistle+float64(f.pitch*t)))
		hiss := place + float64(0.08*f.rub*max(0, once))
		if rest := 1 - float64(4*fraction(float64(3.57*at))); rest > 0 { // 3.57 balls pass in a turn
			hiss += float64(0.25 * f.knock * rest * rest)
		}
		v += float64(hiss * random.Normal())
		clip[i] = float32(min(max(v, -1), 1))
	}
}

// series is the sum of a[k]*sin((k+1)*angle) for an angle in turns, by Chebyshev's recurrence.
func series(a []float64, turns float64) float64 {
	sin, cos := trig.Sincos(turns)
	sum, before, now := 0.0, 0.0, sin
	for _, v := range a {
		sum += float64(v * now)
		before, now = now, float64(2*cos*now)-before
	}
	return sum
}

// fraction is what v is above a whole number.
func fraction(v float64) float64 { return v - math.Floor(v) }
