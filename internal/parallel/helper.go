package parallel

import (
	"runtime"
	"sync/atomic"
)

// A helper is a goroutine that takes parts of other goroutines' jobs. It watches for the next job for a while, as the
// kernels of a training step follow each other within microseconds, in which a goroutine can neither be started nor be
// woken; then it ends, so that nothing runs or has to be closed when there is no work.
var (
	helpers    atomic.Int32        // how many are watching or working, or will be
	hired      atomic.Int32        // those of them that have not begun
	current    atomic.Pointer[job] // of For
	background atomic.Pointer[job] // of Background: second choice
)

// hire makes sure that there are so many helpers.
func hire(wanted int) {
	for join(wanted) {
		hired.Add(1)
		go help()
	}
}

// join counts a helper in if there are fewer than wanted.
func join(wanted int) bool {
	for {
		n := helpers.Load()
		if int(n) >= wanted {
			return false
		}
		if helpers.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// replace takes the place of a helper that has not begun. The system may take long to find a core for it.
func replace() bool {
	for {
		n := hired.Load()
		if n == 0 {
			return false
		}
		if hired.CompareAndSwap(n, n-1) {
			return true
		}
	}
}

// help works until there has been nothing to do for a while.
func help() {
	if !replace() {
		return // another has taken this place
	}
	for {
		if watch(func() bool { return offered(&current) != nil || offered(&background) != nil }) {
			if j := offered(&current); j != nil {
				j.work((*job).takeLast)
			} else if !assist() {
				return
			}
			continue
		}
		helpers.Add(-1)
		// Whoever offered a job before that counted on this helper.
		if offered(&current) == nil && offered(&background) == nil || !join(runtime.GOMAXPROCS(0)-1) {
			return
		}
	}
}

// assist does the background job, which may take long or block: others may be hired meanwhile. It reports whether there
// is still a place for this helper.
func assist() bool {
	helpers.Add(-1)
	if j := offered(&background); j != nil {
		j.work((*job).takeLast)
	}
	return replace() || join(runtime.GOMAXPROCS(0)-1)
}

// offered returns the job at a place if it has parts to take.
func offered(place *atomic.Pointer[job]) *job {
	if j := place.Load(); j != nil && j.offers() {
		return j
	}
	return nil
}

// How long to watch: some 150 microseconds, as a look takes a nanosecond or two and yielding some hundred. It is not
// measured with a clock, which may stand still in tests.
const (
	looks  = 256
	yields = 256
)

// watch looks until something has happened and reports whether it has. In between it lets other goroutines run.
func watch(happened func() bool) bool {
	for range yields {
		for range looks {
			if happened() {
				return true
			}
		}
		runtime.Gosched()
	}
	return happened()
}
