package oracle

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// Resolver chooses LiteRT's kernels.
type Resolver int

const (
	// Reference is BUILTIN_REF: scalar kernels, the same bytes on every machine, every tensor kept.
	Reference Resolver = iota
	// Default is what LiteRT's Python interpreter takes when nothing is asked of it: optimized kernels and XNNPACK,
	// which fuses operators. Intermediate tensors have no data.
	Default
	// Optimized is the optimized kernels without XNNPACK, every tensor kept. They depend on the machine, but for
	// operators that have only one kernel: ELU is one, which the reference set lacks.
	Optimized
)

// names are those of the protocol.
var names = [...]string{Reference: "reference", Default: "default", Optimized: "optimized"}

// Options says how to run a model. The zero value runs one example on the reference kernels.
type Options struct {
	Resolver Resolver
	Batch    int // examples in each input; 0 is 1
}

// Operator is one operator as LiteRT sees it.
type Operator struct {
	Code    int    `json:"code"` // BuiltinOperator of the TensorFlow Lite schema
	Name    string `json:"name"` // its name there, such as "CONV_2D"
	Version int    `json:"version"`
	Inputs  []int  `json:"inputs"` // tensor indices; -1 stands for an optional input left out
	Outputs []int  `json:"outputs"`
}

// Model is a file as LiteRT sees it.
type Model struct {
	Operators []Operator
	Tensors   []Tensor // Tensors[i] is tensor i of the file; constants have data
	Inputs    []int
	Outputs   []int
}

// Oracle answers what LiteRT makes of a model. It may be used by tests that run in parallel; requests take turns.
type Oracle struct{ process *process }

//go:embed requirements.txt
var requirements string

// shared is the process of this test binary: importing LiteRT takes 0.2 s, a request about a millisecond.
var shared struct {
	sync.Mutex
	process *process
}

// Start returns the oracle of this test binary, starting its process on first use. Where no Python interpreter is to
// be found it skips the test, or fails it if GOQAT_REQUIRE_ORACLE is 1. An interpreter that does not have the pinned
// LiteRT fails the test in any case.
func Start(t testing.TB) *Oracle {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.process != nil {
		return &Oracle{shared.process}
	}
	python, err := locate(os.Getenv("GOQAT_ORACLE_PYTHON"), ".")
	switch {
	case errors.Is(err, errNoPython) && os.Getenv("GOQAT_REQUIRE_ORACLE") != "1":
		t.Skipf("skipped: comparing with Google's LiteRT (%v)", err)
	case err != nil:
		t.Fatalf("comparing with Google's LiteRT is required: %v", err)
	}
	p := &process{python: python}
	if err := p.start(); err != nil {
		t.Fatal(err)
	}
	shared.process = p
	return &Oracle{p}
}

var errNoPython = errors.New("no Python environment with LiteRT: run `make test`, which creates .venv, " +
	"or set GOQAT_ORACLE_PYTHON to a python3 that has ai-edge-litert")

// locate returns the interpreter that the environment names, or else that of the .venv at the root of the module that
// dir lies in.
func locate(named, dir string) (string, error) {
	if named != "" {
		if _, err := os.Stat(named); err != nil {
			return "", fmt.Errorf("oracle: GOQAT_ORACLE_PYTHON: %w", err)
		}
		return named, nil
	}
	root, err := moduleRoot(dir)
	if err != nil {
		return "", err
	}
	python := filepath.Join(root, ".venv", "bin", "python")
	if runtime.GOOS == "windows" {
		python = filepath.Join(root, ".venv", "Scripts", "python.exe")
	}
	if _, err := os.Stat(python); errors.Is(err, fs.ErrNotExist) {
		return "", errNoPython
	} else if err != nil {
		return "", fmt.Errorf("oracle: %w", err)
	}
	return python, nil
}

// moduleRoot returns the nearest directory at or above dir that holds a go.mod. `go test` runs a test in its package's
// own directory.
func moduleRoot(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("oracle: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errNoPython
		}
		dir = parent
	}
}

// Version is the version of ai-edge-litert that this package is pinned to.
func Version() string {
	_, rest, _ := strings.Cut(requirements, "ai-edge-litert==")
	version, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(version)
}

// Run runs the model on opts.Batch examples and returns its tensors: element i is tensor i of the file, scratch tensors
// follow. Each input holds the examples one after another, in the model's own type; inputs stand in the order of the
// model's inputs. Everything that LiteRT refuses, and any input that does not fit, is an error with LiteRT's words.
func (o *Oracle) Run(model []byte, opts Options, inputs []Tensor) ([]Tensor, error) {
	req := request{Command: "run", Resolver: names[opts.Resolver], Batch: max(opts.Batch, 1), Model: len(model)}
	payload := [][]byte{model}
	for _, in := range inputs {
		req.Inputs = append(req.Inputs, inputHeader{in.Type, len(in.Data)})
		payload = append(payload, in.Data)
	}
	m, err := o.process.call(req, payload)
	if err != nil {
		return nil, err
	}
	return m.Tensors, nil
}

// Inspect loads and prepares the model on the reference kernels, which checks what LiteRT checks of a file, and returns
// what LiteRT made of it. Nothing is run.
func (o *Oracle) Inspect(model []byte) (Model, error) {
	return o.process.call(request{Command: "inspect", Model: len(model)}, [][]byte{model})
}
