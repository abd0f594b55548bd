package arch

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

const modulePath = "github.com/goqat/goqat"

// rule lists what the non-test files of a package may import, besides the standard library.
type rule struct {
	own     []string // packages of this module, relative to its path
	foreign []string // import paths of others; each stands for everything below it too
}

var (
	// Gorgonia's interfaces are written in terms of the others: types, shapes, graph nodes.
	gorgonia = []string{"gorgonia.org/gorgonia", "gorgonia.org/tensor", "github.com/chewxy/hm", "gonum.org/v1/gonum/graph",
		"go4.org/unsafe/assume-no-moving-gc"}
	float16     = []string{"github.com/x448/float16"}
	flatbuffers = []string{"github.com/google/flatbuffers/go"}
	gonum       = []string{"gonum.org/v1/gonum"}
	plot        = []string{"gonum.org/v1/gonum", "gonum.org/v1/plot"}
	cpu         = []string{"golang.org/x/sys/cpu"}
	terminal    = []string{"github.com/schollz/progressbar/v3", "golang.org/x/term"}
	kernels     = []string{"internal/kernels/axes", "internal/kernels/f32", "internal/kernels/q16", "internal/kernels/q8", "internal/kernels/strided", "internal/kernels/window"}
)

// table is the architecture: a package may import what its row names and nothing else, and a package without a row
// may not exist. It is read from the definitions at the top to the commands at the bottom.
var table = map[string]rule{
	"quant": {},

	"internal/arch":            {},
	"internal/atomicfile":      {},
	"internal/endtoend":        {}, // tests only, which may import anything
	"internal/oracle":          {},
	"internal/feed":            {own: []string{"data", "graph", "internal/progress"}},
	"internal/parallel":        {},
	"internal/progress":        {foreign: terminal},
	"internal/rng":             {},
	"internal/trig":            {},
	"internal/kernels/axes":    {},
	"internal/kernels/f32":     {own: []string{"quant", "internal/parallel", "internal/kernels/axes", "internal/kernels/window"}, foreign: cpu},
	"internal/kernels/q8":      {own: []string{"quant", "internal/parallel", "internal/kernels/axes", "internal/kernels/window"}, foreign: cpu},
	"internal/kernels/q16":     {own: []string{"quant", "internal/parallel", "internal/kernels/axes", "internal/kernels/q8", "internal/kernels/window"}},
	"internal/kernels/strided": {own: []string{"internal/parallel"}},
	"internal/kernels/u8":      {foreign: cpu},
	"internal/kernels/window":  {},
	"internal/mutate":          {own: []string{"internal/rng"}}, // for tests
	// The conformance suites: every kernel against its reference, for the tests of any implementation.
	"internal/kernels/f32/kerneltest": {own: []string{"quant", "internal/parallel", "internal/kernels/axes", "internal/kernels/f32", "internal/kernels/window"}},
	"internal/kernels/q8/kerneltest":  {own: []string{"quant", "internal/parallel", "internal/kernels/q8"}},

	"data":        {own: []string{"internal/kernels/u8", "internal/parallel", "internal/rng", "internal/trig"}, foreign: float16},
	"data/audio":  {own: []string{"data"}, foreign: gonum},
	"data/digits": {own: []string{"data"}},
	"data/images": {own: []string{"data"}},
	"data/synth":  {own: []string{"data", "internal/rng", "internal/trig"}},

	"graph":                     {own: []string{"quant", "internal/atomicfile"}, foreign: float16},
	"tflite/internal/schema":    {foreign: flatbuffers},
	"tflite/internal/format":    {own: []string{"graph", "tflite/internal/schema"}, foreign: flatbuffers},
	"tflite/internal/operators": {own: []string{"graph", "quant", "tflite/internal/format", "tflite/internal/schema"}, foreign: flatbuffers},
	"tflite/internal/importer":  {own: []string{"graph", "quant", "tflite/internal/format", "tflite/internal/operators", "tflite/internal/schema"}},
	"tflite": {
		own:     []string{"graph", "quant", "internal/atomicfile", "tflite/internal/format", "tflite/internal/importer", "tflite/internal/operators", "tflite/internal/schema"},
		foreign: slices.Concat(flatbuffers, float16),
	},

	"interp":    {own: slices.Concat([]string{"graph", "quant", "internal/parallel"}, kernels), foreign: float16},
	"layers":    {own: []string{"graph", "internal/rng"}},
	"zoo":       {own: []string{"layers", "graph"}},
	"fakequant": {own: []string{"graph", "quant"}},

	"train": {
		own:     slices.Concat([]string{"graph", "quant", "data", "train/internal/nodes", "internal/atomicfile", "internal/progress", "internal/rng", "internal/parallel"}, kernels),
		foreign: gorgonia,
	},
	"train/internal/nodes": {
		own:     slices.Concat([]string{"graph", "quant", "internal/rng", "internal/parallel"}, kernels),
		foreign: gorgonia,
	},

	"export":    {own: []string{"graph", "quant"}, foreign: float16},
	"posttrain": {own: slices.Concat([]string{"graph", "quant", "data", "fakequant", "interp", "export", "internal/feed", "internal/parallel", "internal/progress"}, kernels)},
	"diagnose":  {own: []string{"graph", "quant", "data", "interp", "internal/feed", "internal/progress"}},
	"parity":    {own: []string{"graph", "quant", "data", "interp", "export", "train"}},
	"report":    {own: []string{"graph", "quant"}, foreign: plot},
}

// commands are the roots of trees that may import anything and that nobody outside of them may import.
var commands = []string{"cmd", "examples"}

