package compare

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/data/digits"
)

// Source is a data set of class labels in two parts.
type Source struct {
	// Name appears in reports.
	Name        string
	Train, Test data.Dataset
	// Small says that the images are tiny and the rows few, as with the embedded
	// digits: [CNN] is another network then, and trains for longer.
	Small bool
}

// Open reads a directory of IDX files, see [data.OpenIDX], or an NPZ file, see
// [data.OpenNPZ]. The empty name stands for the embedded digits.
func Open(name string) (Source, error) {
	if name == "" {
		train, test := digits.Load()
		return Source{Name: "digits", Train: train, Test: test, Small: true}, nil
	}
	open := data.OpenIDX
	if strings.HasSuffix(name, ".npz") {
		open = data.OpenNPZ
	}
	train, test, err := open(name)
	if err != nil {
		return Source{}, err
	}
	return Source{Name: strings.TrimSuffix(filepath.Base(filepath.Clean(name)), ".npz"), Train: train, Test: test}, nil
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
