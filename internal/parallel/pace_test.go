package parallel

import (
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// course runs steps that take what cost says for each way and returns the time of all, and that of the better way for each
// step.
func course(steps int, cost func(step int, w way) time.Duration) (spent, best time.Duration) {
	var p Pace
	p.clock = func() time.Duration { return spent }
	for i := range steps {
		p.Start()
		spent += cost(i, p.way)
		best += min(cost(i, together), cost(i, alone))
		p.Stop()
	}
	return spent, best
}

func TestPaceTakesTheFasterWay(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	const us = time.Microsecond
	of := func(shared, single time.Duration) func(int, way) time.Duration {
		return func(_ int, w way) time.Duration { return []time.Duration{shared, single}[w] }
	}
	for _, c := range []struct {
		name string
		cost func(int, way) time.Duration
		most float64 // of the better way's time
	}{
		{"cores of its own", of(100*us, 180*us), 1.005},
		{"a little faster", of(100*us, 104*us), 1.005},
		{"no faster", of(100*us, 100*us), 1},
		{"a core in use", of(300*us, 180*us), 1.01},
		{"phases", func(i int, w way) time.Duration {
			return of(time.Duration(100+300*(i/10_000%2))*us, 180*us)(i, w)
		}, 1.07},
	} {
		spent, best := course(100_000, c.cost)
		if ratio := spent.Seconds() / best.Seconds(); ratio > c.most {
			t.Errorf("%s: %.3f times what the better way takes, want %v at most", c.name, ratio, c.most)
		}
	}
}

// TestPaceLooksAtMeans: what others take from a core comes in pieces, between which all seems well.
func TestPaceLooksAtMeans(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	for _, c := range []struct {
		stall  time.Duration // one in a hundred steps together, by chance
		better time.Duration // mean of the better way
	}{
		{3 * time.Millisecond, 130 * time.Microsecond},
		{15 * time.Millisecond, 180 * time.Microsecond},
	} {
		const steps = 100_000
		r := rand.New(rand.NewPCG(1, 2))
		stalled := make([]bool, steps)
		for i := range stalled {
			stalled[i] = r.IntN(100) == 0
		}
		spent, _ := course(steps, func(i int, w way) time.Duration {
			switch {
			case w == alone:
				return 180 * time.Microsecond
			case stalled[i]:
				return c.stall
			}
			return 100 * time.Microsecond
		})
		if mean := spent / steps; mean > c.better*11/10 {
			t.Errorf("stalls of %v: a step took %v, the better way %v", c.stall, mean, c.better)
		}
	}
}

func TestPaceAlone(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	p := Pace{way: alone}
	here, ran := goroutine(), 0
	p.Start()
	var b Background
	b.Start(func() {
		if ran = 1; goroutine() != here {
			t.Error("another goroutine does the background")
		}
	})
	var parts atomic.Int32
	For(8, func(int) {
		if parts.Add(1); goroutine() != here {
			t.Error("another goroutine does a part")
		}
	})
	b.Wait()
	p.Stop()
	if ran != 1 || parts.Load() != 8 || outer.Load() != 0 {
		t.Errorf("background %d, parts %d, outer %d", ran, parts.Load(), outer.Load())
	}
}

// TestPaceOnOneThread: there is nothing to try.
func TestPaceOnOneThread(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var p Pace
	for range 1000 {
		p.Start()
		p.Stop()
		if p.way != together {
			t.Fatal("a trial on one thread")
		}
	}
}
