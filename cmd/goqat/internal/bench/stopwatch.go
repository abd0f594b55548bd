package bench

import (
	"errors"
	"runtime"
	"slices"
	"time"

	"github.com/goqat/goqat/train"
)

const (
	// warmup steps are not measured: caches and buffers are cold.
	warmup = 5
	// windows is the number of parts of a measurement by time.
	windows = 10
)

// errEnough ends a Fit that has been measured for long enough.
var errEnough = errors.New("measured")

// stopwatch is a callback that measures a Fit in several windows, parts of
// equal length or epochs. Their median is little moved by what else the machine
// does.
type stopwatch struct {
	size, total int           // rows of a batch and of the set
	window      time.Duration // 0: epochs are windows

	first time.Time // when the first step was done
	steps int       // so far

	since   time.Time // start of the window
	rows    int       // in the window so far
	rates   []float64 // rows of a second, by window
	objects uint64    // allocated on the heap before the first window
}

// BatchEnd implements [train.BatchCallback].
func (s *stopwatch) BatchEnd(f *train.Fitting) error {
	s.steps++
	s.rows += min(s.size, s.total-(f.Batch-1)*s.size)
	switch {
	case s.steps == 1:
		s.first = time.Now()
	case s.steps == warmup:
		s.objects = mallocs()
		s.rows, s.since = 0, time.Now()
	case s.steps > warmup && s.window > 0 && time.Since(s.since) >= s.window:
		if s.next(); len(s.rates) == windows {
			return errEnough
		}
	}
	return nil
}

// EpochEnd implements [train.Callback].
func (s *stopwatch) EpochEnd(*train.Fitting, train.Epoch) error {
	if s.steps > warmup && s.window == 0 {
		s.next()
	}
	return nil
}

// next ends a window and begins the next.
func (s *stopwatch) next() {
	now := time.Now()
	s.rates = append(s.rates, float64(s.rows)/now.Sub(s.since).Seconds())
	s.rows, s.since = 0, now
}

// rate returns the median of the windows in rows of a second; 0 if there was
// none.
func (s *stopwatch) rate() float64 {
	n := len(s.rates)
	if n == 0 {
		return 0
	}
	slices.Sort(s.rates)
	return (s.rates[(n-1)/2] + s.rates[n/2]) / 2
}

// allocations returns the heap objects of a step.
func (s *stopwatch) allocations() float64 {
	return float64(mallocs()-s.objects) / float64(max(1, s.steps-warmup))
}

// mallocs returns the number of heap objects allocated so far.
func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}
