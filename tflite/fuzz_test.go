package tflite_test

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/mutate"
	"github.com/goqat/goqat/internal/rng"
	"github.com/goqat/goqat/tflite"
)

// survive holds any bytes to what the package promises: an error or a graph,
// never a panic; a graph that can be written is read back as it was, and written
// again to the same bytes. It reports whether the bytes could be read.
func survive(t *testing.T, data []byte) bool {
	t.Helper()
	_ = tflite.Verify(data)
	var g *graph.Graph
	var err error
	bounded(t, data, func() { _, _ = tflite.Describe(data) })
	bounded(t, data, func() { g, err = tflite.Unmarshal(data) })
	if err != nil {
		return false
	}
	first, err := tflite.Marshal(g)
	if err != nil {
		return true // it breaks a rule of Verify
	}
	read, err := tflite.Unmarshal(first)
	if err != nil {
		t.Fatalf("cannot read what was written: %v", err)
	}
	second, err := tflite.Marshal(read)
	if err != nil {
		t.Fatalf("cannot write what was read: %v", err)
	}
	if !bytes.Equal(first, second) {
		third, err := tflite.Unmarshal(second)
		t.Fatalf("not stable (%v): %s", err, cmp.Diff(read.String(), third.String()))
	}
	return true
}

// bounded holds read to memory in proportion to the file: decoding to 16 times its
// size; nodes, error texts, the growth of slices and what else the process does come
// on top.
func bounded(t *testing.T, data []byte, read func()) {
	t.Helper()
	before, after := &runtime.MemStats{}, &runtime.MemStats{}
	runtime.ReadMemStats(before)
	read()
	runtime.ReadMemStats(after)
	if used, most := after.TotalAlloc-before.TotalAlloc, 64*uint64(len(data))+16<<20; used > most {
		t.Errorf("a file of %d bytes took %d bytes of memory, want at most %d", len(data), used, most)
	}
}

// seeds are small files of every kind.
func seeds(t testing.TB) [][]byte {
	var list [][]byte
	for _, m := range models {
		if data := marshal(t, m.build(t)); len(data) < 10_000 {
			list = append(list, data)
		}
	}
	foreign, err := os.ReadFile("testdata/foreign.tflite")
	if err != nil {
		t.Fatal(err)
	}
	converted, err := filepath.Glob("testdata/*/*.tflite")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range converted {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, data)
	}
	return append(list, foreign, denseFile().bytes())
}

func FuzzUnmarshal(f *testing.F) {
	for _, data := range seeds(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { survive(t, data) })
}

// Files with a few words changed.
func TestMutated(t *testing.T) {
	files, r, readable := seeds(t), rng.New(1), 0
	const rounds = 5000
	for range rounds {
		data := slices.Clone(files[r.IntN(len(files))])
		mutate.Words(data, r)
		if survive(t, data) {
			readable++
		}
	}
	// Were all refused, or none, the test would test nothing.
	if readable < rounds/20 || readable > rounds*19/20 {
		t.Errorf("%d of %d changed files can be read", readable, rounds)
	}
}
