package parallel

import (
	"runtime"
	"time"
)

// A Pace runs steps that do the same work again and again on all cores or, while that is faster, on their caller alone:
// a core that something else needs as well takes parts and then lets the others wait for milliseconds. It goes by the
// clock, which has no influence on results. The zero value is ready; it serves one goroutine.
//
// While a step runs alone, every call of [For] in the process stays on its caller, as in [Outer], and what a
// [Background] starts runs in its Wait.
type Pace struct {
	way, home way              // of the step in hand; what has been faster lately
	mean      [2]time.Duration // of a step, by way, lately; 0 while unknown

	began  time.Duration // the step in hand
	spent  time.Duration // on so many steps in a row
	steps  int
	waking bool // they do not count yet

	waited, patience int // windows since the last trial, and after how many the next is due
	stayed           int // windows since home has changed

	clock func() time.Duration // nil for that of the system
}

// way is how a step runs.
type way int

const (
	together way = iota
	alone
)

// A window is how long it takes to know how fast home is at the moment, a trial the same for the other way; both are so
// many steps, and so long, at least. Helpers take some milliseconds to come where a core is in use: wake.
const (
	windowSteps, trialSteps = 8, 2
	window                  = 10 * time.Millisecond
	trial, wake             = 4 * time.Millisecond, 4 * time.Millisecond
)

const (
	// A trial is due after so many windows, ever more while trials fail, and as soon as the other way promises more.
	shortPatience, longPatience = 4, 64
	// recent is the weight of the last window in the mean, one part of so many: one that is slow means nothing.
	recent = 4
	// gain is what another home must promise, one part of so many.
	gain = 16
)

// Start begins a step.
func (p *Pace) Start() {
	if p.way == alone {
		outer.Add(1)
	}
	p.began = p.now()
}

// Stop ends the step and decides how the next one runs.
func (p *Pace) Stop() {
	if p.way == alone {
		outer.Add(-1)
	}
	p.spent += p.now() - p.began
	p.steps++
	switch {
	case p.waking:
		if p.way == alone || p.spent >= wake {
			p.waking, p.spent, p.steps = false, 0, 0
		}
	case p.way != p.home:
		if p.steps >= trialSteps && p.spent >= trial {
			p.endTrial()
		}
	case p.steps >= windowSteps && p.spent >= window:
		p.endWindow()
	}
}

// endWindow begins a trial if one is due.
func (p *Pace) endWindow() {
	mean, other := p.mean[p.home], p.mean[1-p.home]
	if last := p.spent / time.Duration(p.steps); mean == 0 {
		mean = last
	} else {
		mean += (last - mean) / recent
	}
	p.mean[p.home], p.spent, p.steps = mean, 0, 0
	p.stayed++
	p.waited++
	due := p.waited >= max(p.patience, shortPatience) || other > 0 && other < mean
	if due && runtime.GOMAXPROCS(0) > 1 {
		p.turn(1 - p.home)
	}
}

// endTrial changes home if that is worth it.
func (p *Pace) endTrial() {
	p.mean[p.way] = p.spent / time.Duration(p.steps)
	p.patience = max(shortPatience, min(2*p.patience, longPatience))
	if p.mean[p.way] < p.mean[p.home]-p.mean[p.home]/gain {
		if p.stayed >= longPatience { // not just to and fro
			p.patience = shortPatience
		}
		p.home, p.stayed = p.way, 0
	}
	p.turn(p.home)
	p.waited = 0
}

// turn runs the next steps the given way.
func (p *Pace) turn(to way) { p.way, p.waking, p.spent, p.steps = to, true, 0, 0 }

func (p *Pace) now() time.Duration {
	if p.clock != nil {
		return p.clock()
	}
	return time.Since(loaded)
}

var loaded = time.Now()
