package parallel

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// MaxParts is the usual upper bound for [Parts]: enough to keep 16 cores busy and to even out two unequally busy ones,
// few enough that one partial result per part stays small.
const MaxParts = 16

// Parts returns the number of parts for a job of the given number of items: items/minItems, at least 1 and at most
// maxParts. It depends on its arguments only, never on the machine, so reductions over parts are reproducible. minItems
// is the number of items worth handing over (some 10 microseconds of work).
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
	if parts <= 0 {
		return
	}
	j := jobs.Get().(*job)
	j.open(parts, f)
	if parts > 1 && outer.Load() == 0 {
		j.offer(&current, parts-1)
	}
	j.end()
}

// end finishes the job, recycles it and passes on its panic.
func (j *job) end() {
	failed := j.finish(&current)
	jobs.Put(j)
	if failed != nil {
		panic(failed) // programmer error: a part panicked, as For documents
	}
}

// outer counts the calls of Outer, and the steps that a Pace runs alone, in flight.
var outer atomic.Int32

// Outer is [For] for parts that themselves call For: while it runs, every call of For in the process stays on its
// caller, as the cores belong to these parts. One part is a plain call of f, with all below it on the caller.
func Outer(parts int, f func(part int)) {
	outer.Add(1)
	defer outer.Add(-1)
	if parts == 1 {
		f(0)
		return
	}
	j := jobs.Get().(*job)
	j.open(parts, f)
	j.offer(&current, parts-1)
	j.end()
}

// Each divides items into parts as [Range] does and calls f(args, lo, hi) for each range, like [For]. Where f is no closure,
// nothing is allocated: args carries what a closure would capture. One part is a plain call of f.
func Each[A any](items, parts int, args A, f func(args A, lo, hi int)) {
	if parts == 1 {
		f(args, 0, items)
		return
	}
	c := calls[A]().Get().(*call[A])
	if c.part == nil {
		c.part = c.run
	}
	c.args, c.f, c.items, c.parts = args, f, items, parts
	For(parts, c.part)
	*c = call[A]{part: c.part} // holds on to nothing
	calls[A]().Put(c)
}

// call is a call of Each in flight.
type call[A any] struct {
	args         A
	f            func(args A, lo, hi int)
	items, parts int
	part         func(p int) // run, bound once
}

func (c *call[A]) run(p int) {
	lo, hi := Range(c.items, c.parts, p)
	c.f(c.args, lo, hi)
}

// pools holds a pool of calls by the type of their arguments.
var pools sync.Map

func calls[A any]() *sync.Pool {
	key := any((*A)(nil))
	if p, ok := pools.Load(key); ok {
		return p.(*sync.Pool)
	}
	p, _ := pools.LoadOrStore(key, &sync.Pool{New: func() any { return new(call[A]) }})
	return p.(*sync.Pool)
}

// Background runs one function after the other while its owner does something else, on a core that [For] has no use for
// at the moment. The zero value is ready; it serves one goroutine at a time.
type Background struct {
	job
	f    func()
	part func(part int) // f as a part
}

// Start lets f run. What an earlier Start began must have been waited for. On one thread, within [Outer], and where no
// core gets free, f runs in Wait.
func (b *Background) Start(f func()) {
	if b.part == nil {
		b.part = func(int) { b.f() }
	}
	b.f = f
	b.open(1, b.part)
	if outer.Load() == 0 {
		b.offer(&background, 1)
	}
}

// Wait returns when the function has returned, or at once if none was started. If it panics, Wait does, with a
// [*Panic].
func (b *Background) Wait() {
	if failed := b.finish(&background); failed != nil {
		panic(failed) // programmer error: f panicked, as Wait documents
	}
}
