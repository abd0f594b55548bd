package parallel

import (
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// A job is one call of For in flight, or what a Background runs. Jobs are used again: a helper that is late may hold one
// that is finished, where it finds no part to take, or one that has been opened anew, where it is as welcome as any.
type job struct {
	f     func(part int)
	parts int
	// left counts the parts that nobody has taken; below 1 there are none. f and parts may be read by whoever has taken a
	// part and by the owner.
	left atomic.Int64
	// pending is twice the number of parts that are not finished, plus 1 if the owner sleeps until they are. At 0 only the
	// owner uses the job.
	pending atomic.Int64
	wake    chan struct{} // for the owner

	mu     sync.Mutex
	failed *Panic
}

// jobs recycles job structures: training makes some dozens of calls a millisecond.
var jobs = sync.Pool{New: func() any { return new(job) }}

// open makes a finished job a new one.
func (j *job) open(parts int, f func(part int)) {
	if j.wake == nil {
		j.wake = make(chan struct{}, 1)
	}
	j.f, j.parts = f, parts
	j.pending.Store(2 * int64(parts))
	j.left.Store(int64(parts))
}

// offer lets others take parts: the helpers that watch the place, or goroutines of their own if there is another job.
func (j *job) offer(place *atomic.Pointer[job], helpers int) {
	helpers = min(helpers, runtime.GOMAXPROCS(0)-1)
	switch {
	case helpers < 1:
	case place.CompareAndSwap(nil, j):
		hire(helpers)
	default:
		for range helpers {
			go j.work()
		}
	}
}

// finish takes the parts that are left, waits for the others and returns the lowest panic.
func (j *job) finish(place *atomic.Pointer[job]) *Panic {
	j.work()
	place.CompareAndSwap(j, nil)
	j.wait()
	failed := j.failed
	j.f, j.failed = nil, nil
	return failed
}

// work takes parts until none is left.
func (j *job) work() {
	finished := int64(0)
	for {
		left := j.left.Add(-1)
		if left < 0 {
			break
		}
		j.call(j.parts - 1 - int(left))
		finished++
	}
	// After the last part the job is its owner's, who may be gone: unless it sleeps, it must not be touched again.
	if finished > 0 && j.pending.Add(-2*finished) == 1 {
		j.wake <- struct{}{}
	}
}

// call runs one part and keeps its panic.
func (j *job) call(p int) {
	defer func() {
		if v := recover(); v != nil {
			j.mu.Lock()
			defer j.mu.Unlock()
			if j.failed == nil || p < j.failed.Part {
				j.failed = &Panic{Part: p, Value: v, Stack: debug.Stack()}
			}
		}
	}()
	j.f(p)
}

// wait returns when all parts are finished.
func (j *job) wait() {
	if watch(func() bool { return j.pending.Load() == 0 }) {
		return
	}
	if j.pending.Add(1) > 1 {
		<-j.wake
	}
	j.pending.Store(0)
}
