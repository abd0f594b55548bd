package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// newMode is the permission of a file that did not exist. An existing file keeps its own.
const newMode fs.FileMode = 0o644

// Write makes path hold exactly what fill writes. If fill or any step fails, the error says which, path is
// untouched and the temporary file is gone. A symbolic link is followed: its target is replaced, the link
// stays. Anything at path that is not a regular file is refused.
func Write(path string, fill func(io.Writer) error) error {
	target, mode, err := resolve(path)
	if err != nil {
		return fmt.Errorf("atomicfile: %w", err)
	}
	temporary, err := os.CreateTemp(filepath.Dir(target), "."+filepath.Base(target)+".*.tmp")
	if err != nil {
		return fmt.Errorf("atomicfile: %w", err)
	}
	installed := false
	defer func() { // also when fill panics
		if !installed {
			temporary.Close()
			os.Remove(temporary.Name())
		}
	}()
	if err := fillAndSync(temporary, mode, fill); err != nil {
		return fmt.Errorf("atomicfile: write %s: %w", path, err)
	}
	if err := os.Rename(temporary.Name(), target); err != nil {
		return fmt.Errorf("atomicfile: %w", err)
	}
	installed = true
	syncDirectory(filepath.Dir(target))
	return nil
}

// WriteBytes makes path hold exactly content, with the guarantees of [Write].
func WriteBytes(path string, content []byte) error {
	return Write(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// resolve follows links and reports the file to replace and the permissions it is to have.
func resolve(path string) (target string, mode fs.FileMode, err error) {
	target, err = filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(path); err == nil {
			return "", 0, fmt.Errorf("%s is a link to a file that does not exist", path)
		}
		return path, newMode, nil
	}
	if err != nil {
		return "", 0, err
	}
	info, err := os.Stat(target)
	if err != nil {
		return "", 0, err
	}
	if !info.Mode().IsRegular() {
		return "", 0, fmt.Errorf("%s is not a regular file", path)
	}
	return target, info.Mode().Perm(), nil
}

// fillAndSync writes the content and leaves the file closed, on the disk and with its final permissions.
func fillAndSync(file *os.File, mode fs.FileMode, fill func(io.Writer) error) error {
	buffered := bufio.NewWriterSize(file, 1<<16)
	if err := fill(buffered); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	if err := file.Chmod(mode); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	return file.Close()
}

// syncDirectory makes the rename itself durable where the system can do that. The file is in place either
// way, so a system that cannot open or sync directories (Windows) is no error.
func syncDirectory(path string) {
	if directory, err := os.Open(path); err == nil {
		directory.Sync()
		directory.Close()
	}
}
