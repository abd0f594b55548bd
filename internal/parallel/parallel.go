package parallel

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// MaxParts is the usual upper bound for [Parts]: enough to keep 16 cores busy and to even out two unequally busy ones,
// few enough that one partial result per part stays small.
const MaxParts = 16

// Parts returns the number of parts for a job of the given number of items: items/minItems, at least 1 and at most
// maxParts. It depends on its arguments only, never on the machine, so reductions over parts are reproducible. minItems
// is the number of items worth a goroutine of its own (some 50 microseconds of work).
func Parts(items, minItems, maxParts int) int {
	return max(1, min(items/max(1, minItems), maxParts))
}

// Range returns the half-open range [lo, hi) of items that part p of parts works on. Ranges are contiguous, in order,
// cover all items and differ in length by at most one.
func Range(items, parts, p int) (lo, hi int) {
	return items * p / parts, items * (p + 1) / parts
}

// Panic is the value that [For] panics with after a part has panicked.
type Panic struct {
	Part  int    // the lowest-numbered part that panicked
	Value any    // what it panicked with
	Stack []byte // its stack at that point, as printed by debug.Stack
}

// Error describes the panic without the stack.
func (p *Panic) Error() string {
	return fmt.Sprintf("parallel: part %d panicked: %v", p.Part, p.Value)
}

// Unwrap returns the panic's value if it is an error, so that errors.As reaches for instance a runtime.Error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// For calls f(0) ... f(parts-1) and returns when all calls have returned. The calls run on min(GOMAXPROCS, parts)
// goroutines, one of them the caller's, in no particular order; each must write only memory of its own. For one part,
// or on one thread, everything happens on the caller, in ascending order. Calls of For may be nested.
//
// If parts panic, the others still run, and For then panics with a [*Panic] for the lowest of them.
func For(parts int, f func(part int)) {
	threads := min(runtime.GOMAXPROCS(0), parts)
	j := jobs.Get().(*job)
	j.f, j.parts = f, int64(parts)
	j.next.Store(0)
	j.done.Add(max(0, threads-1))
	for range threads - 1 {
		go j.helper()
	}
	j.work()
	j.done.Wait()
	failed := j.failed
	j.f, j.failed = nil, nil
	jobs.Put(j)
	if failed != nil {
		panic(failed) // programmer error: a part panicked, as For documents
	}
}

// A job is one call of For in flight.
type job struct {
	f      func(part int)
	parts  int64
	next   atomic.Int64
	done   sync.WaitGroup
	helper func() // work and done.Done, bound once so that a go statement allocates nothing

	mu     sync.Mutex
	failed *Panic
}

// jobs recycles job structures: training makes some dozens of calls a millisecond.
var jobs = sync.Pool{New: func() any {
	j := new(job)
	j.helper = func() {
		defer j.done.Done()
		j.work()
	}
	return j
}}

// work takes parts until none is left.
func (j *job) work() {
	for {
		p := j.next.Add(1) - 1
		if p >= j.parts {
			return
		}
		j.call(int(p))
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
