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
	f func(part int)
	// free is the range of parts that nobody has taken: the first in the low 32 bits, the end in the others. The owner takes
	// the first and others the last, so that in one job after the other a core meets the memory that it has in its cache.
	// f may be read by whoever has taken a part and by the owner.
	free atomic.Int64
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
	j.f = f
	j.pending.Store(2 * int64(parts))
	j.free.Store(int64(parts) << 32)
}

// bounds returns a range that free holds.
func bounds(free int64) (first, end int32) { return int32(free), int32(free >> 32) }

// takeFirst takes the first part; below 0 there is none.
func (j *job) takeFirst() int {
	next, end := bounds(j.free.Add(1))
	if next > end {
		return -1
	}
	return int(next - 1)
}

// takeLast takes the last part; below 0 there is none.
func (j *job) takeLast() int {
	first, end := bounds(j.free.Add(-1 << 32))
	if end < first {
		return -1
	}
	return int(end)
}

// offers says whether there are parts to take.
func (j *job) offers() bool {
	first, end := bounds(j.free.Load())
	return first < end
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
			go j.work((*job).takeLast)
		}
	}
}

// finish takes the parts that are left, waits for the others and returns the lowest panic.
func (j *job) finish(place *atomic.Pointer[job]) *Panic {
	j.work((*job).takeFirst)
	place.CompareAndSwap(j, nil)
	j.wait()
	failed := j.failed
	j.f, j.failed = nil, nil
	return failed
}

// work takes parts until none is left.
func (j *job) work(take func(*job) int) {
	finished := int64(0)
	for p := take(j); p >= 0; p = take(j) {
		j.call(p)
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
