package audio

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Folder says how to read a folder of sounds.
type Folder struct {
	// Length is the number of samples of a row: shorter clips are followed by zeros, longer ones are cut. 0 means
	// that all clips have one length.
	Length int
	// Rate is the samples per second that all clips must have; 0 means that of the first.
	Rate int
}

// Files is a [data.Dataset] of WAV files that are read when they are asked for; see [OpenFolder]. It may be read from
// several goroutines at once.
type Files struct {
	labels []string
	rate   int
	length int
	paths  []string
	label  []int
}

// OpenFolder makes a set of the WAV files in the folders of dir, each of which has the name of a label: dir/yes/a.wav.
// Labels are numbered in the order of their names, and rows follow the labels, then the names of files. Folders whose
// names begin with a dot or an underscore, such as _background_noise_, and files that do not end in .wav are passed
// over.
//
// Only the headers of files are read here. To hear every file once and keep what a network needs of it, use
// [Features.Extract].
//
// Shapes: input [Length]; target [1], a class label.
//
// Errors: no labels, a label without files, a file that is no WAV file, files of different rates or, where Length
// is 0, of different lengths.
func OpenFolder(dir string, f Folder) (*Files, error) {
	set := &Files{rate: f.Rate, length: f.Length}
	if f.Length < 0 || f.Rate < 0 {
		return nil, fmt.Errorf("audio: folder: length %d, rate %d", f.Length, f.Rate)
	}
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return nil, fmt.Errorf("audio: folder: %w", err)
	}
	var faults []error
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(e.Name(), "_") {
			faults = append(faults, set.addLabel(dir, e.Name(), f))
		}
	}
	if len(set.labels) == 0 {
		faults = append(faults, fmt.Errorf("audio: folder: %s holds no folders; each label needs one with its name", dir))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	if set.length == 0 {
		return nil, fmt.Errorf("audio: folder: %s: the clips are empty", dir)
	}
	return set, nil
}

func (s *Files) addLabel(dir, label string, f Folder) error {
	entries, err := os.ReadDir(filepath.Join(dir, label))
	if err != nil {
		return fmt.Errorf("audio: folder: %w", err)
	}
	var faults []error
	before := len(s.paths)
	for _, e := range entries {
		if e.IsDir() || !strings.EqualFold(filepath.Ext(e.Name()), ".wav") {
			continue
		}
		path := filepath.Join(dir, label, e.Name())
		if err := s.addFile(path, f); err != nil {
			faults = append(faults, err)
		}
		s.paths, s.label = append(s.paths, path), append(s.label, len(s.labels))
	}
	if len(s.paths) == before {
		faults = append(faults, fmt.Errorf("audio: folder: label %q has no WAV files in %s", label, filepath.Join(dir, label)))
	}
	s.labels = append(s.labels, label)
	return errors.Join(faults...)
}

// addFile holds the header of a file to those before it.
func (s *Files) addFile(path string, f Folder) error {
	var w *wavReader
	err := withFile(path, func(r io.Reader) error {
		w = &wavReader{r: r}
		return w.read(false)
	})
	if err != nil {
		return err
	}
	length := int(min(w.size/int64(w.frame()), 1<<30))
	if len(s.paths) == 0 {
		if f.Rate == 0 {
			s.rate = w.rate
		}
		if f.Length == 0 {
			s.length = length
		}
	}
	if w.rate != s.rate {
		return fmt.Errorf("audio: folder: %s has %d samples per second, want %d%s", path, w.rate, s.rate, s.like(f.Rate))
	}
	if f.Length == 0 && length != s.length {
		return fmt.Errorf("audio: folder: %s has %d samples, want %d%s; set Folder.Length to cut and fill", path, length, s.length, s.like(0))
	}
	return nil
}

// like names the file that set the standard, unless the options did.
func (s *Files) like(option int) string {
	if option != 0 || len(s.paths) == 0 {
		return ""
	}
	return " as " + s.paths[0] + " has"
}

// Len is the number of files.
func (s *Files) Len() int { return len(s.paths) }

// InputShape is [samples].
func (s *Files) InputShape() []int { return []int{s.length} }

// TargetShape is [1].
func (s *Files) TargetShape() []int { return []int{1} }

// Classes is the number of labels.
func (s *Files) Classes() int { return len(s.labels) }

// Labels are the names of the classes.
func (s *Files) Labels() []string { return slices.Clone(s.labels) }

// Rate is the number of samples per second.
func (s *Files) Rate() int { return s.rate }

// Paths are the files of the rows.
func (s *Files) Paths() []string { return slices.Clone(s.paths) }

// Read reads files; see [data.Dataset].
//
// Errors: also those of [ReadWAVFile].
func (s *Files) Read(index []int, x, y []float32) error {
	if len(x) != len(index)*s.length || len(y) != len(index) {
		return fmt.Errorf("audio: folder: buffers of %d and %d values for %d rows of %d samples", len(x), len(y), len(index), s.length)
	}
	for j, i := range index {
		if i < 0 || i >= len(s.paths) {
			return fmt.Errorf("audio: folder: row %d of a set of %d rows", i, len(s.paths))
		}
		c, err := ReadWAVFile(s.paths[i])
		if err != nil {
			return err
		}
		if c.Rate != s.rate {
			return fmt.Errorf("audio: folder: %s has %d samples per second now, had %d", s.paths[i], c.Rate, s.rate)
		}
		row := x[j*s.length : (j+1)*s.length]
		clear(row[copy(row, c.Samples):])
		y[j] = float32(s.label[i])
	}
	return nil
}