func below(dir, root string) bool { return dir == root || strings.HasPrefix(dir, root+"/") }

func isCommand(dir string) bool {
	return slices.ContainsFunc(commands, func(root string) bool { return below(dir, root) })
}

// checkImports returns one line per broken rule.
func checkImports(files []source, table map[string]rule) []string {
	var faults []string
	packages := map[string]bool{}
	for _, f := range files {
		packages[f.dir()] = true
		for _, p := range f.imports() {
			if p == "C" {
				faults = append(faults, fmt.Sprintf("%s imports C: this module is pure Go", f.name))
			} else if !f.test() && !isCommand(f.dir()) {
				faults = append(faults, checkEdge(f, p, table[f.dir()])...)
			}
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(packages)) {
		if _, ok := table[dir]; !ok && !isCommand(dir) {
			faults = append(faults, fmt.Sprintf("package %s has no row in the table of internal/arch/imports_test.go", dir))
		}
	}
	return faults
}

func checkEdge(f source, imported string, r rule) []string {
	if own, ok := strings.CutPrefix(imported, modulePath+"/"); ok {
		if !slices.Contains(r.own, own) {
			return []string{fmt.Sprintf("%s imports %s: not an edge of the architecture", f.name, own)}
		}
		return nil
	}
	first, _, _ := strings.Cut(imported, "/")
	if !strings.Contains(first, ".") {
		return nil // the standard library, whose first element has no dot
	}
	if !slices.ContainsFunc(r.foreign, func(root string) bool { return below(imported, root) }) {
		return []string{fmt.Sprintf("%s imports %s: not a dependency of package %s", f.name, imported, f.dir())}
	}
	return nil
}

func TestImports(t *testing.T) {
	for _, fault := range checkImports(module(t), table) {
		t.Error(fault)
	}
}

// A cycle in the table would allow one in the code, and the compiler would then have to choose which edge is wrong.
func TestTableHasNoCycle(t *testing.T) {
	const entered, left = 1, 2
	state := map[string]int{}
	var visit func(dir string, trail []string)
	visit = func(dir string, trail []string) {
		r, ok := table[dir]
		switch {
		case !ok:
			t.Errorf("%s is allowed to be imported, but has no row", dir)
		case state[dir] == entered:
			t.Errorf("cycle: %s", strings.Join(append(trail, dir), " -> "))
		case state[dir] == left:
			return
		}
		state[dir] = entered
		for _, next := range r.own {
			if state[next] != left {
				visit(next, append(trail, dir))
			}
		}
		state[dir] = left
	}
	for _, dir := range slices.Sorted(maps.Keys(table)) {
		visit(dir, nil)
	}
}

func TestCheckImports(t *testing.T) {
	rules := map[string]rule{
		"quant": {},
		"graph": {own: []string{"quant"}, foreign: []string{"gorgonia.org/tensor"}},
	}
	for _, tt := range []struct {
		name, file, text, want string
	}{
		{"allowed edge", "graph/a.go", `import "github.com/goqat/goqat/quant"`, ""},
		{"forbidden edge", "quant/a.go", `import "github.com/goqat/goqat/graph"`, "quant/a.go imports graph: not an edge"},
		{"forbidden for another system", "quant/a_js.go", `import "github.com/goqat/goqat/graph"`, "quant/a_js.go imports graph"},
		{"behind a build tag", "quant/a.go", "import _ \"github.com/goqat/goqat/graph\"", "imports graph"},
		{"tests are free", "quant/a_test.go", `import "github.com/goqat/goqat/graph"`, ""},
		{"standard library", "quant/a.go", `import "encoding/json"`, ""},
		{"allowed dependency", "graph/a.go", `import "gorgonia.org/tensor"`, ""},
		{"part of a dependency", "graph/a.go", `import "gorgonia.org/tensor/native"`, ""},
		{"name that only begins alike", "graph/a.go", `import "gorgonia.org/tensorflow"`, "not a dependency of package graph"},
		{"forbidden dependency", "quant/a.go", `import "gorgonia.org/gorgonia"`, "not a dependency of package quant"},
		{"commands are free", "cmd/goqat/a.go", `import "github.com/alecthomas/kong"`, ""},
		{"nobody imports commands", "graph/a.go", `import "github.com/goqat/goqat/cmd/goqat"`, "imports cmd/goqat"},
		{"cgo", "cmd/goqat/a.go", `import "C"`, "imports C"},
		{"cgo in a test", "graph/a_test.go", `import "C"`, "imports C"},
		{"package without a row", "helpers/a.go", "", "package helpers has no row"},
		{"nested module", "graph/_asm/a.go", `import "gorgonia.org/gorgonia"`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := "//go:build never\n\npackage " + path.Base(path.Dir(tt.file)) + "\n\n" + tt.text + "\n"
			expect(t, tt.want, func(files []source) []string { return checkImports(files, rules) }, tt.file, text)
		})
	}
}

// expect runs a check on one file and holds its faults against want: a part of the only one, or empty for none.
func expect(t *testing.T, want string, check func([]source) []string, name, text string) {
	t.Helper()
	files, err := readModule(fstest.MapFS{name: {Data: []byte(text)}})
	if err != nil {
		t.Fatal(err)
	}
	faults := check(files)
	switch {
	case want == "" && len(faults) > 0:
		t.Errorf("got %q, want no fault", faults)
	case want != "" && (len(faults) != 1 || !strings.Contains(faults[0], want)):
		t.Errorf("got %q, want one fault with %q", faults, want)
	}
}
