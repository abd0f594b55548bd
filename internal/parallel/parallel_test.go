package parallel

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestForRunsEveryPartOnce(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, procs := range []int{1, 2, 5} {
		runtime.GOMAXPROCS(procs)
		for _, parts := range []int{-1, 0, 1, 2, 3, 16, 1000} {
			counts := make([]atomic.Int32, max(0, parts))
			For(parts, func(p int) { counts[p].Add(1) })
			for p := range counts {
				if n := counts[p].Load(); n != 1 {
					t.Fatalf("procs %d, parts %d: part %d ran %d times", procs, parts, p, n)
				}
			}
		}
	}
}

func TestForNests(t *testing.T) {
	var n atomic.Int32
	For(8, func(int) { For(8, func(int) { n.Add(1) }) })
	if n.Load() != 64 {
		t.Fatalf("64 inner parts wanted, %d ran", n.Load())
	}
}

func TestForPanic(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, procs := range []int{1, 3} {
		runtime.GOMAXPROCS(procs)
		var ran atomic.Int32
		caught := func() (v any) {
			defer func() { v = recover() }()
			For(6, func(p int) {
				ran.Add(1)
				if p == 2 || p == 4 {
					var empty []int
					_ = empty[p]
				}
			})
			return nil
		}()
		failed, ok := caught.(*Panic)
		if !ok {
			t.Fatalf("procs %d: panicked with %v, want a *Panic", procs, caught)
		}
		var re runtime.Error
		if failed.Part != 2 || !errors.As(failed, &re) || !strings.Contains(failed.Error(), "part 2 panicked: runtime error: index out of range") {
			t.Errorf("procs %d: %v", procs, failed)
		}
		if !strings.Contains(string(failed.Stack), "TestForPanic") {
			t.Errorf("procs %d: the stack does not show the part:\n%s", procs, failed.Stack)
		}
		if ran.Load() != 6 {
			t.Errorf("procs %d: %d of 6 parts ran", procs, ran.Load())
		}
		For(2, func(int) {}) // the recycled job has forgotten the panic
	}
}

func TestPanicUnwrapsErrorsOnly(t *testing.T) {
	if err := (&Panic{Value: "text"}).Unwrap(); err != nil {
		t.Fatalf("Unwrap of a string panic gave %v", err)
	}
}

func TestParts(t *testing.T) {
	for _, c := range []struct{ items, minItems, maxParts, want int }{
		{0, 10, 16, 1}, {9, 10, 16, 1}, {19, 10, 16, 1}, {20, 10, 16, 2}, {159, 10, 16, 15}, {10000, 10, 16, 16},
		{5, 0, 16, 5}, {5, 1, 0, 1},
	} {
		if got := Parts(c.items, c.minItems, c.maxParts); got != c.want {
			t.Errorf("Parts(%d, %d, %d) = %d, want %d", c.items, c.minItems, c.maxParts, got, c.want)
		}
	}
}

// TestEach covers all items once, and allocates nothing when it is called again.
func TestEach(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	type args struct{ counts []atomic.Int32 }
	count := func(a args, lo, hi int) {
		for i := lo; i < hi; i++ {
			a.counts[i].Add(1)
		}
	}
	for _, c := range []struct{ items, parts int }{{0, 1}, {1, 1}, {100, 1}, {100, 7}, {3, 3}, {2, 5}} {
		counts := make([]atomic.Int32, c.items)
		calls := int32(0)
		allocations := testing.AllocsPerRun(20, func() {
			Each(c.items, c.parts, args{counts}, count)
			calls++
		})
		for i := range counts {
			if n := counts[i].Load(); n != calls {
				t.Errorf("%+v: item %d was visited %d times in %d calls", c, i, n, calls)
			}
		}
		if allocations > 1 { // the race detector empties pools at random
			t.Errorf("%+v: %v allocations", c, allocations)
		}
	}
}

func TestRangesPartition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items, parts := rapid.IntRange(0, 1000).Draw(t, "items"), rapid.IntRange(1, 40).Draw(t, "parts")
		at := 0
		for p := range parts {
			lo, hi := Range(items, parts, p)
			if lo != at || hi-lo < items/parts || hi-lo > items/parts+1 {
				t.Fatalf("part %d of %d is [%d, %d) after %d", p, parts, lo, hi, at)
			}
			at = hi
		}
		if at != items {
			t.Fatalf("%d of %d items covered", at, items)
		}
	})
}

