package atomicfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// onlyFiles fails if the directory holds anything but the named files, such as a temporary one.
func onlyFiles(t *testing.T, directory string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(names, " ") {
		t.Errorf("directory holds %q, want %q", got, names)
	}
}

func mode(t *testing.T, path string) os.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func TestWriteNewAndReplace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	long := strings.Repeat("0123456789", 50_000) // several buffers
	for _, content := range []string{"first", long, ""} {
		if err := WriteBytes(path, []byte(content)); err != nil {
			t.Fatal(err)
		}
		if read(t, path) != content {
			t.Errorf("file does not hold the %d bytes written", len(content))
		}
	}
	onlyFiles(t, filepath.Dir(path), "file")
}

func TestPermissions(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no permission bits")
	}
	path := filepath.Join(t.TempDir(), "file")
	if err := WriteBytes(path, nil); err != nil {
		t.Fatal(err)
	}
	if got := mode(t, path); got != 0o644 {
		t.Errorf("a new file has mode %v", got)
	}
	for _, want := range []os.FileMode{0o600, 0o664, 0o755} {
		if err := os.Chmod(path, want); err != nil {
			t.Fatal(err)
		}
		if err := WriteBytes(path, []byte("x")); err != nil {
			t.Fatal(err)
		}
		if got := mode(t, path); got != want {
			t.Errorf("mode %v became %v", want, got)
		}
	}
}

func TestFailureKeepsOldFile(t *testing.T) {
	broken := errors.New("broken encoder")
	path := filepath.Join(t.TempDir(), "file")
	fill := func(w io.Writer) error {
		if _, err := w.Write(make([]byte, 1<<20)); err != nil { // beyond the buffer: reaches the disk
			return err
		}
		return broken
	}
	err := Write(path, fill)
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v does not wrap the cause and name the file", err)
	}
	onlyFiles(t, filepath.Dir(path))

	if err := WriteBytes(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, fill); !errors.Is(err, broken) {
		t.Errorf("error %v does not wrap the cause", err)
	}
	if got := read(t, path); got != "old" {
		t.Errorf("file holds %d bytes after a failure, want the old ones", len(got))
	}
	onlyFiles(t, filepath.Dir(path), "file")
}

func TestPanicLeavesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic of fill was swallowed")
			}
		}()
		_ = Write(path, func(io.Writer) error { panic("encoder") })
	}()
	onlyFiles(t, filepath.Dir(path))
}

func TestRefused(t *testing.T) {
	directory := t.TempDir()
	file := filepath.Join(directory, "file")
	if err := WriteBytes(file, []byte("old")); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ path, want string }{
		"missing directory": {filepath.Join(directory, "none", "file"), "none"},
		"a directory":       {directory, "not a regular file"},
		"below a file":      {filepath.Join(file, "x"), "file"},
		"empty name":        {"", ""},
	} {
		called := false
		err := Write(c.path, func(io.Writer) error { called = true; return nil })
		if err == nil || !strings.HasPrefix(err.Error(), "atomicfile: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
		if called {
			t.Errorf("%s: content was produced for a file that cannot be written", name)
		}
	}
	onlyFiles(t, directory, "file")
}

func TestSymbolicLink(t *testing.T) {
	directory := t.TempDir()
	target, link := filepath.Join(directory, "a-target"), filepath.Join(directory, "b-link")
	if err := os.Symlink(target, link); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	if err := WriteBytes(link, nil); err == nil || !strings.Contains(err.Error(), "link") {
		t.Errorf("writing to a dangling link: %v", err)
	}
	if err := WriteBytes(target, []byte("old")); err != nil {
		t.Fatal(err)
	}
	if err := WriteBytes(link, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v %v", info, err)
	}
	if got := read(t, target); got != "new" {
		t.Errorf("target holds %q", got)
	}
	onlyFiles(t, directory, "a-target", "b-link")
}

// TestReadersSeeWholeFiles opens the file while the replacement is half written.
func TestReadersSeeWholeFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := WriteBytes(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	err := Write(path, func(w io.Writer) error {
		_, err := w.Write(make([]byte, 1<<20))
		if got := read(t, path); got != "old" {
			t.Errorf("a reader sees %d bytes during the write", len(got))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
