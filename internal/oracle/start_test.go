package oracle

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestVersionIsReadFromRequirements(t *testing.T) {
	if got := Version(); strings.Count(got, ".") != 2 || strings.ContainsAny(got, " \n#") {
		t.Errorf("got %q, want a version such as 2.3.0", got)
	}
}

func TestLocate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("skipped: the paths below are those of Unix")
	}
	root := t.TempDir()
	deep := filepath.Join(root, "a", "b")
	python := filepath.Join(root, ".venv", "bin", "python")
	mustMkdir(t, deep)
	mustWrite(t, filepath.Join(root, "go.mod"))
	for _, tt := range []struct {
		name, named string
		venv        bool
		want, err   string
	}{
		{name: "nothing", err: "make test"},
		{name: "named but absent", named: filepath.Join(root, "python"), err: "GOQAT_ORACLE_PYTHON"},
		{name: "named", named: filepath.Join(root, "go.mod"), want: filepath.Join(root, "go.mod")},
		{name: "venv", venv: true, want: python},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.venv {
				mustMkdir(t, filepath.Dir(python))
				mustWrite(t, python)
			}
			got, err := locate(tt.named, deep)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("got %q, %v, want an error with %q", got, err, tt.err)
				}
				return
			}
			if err != nil || got != tt.want {
				t.Fatalf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

// verdict is a testing.TB that only notes how Start ends a test.
type verdict struct {
	testing.TB
	skipped, failed string
}

func (v *verdict) Helper() {}
func (v *verdict) Skipf(string, ...any) {
	v.skipped = "skipped"
	runtime.Goexit()
}
func (v *verdict) Fatalf(string, ...any) {
	v.failed = "failed"
	runtime.Goexit()
}

// Without Python a test is skipped, unless the oracle is required; a wrong path in the environment always fails.
func TestStartSkipsOrFails(t *testing.T) {
	t.Chdir(t.TempDir()) // no go.mod above, so no .venv
	shared.Lock()
	before := shared.process
	shared.process = nil
	shared.Unlock()
	defer func() { shared.process = before }()
	for _, tt := range []struct{ name, python, require, want string }{
		{"absent", "", "", "skipped"},
		{"absent but required", "", "1", "failed"},
		{"wrong path", filepath.Join(t.TempDir(), "python"), "", "failed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("GOQAT_ORACLE_PYTHON", tt.python)
			t.Setenv("GOQAT_REQUIRE_ORACLE", tt.require)
			v := &verdict{TB: t}
			done := make(chan struct{})
			go func() {
				defer close(done)
				Start(v)
			}()
			<-done
			if got := v.skipped + v.failed; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// Whatever takes the process down costs one request; the next one has a new process.
func TestProcessIsReplaced(t *testing.T) {
	o := Start(t)
	p := &process{python: o.process.python}
	if err := p.start(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	req := request{Command: "inspect", Model: 1}
	_, err := p.call(req, [][]byte{{0}})
	if err == nil || !strings.Contains(err.Error(), "the LiteRT process failed") {
		t.Fatalf("killed: got %v", err)
	}
	_, err = p.call(req, [][]byte{{0}})
	if err == nil || !strings.Contains(err.Error(), "not a valid Flatbuffer") {
		t.Fatalf("after a restart: got %v, want an answer of LiteRT", err)
	}
	p.in.Close()
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("the process must end by itself when its stdin closes: %v", err)
	}
}

func TestStartNamesWhatAStrangerSaid(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("skipped: needs a shell script")
	}
	stranger := filepath.Join(t.TempDir(), "python")
	if err := os.WriteFile(stranger, []byte("#!/bin/sh\necho no such module >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	err := (&process{python: stranger}).start()
	if err == nil || !strings.Contains(err.Error(), "no such module") {
		t.Errorf("got %v, want what the process wrote to stderr", err)
	}
}

func mustMkdir(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
}

func mustWrite(t *testing.T, name string) {
	t.Helper()
	if err := os.WriteFile(name, nil, 0o644); err != nil {
		t.Fatal(err)
	}
}
