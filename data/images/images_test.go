package images_test

import (
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/data/images"
)

// picture writes an image of the given kind, whose pixels count up from first in
// every color, and returns its path.
func picture(t *testing.T, path string, m interface {
	image.Image
	Set(x, y int, c color.Color)
}, first uint8) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	b := m.Bounds()
	for y := range b.Dy() {
		for x := range b.Dx() {
			v := first + uint8(y*b.Dx()+x)
			m.Set(x, y, color.RGBA{v, v, v, 255})
		}
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	encode := png.Encode
	if strings.HasSuffix(path, "g") && !strings.HasSuffix(path, ".png") {
		encode = func(w io.Writer, m image.Image) error {
			return jpeg.Encode(w, m, &jpeg.Options{Quality: 100})
		}
	}
	if err := encode(f, m); err != nil {
		t.Fatal(err)
	}
	return path
}

var wide = image.Rect(0, 0, 3, 2)

// Images of every kind are read as bytes over 255, in the order of their names.
func TestImages(t *testing.T) {
	dir := t.TempDir()
	picture(t, dir+"/b.PNG", image.NewNRGBA(wide), 10)
	picture(t, dir+"/a.png", image.NewGray(wide), 200)
	picture(t, dir+"/c.jpeg", image.NewGray(wide), 90)
	picture(t, dir+"/d.png", image.NewGray16(wide), 7)
	for _, ignored := range []string{"/.hidden.png", "/notes.txt"} {
		if err := os.WriteFile(dir+ignored, []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for channels, want := range map[int][]int{0: {2, 3, 1}, 1: {2, 3, 1}, 3: {2, 3, 3}} {
		set, err := images.Open(dir, images.Options{Channels: channels})
		if err != nil {
			t.Fatal(err)
		}
		if set.Len() != 4 || !slices.Equal(set.InputShape(), want) || set.Classes() != 0 || !slices.Equal(set.TargetShape(), []int{1}) {
			t.Errorf("%d images of shape %v, %d classes", set.Len(), set.InputShape(), set.Classes())
		}
		size := want[0] * want[1] * want[2]
		x, y := make([]float32, 4*size), make([]float32, 4)
		if err := set.Read([]int{1, 0, 3, 2}, x, y); err != nil {
			t.Fatal(err)
		}
		for i, first := range []int{10, 200, 7, 90} {
			for p := range size {
				value, slack := float32(first+p/want[2])/255, float32(0)
				if first == 90 {
					slack = 3. / 255 // JPEG rounds its coefficients
				}
				if d := x[i*size+p] - value; d > slack || d < -slack {
					t.Errorf("%d channels, image %d: element %d is %v, want %v", channels, i, p, x[i*size+p], value)
				}
			}
		}
	}
}

// Folders are labels.
func TestImageLabels(t *testing.T) {
	dir := t.TempDir()
	picture(t, dir+"/dog/1.png", image.NewRGBA(wide), 1)
	picture(t, dir+"/cat/1.png", image.NewRGBA(wide), 2)
	picture(t, dir+"/cat/2.jpg", image.NewRGBA(wide), 3)
	set, err := images.Open(dir, images.Options{})
	if err != nil {
		t.Fatal(err)
	}
	labels, err := data.Labels(set)
	if err != nil || !slices.Equal(labels, []int{0, 0, 1}) || !slices.Equal(set.Labels(), []string{"cat", "dog"}) || !slices.Equal(set.InputShape(), []int{2, 3, 3}) {
		t.Errorf("labels %v of %v, shape %v, error %v", labels, set.Labels(), set.InputShape(), err)
	}
}

func TestImageErrors(t *testing.T) {
	write := func(path, content string) func(dir string) {
		return func(dir string) {
			if err := os.WriteFile(dir+path, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for want, prepare := range map[string]func(dir string){
		"holds no PNG or JPEG files": func(string) {},
		"empty holds no PNG":         func(dir string) { picture(t, dir+"/a/1.png", image.NewGray(wide), 1); os.Mkdir(dir+"/empty", 0o755) },
		"both images and folders": func(dir string) {
			picture(t, dir+"/a/1.png", image.NewGray(wide), 1)
			picture(t, dir+"/1.png", image.NewGray(wide), 1)
		},
		"b.png is 3 pixels high and 2 wide,": func(dir string) {
			picture(t, dir+"/a.png", image.NewGray(wide), 1)
			picture(t, dir+"/b.png", image.NewGray(image.Rect(0, 0, 2, 3)), 1)
		},
		"x.png: image: unknown format": write("/x.png", "GIF89a"),
	} {
		dir := t.TempDir()
		prepare(dir)
		if _, err := images.Open(dir, images.Options{}); err == nil || !strings.HasPrefix(err.Error(), "images: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if _, err := images.Open(t.TempDir()+"/none", images.Options{}); err == nil {
		t.Error("a directory that is not there was opened")
	}
	if _, err := images.Open(t.TempDir(), images.Options{Channels: 2}); err == nil {
		t.Error("two channels were taken")
	}

	// What is wrong inside of a file is found when it is read.
	dir := t.TempDir()
	glass := image.NewNRGBA(wide)
	picture(t, dir+"/a.png", glass, 1)
	f, err := os.Create(dir + "/b.png")
	if err != nil {
		t.Fatal(err)
	}
	glass.SetNRGBA(0, 0, color.NRGBA{1, 2, 3, 4})
	if err := png.Encode(f, glass); err != nil {
		t.Fatal(err)
	}
	f.Close()
	set, err := images.Open(dir, images.Options{})
	if err != nil {
		t.Fatal(err)
	}
	x, y := make([]float32, 18), make([]float32, 1)
	if err := set.Read([]int{1}, x, y); err == nil || !strings.Contains(err.Error(), "b.png: has see-through pixels") {
		t.Errorf("error %v", err)
	}
	if set.Read([]int{2}, x, y) == nil || set.Read([]int{0}, x[1:], y) == nil {
		t.Error("a row that is not there, or buffers that do not fit, are no error")
	}
	picture(t, dir+"/a.png", image.NewGray(image.Rect(0, 0, 2, 3)), 1)
	if err := set.Read([]int{0}, x, y); err == nil || !strings.Contains(err.Error(), "a.png: 3 pixels high and 2 wide, it was 2 and 3") {
		t.Errorf("error %v", err)
	}
}
