package images

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // decoders of the formats that are read
	_ "image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Options say how to read a directory of images.
type Options struct {
	// Channels is 1 for gray images, to which colors are converted, or 3 for red,
	// green and blue. 0 means those of the first image.
	Channels int
}

// Files is a [data.Dataset] of PNG and JPEG files that are read when they are
// asked for; see [Open]. It may be read from several goroutines at once.
type Files struct {
	paths         []string
	labels        []string // names; nil where there are none
	label         []float32
	height, width int
	channels      int
}

// Open makes a set of the files in dir that end in .png, .jpg or .jpeg, in
// the order of their names. If dir holds folders with such files instead, each has
// the name of a label: dir/cat/1.png. Labels are numbered in the order of their
// names. What begins with a dot is passed over.
//
// Only the headers of files are read here. Nothing is resized. Values are those of
// bytes divided by 255, or of 16-bit pixels by 65535.
//
// Shapes: input [height, width, channels]; target [1], a class label, or 0 where
// there are no labels.
//
// Errors: no images, a label without images, both images and folders of images,
// files that are no images, images of different sizes, by name.
func Open(dir string, o Options) (*Files, error) {
	if o.Channels != 0 && o.Channels != 1 && o.Channels != 3 {
		return nil, fmt.Errorf("images: %d channels, want 1 or 3", o.Channels)
	}
	set := &Files{channels: o.Channels}
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return nil, fmt.Errorf("images: %w", err)
	}
	set.add(dir, entries, 0)
	flat := len(set.paths)
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		folder := filepath.Join(dir, e.Name())
		files, err := os.ReadDir(folder)
		if err != nil {
			return nil, fmt.Errorf("images: %w", err)
		}
		if set.add(folder, files, len(set.labels)) == 0 && flat == 0 {
			return nil, fmt.Errorf("images: %s holds no PNG or JPEG files", folder)
		}
		set.labels = append(set.labels, e.Name())
	}
	switch {
	case len(set.paths) == 0:
		return nil, fmt.Errorf("images: %s holds no PNG or JPEG files", dir)
	case flat > 0 && len(set.paths) > flat:
		return nil, fmt.Errorf("images: %s holds both images and folders of images", dir)
	case flat > 0:
		set.labels = nil
	}
	return set, set.measure()
}

// add appends the images among the entries of a folder and returns how many there
// are.
func (s *Files) add(folder string, entries []os.DirEntry, label int) int {
	count := 0
	for _, e := range entries {
		switch strings.ToLower(filepath.Ext(e.Name())) {
		case ".png", ".jpg", ".jpeg":
			if !e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
				s.paths, s.label = append(s.paths, filepath.Join(folder, e.Name())), append(s.label, float32(label))
				count++
			}
		}
	}
	return count
}

// measure reads the headers of all files.
func (s *Files) measure() error {
	var faults []error
	for i, path := range s.paths {
		c, err := header(path)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		if i == 0 {
			s.height, s.width = c.Height, c.Width
			if s.channels == 0 {
				s.channels = 3
				if gray(c.ColorModel) {
					s.channels = 1
				}
			}
		}
		if c.Height != s.height || c.Width != s.width {
			faults = append(faults, fmt.Errorf("images: %s is %d pixels high and %d wide, but %s is %d and %d: images are not resized",
				path, c.Height, c.Width, s.paths[0], s.height, s.width))
		}
		if len(faults) == 10 {
			break
		}
	}
	return errors.Join(faults...)
}

func gray(m color.Model) bool { return m == color.GrayModel || m == color.Gray16Model }

func header(path string) (image.Config, error) {
	file, err := os.Open(path)
	if err != nil {
		return image.Config{}, fmt.Errorf("images: %w", err)
	}
	defer file.Close()
	c, _, err := image.DecodeConfig(bufio.NewReader(file))
	if err != nil {
		return c, fmt.Errorf("images: %s: %w", path, err)
	}
	return c, nil
}

// Len is the number of images.
func (s *Files) Len() int { return len(s.paths) }

// InputShape is [height, width, channels].
func (s *Files) InputShape() []int { return []int{s.height, s.width, s.channels} }

// TargetShape is [1].
func (s *Files) TargetShape() []int { return []int{1} }

// Classes is the number of labels, 0 if there are none.
func (s *Files) Classes() int { return len(s.labels) }

// Labels are the names of the labels in the order of their numbers.
func (s *Files) Labels() []string { return slices.Clone(s.labels) }

// Read decodes images; see [data.Dataset].
//
// Errors: files that cannot be decoded, have another size
// than they had, or see-through pixels, by name.
func (s *Files) Read(index []int, x, y []float32) error {
	size := s.height * s.width * s.channels
	if len(x) != len(index)*size || len(y) != len(index) {
		return fmt.Errorf("images: buffers of %d and %d values for %d rows of %d values", len(x), len(y), len(index), size)
	}
	for i, row := range index {
		if row < 0 || row >= len(s.paths) {
			return fmt.Errorf("images: row %d of a set of %d rows", row, len(s.paths))
		}
		if err := s.decode(s.paths[row], x[i*size:(i+1)*size]); err != nil {
			return fmt.Errorf("images: %s: %w", s.paths[row], err)
		}
		y[i] = s.label[row]
	}
	return nil
}

// decode reads one image. Pixels are 16 bits a color here; those of bytes are
// 257 times the byte, and 257*65535/257 is 65535: the quotient is that of bytes.
func (s *Files) decode(path string, x []float32) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	m, _, err := image.Decode(bufio.NewReader(file))
	if err != nil {
		return err
	}
	b := m.Bounds()
	if b.Dy() != s.height || b.Dx() != s.width {
		return fmt.Errorf("%d pixels high and %d wide, it was %d and %d", b.Dy(), b.Dx(), s.height, s.width)
	}
	for row := b.Min.Y; row < b.Max.Y; row++ {
		for column := b.Min.X; column < b.Max.X; column++ {
			c := m.At(column, row)
			red, green, blue, opaque := c.RGBA()
			if opaque != 0xffff {
				return errors.New("has see-through pixels")
			}
			if s.channels == 1 {
				x[0] = float32(color.Gray16Model.Convert(c).(color.Gray16).Y) / 0xffff
			} else {
				x[0], x[1], x[2] = float32(red)/0xffff, float32(green)/0xffff, float32(blue)/0xffff
			}
			x = x[s.channels:]
		}
	}
	return nil
}
