package compare

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/goqat/goqat/data"
)

// Source is a data set of class labels in two parts.
type Source struct {
	// Name appears in reports, and so does Note, what a reader should know.
	Name, Note  string
	Train, Test data.Dataset
	// Small says that the rows are few, as a model's own are: they are learned for
	// longer, and cnn is another network then.
	Small bool
}

// Open reads a directory of IDX files, see [data.OpenIDX], or an NPZ file, see
// [data.OpenNPZ]. The empty name stands for the model's own data.
func Open(m Model, name string) (Source, error) {
	if name == "" {
		return m.Own.open()
	}
	open := data.OpenIDX
	if strings.HasSuffix(name, ".npz") {
		open = data.OpenNPZ
	}
	train, test, err := open(name)
	if err != nil {
		return Source{}, err
	}
	name = strings.TrimSuffix(filepath.Base(filepath.Clean(name)), ".npz")
	return Source{Name: name, Train: m.shaped(train), Test: m.shaped(test)}, nil
}

// OpenTest is [Open] for the test part alone, as far as that saves time: Train may be
// nil.
func OpenTest(m Model, name string) (Source, error) {
	if name == "" || strings.HasSuffix(name, ".npz") {
		return Open(m, name)
	}
	test, err := data.OpenIDXTest(name)
	if err != nil {
		return Source{}, err
	}
	return Source{Name: filepath.Base(filepath.Clean(name)), Test: m.shaped(test)}, nil
}

// check reports a source that cannot be compared on.
func (s Source) check() error {
	if s.Train == nil || s.Test == nil || s.Train.Len() == 0 || s.Test.Len() == 0 {
		return fmt.Errorf("compare: data set %q: a part has no rows", s.Name)
	}
	if data.Classes(s.Train) == 0 {
		return errors.New("compare: the targets are not class labels")
	}
	return nil
}
