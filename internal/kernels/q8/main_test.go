package q8

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestMain runs every test and benchmark once at each level of dispatch. Fuzz
// targets change levels themselves, and are run once.
func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.fuzz").Value.String() != "" {
		os.Exit(m.Run())
	}
	code := 0
	for _, level = range levels {
		fmt.Println("level", Level())
		code = max(code, m.Run())
	}
	os.Exit(code)
}

// atEveryLevel fuzzes a property: the input decides what the property draws, and
// where it ends a sequence that follows from it does.
func atEveryLevel(f *testing.F, property func(*rapid.T)) {
	for seed := range byte(8) {
		f.Add([]byte{seed})
	}
	check := rapid.MakeFuzz(property)
	f.Fuzz(func(t *testing.T, input []byte) {
		const most = 1 << 16 // bytes that a property draws
		var key [32]byte
		for i, b := range input {
			key[i%len(key)] = 31*key[i%len(key)] + b
		}
		drawn := append([]byte(nil), input...)
		for source := rand.NewChaCha8(key); len(drawn) < most; {
			var word [512]byte
			source.Read(word[:])
			drawn = append(drawn, word[:]...)
		}
		defer func(l *dispatch) { level = l }(level)
		for _, level = range levels {
			check(t, drawn)
		}
	})
}

// benchmarkBoth measures the fast one of two kernels, and reports how many times
// faster it is than the reference.
func benchmarkBoth(b *testing.B, products int, prepare func(k Kernel) (func(), error)) {
	var run [2]func()
	for _, k := range []Kernel{Fast, Reference} {
		var err error
		if run[k], err = prepare(k); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		run[Fast]()
	}
	if products > 0 {
		b.ReportMetric(float64(products)*float64(b.N)/b.Elapsed().Seconds()*1e-9, "GMAC/s")
	}
	best := [2]time.Duration{math.MaxInt64, math.MaxInt64} // a clock drifts: in turn
	for range 5 {
		for k, f := range run {
			best[k] = min(best[k], timeOf(f))
		}
	}
	b.ReportMetric(float64(best[Reference])/float64(best[Fast]), "times")
}

// timeOf returns how long f takes, from as many calls as a clock can tell.
func timeOf(f func()) time.Duration {
	const enough = 2 * time.Millisecond
	n := time.Duration(0)
	for start := time.Now(); ; {
		f()
		n++
		if d := time.Since(start); d > enough {
			return max(d/n, 1)
		}
	}
}

// These are for the tests outside the package.
var (
	AtEveryLevel  = atEveryLevel
	BenchmarkBoth = benchmarkBoth
)