// TestForFromSeveralGoroutines: only one call at a time can have the helpers, and helpers may be late.
func TestForFromSeveralGoroutines(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	var group sync.WaitGroup
	for g := range 4 {
		group.Go(func() {
			var b Background
			for i := range 500 {
				counts := make([]atomic.Int32, i%7+1)
				ran := 0
				b.Start(func() { ran++ })
				For(len(counts), func(p int) {
					For(i%3, func(int) { counts[p].Add(1) })
				})
				b.Wait()
				for p := range counts {
					if n := counts[p].Load(); int(n) != i%3 || ran != 1 {
						t.Errorf("goroutine %d, job %d: part %d ran %d times inside, the background %d times", g, i, p, n, ran)
					}
				}
			}
		})
	}
	group.Wait()
}

func TestBackground(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, procs := range []int{1, 2} {
		runtime.GOMAXPROCS(procs)
		var b Background
		b.Wait() // nothing was started
		for i := range 100 {
			ran := 0
			b.Start(func() { For(3, func(int) {}); ran = i + 1 })
			b.Wait()
			b.Wait()
			if ran != i+1 {
				t.Fatalf("procs %d: function %d had not run after Wait", procs, i)
			}
		}
		b.Start(func() { panic("lost") })
		func() {
			defer func() {
				if failed, ok := recover().(*Panic); !ok || failed.Value != "lost" {
					t.Errorf("procs %d: Wait panicked with %v, want a *Panic of the function", procs, failed)
				}
			}()
			b.Wait()
		}()
		b.Wait() // has forgotten the panic
	}
}

// TestBackgroundRunsBeside: with a second thread, the function runs before Wait, and one that blocks does not keep For
// from getting a helper.
func TestBackgroundRunsBeside(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	started, end := make(chan struct{}), make(chan struct{})
	var b Background
	b.Start(func() { close(started); <-end })
	<-started
	var both sync.WaitGroup
	both.Add(2)
	For(2, func(int) { both.Done(); both.Wait() })
	time.AfterFunc(20*time.Millisecond, func() { close(end) })
	b.Wait() // sleeps
	b.Wait()
}

// TestHelpersEnd: nothing runs on when there is no work.
func TestHelpersEnd(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	For(4, func(int) {})
	for range 1000 {
		if helpers.Load() == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d helpers are left", helpers.Load())
}

func ExampleFor() {
	squares := make([]int, 5)
	parts := Parts(len(squares), 2, MaxParts)
	For(parts, func(p int) {
		lo, hi := Range(len(squares), parts, p)
		for i := lo; i < hi; i++ {
			squares[i] = i * i
		}
	})
	fmt.Println(parts, squares)
	// Output: 2 [0 1 4 9 16]
}

// BenchmarkFor measures the cost of a call with empty parts: what a part must be worth.
func BenchmarkFor(b *testing.B) {
	for _, parts := range []int{1, 2, 16} {
		b.Run(fmt.Sprint(parts), func(b *testing.B) {
			b.ReportAllocs()
			f := func(int) {}
			for b.Loop() {
				For(parts, f)
			}
		})
	}
}

// goroutine returns which goroutine this is, as traces print it.
func goroutine() string {
	var b [64]byte
	name, _, _ := strings.Cut(string(b[:runtime.Stack(b[:], false)]), " [")
	return name
}

// While Outer runs, For stays on its caller.
func TestOuterKeepsForOnItsCaller(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	for _, parts := range []int{1, 3} {
		ran := make([]atomic.Int32, parts)
		for range 50 {
			Outer(parts, func(p int) {
				here := goroutine()
				For(20, func(int) {
					ran[p].Add(1)
					if g := goroutine(); g != here {
						t.Errorf("%d parts: %s called For, %s does a part", parts, here, g)
					}
				})
			})
		}
		for p := range ran {
			if n := ran[p].Load(); n != 50*20 {
				t.Errorf("%d parts: part %d ran %d times", parts, p, n)
			}
		}
	}
	if n := outer.Load(); n != 0 {
		t.Errorf("%d calls of Outer are left", n)
	}
}

func TestOuterPassesPanicsOn(t *testing.T) {
	defer func() {
		if failed, ok := recover().(*Panic); !ok || failed.Part != 1 || failed.Value != "fault" {
			t.Errorf("recovered %v", failed)
		}
		if n := outer.Load(); n != 0 {
			t.Errorf("%d calls of Outer are left", n)
		}
	}()
	Outer(2, func(p int) {
		if p == 1 {
			panic("fault")
		}
	})
}
