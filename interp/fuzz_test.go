package interp_test

import (
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/mutate"
	"github.com/goqat/goqat/internal/rng"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/tflite"
)

// survive reads, plans and runs any bytes: errors are expected, faults of the
// program are not, and memory stays in proportion to the file and the limit. It
// reports whether the bytes are a network that runs.
func survive(t *testing.T, file []byte) bool {
	t.Helper()
	const limit = 1 << 15
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	ran := false
	g, err := tflite.Unmarshal(file)
	if err == nil {
		ran, err = runs(g, interp.Options{Batch: 2, MaxBytes: limit})
	}
	runtime.ReadMemStats(&after)
	if err != nil && strings.Contains(err.Error(), "internal fault") {
		t.Errorf("%v", err)
	}
	// Reading takes 64 times the file at most; packed weights, tables of operators and
	// error texts come on top.
	if used, most := after.TotalAlloc-before.TotalAlloc, 256*uint64(len(file))+64*limit+16<<20; used > most {
		t.Errorf("a file of %d bytes took %d bytes of memory, want at most %d", len(file), used, most)
	}
	return ran
}

// runs runs a graph on zeros, one row and then two.
func runs(g *graph.Graph, o interp.Options) (bool, error) {
	ip, err := interp.New(g, o)
	if err != nil {
		return false, err
	}
	for rows := 1; rows <= 2; rows++ {
		var inputs []any
		for _, x := range g.Inputs {
			inputs = append(inputs, interp.NewData(x.Type, rows*x.Elements()))
		}
		if err := ip.Run(inputs...); err != nil {
			return false, err
		}
	}
	return true, nil
}

// files are small files: those of other programs, and the test networks.
func files(t testing.TB) [][]byte {
	var list [][]byte
	keras, err := filepath.Glob("../tflite/testdata/keras/*.tflite")
	if err != nil || len(keras) == 0 {
		t.Fatalf("%d files, error %v", len(keras), err)
	}
	for _, path := range keras {
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, file)
	}
	all := nets(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if file, err := tflite.Marshal(all[name]); err == nil { // not those for training
			list = append(list, file)
		}
	}
	return list
}

func FuzzRun(f *testing.F) {
	for _, file := range files(f) {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file []byte) { survive(t, file) })
}

// Files with a few words changed, as in the tests of package tflite.
func TestMutatedFiles(t *testing.T) {
	seeds, r, ran := files(t), rng.New(1), 0
	const rounds = 3000
	for range rounds {
		file := slices.Clone(seeds[r.IntN(len(seeds))])
		mutate.Words(file, r)
		if survive(t, file) {
			ran++
		}
	}
	// Were all refused, or none, the test would test nothing.
	t.Logf("%d of %d changed files run", ran, rounds)
	if ran < rounds/20 || ran > rounds*19/20 {
		t.Errorf("%d of %d changed files run", ran, rounds)
	}
}
