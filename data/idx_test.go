package data

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// idx encodes an IDX file.
func idx(kind byte, shape []uint32, values any) []byte {
	var b bytes.Buffer
	b.Write([]byte{0, 0, kind, byte(len(shape))})
	for _, v := range []any{shape, values} {
		if err := binary.Write(&b, binary.BigEndian, v); err != nil {
			panic(err) // a fault of the test
		}
	}
	return b.Bytes()
}

func TestReadIDX(t *testing.T) {
	for name, c := range map[string]struct {
		kind   byte
		values any
	}{
		"uint8":   {0x08, []uint8{0, 1, 2, 3, 4, 255}},
		"int8":    {0x09, []int8{0, 1, 2, 3, -128, 127}},
		"int16":   {0x0b, []int16{0, 1, 2, 3, -32768, 32767}},
		"int32":   {0x0c, []int32{0, 1, 2, 3, -1 << 31, 1<<31 - 1}},
		"float32": {0x0d, []float32{0, 1, 2, 3, -1.5, 1e38}},
		"float64": {0x0e, []float64{0, 1, 2, 3, -1.5, 1e308}},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := ReadIDX(bytes.NewReader(idx(c.kind, []uint32{2, 3}, c.values)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&Array{[]int{2, 3}, c.values}, a); diff != "" {
				t.Errorf("array (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadIDXErrors(t *testing.T) {
	good := idx(0x08, []uint32{2, 3}, make([]uint8, 6))
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"empty":        {nil, "byte 0"},
		"short magic":  {good[:3], "byte 0"},
		"foreign":      {[]byte("\x89PNG\r\n\x1a\n"), "not an IDX file"},
		"type":         {idx(0x0a, []uint32{1}, []uint8{0}), "unknown type 0x0a at byte 2"},
		"no axes":      {good[:4], "axis 0 at byte 4"},
		"half an axis": {good[:10], "axis 1 at byte 8"},
		"truncated":    {good[:len(good)-1], "from byte 12: data ends after 5 of 6 bytes"},
		"longer":       {append(bytes.Clone(good), 0), "more bytes"},
		"lying header": {idx(0x0e, []uint32{1 << 13, 1 << 14}, []uint8{1, 2, 3}), "data ends after 3 of"},
		"overflow":     {idx(0x08, []uint32{1 << 31, 1 << 31, 1 << 31}, []uint8{}), "too large"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadIDX(bytes.NewReader(c.file))
			wantError(t, err, "data: idx: ", c.want)
		})
	}
}

// TestLyingHeader: a header alone must not make the reader allocate what it claims, here 128 MiB.
func TestLyingHeader(t *testing.T) {
	lie := idx(0x08, []uint32{1 << 13, 1 << 14}, make([]uint8, 5000))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := ReadIDX(bytes.NewReader(lie))
	runtime.ReadMemStats(&after)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v, want one of an early end", err)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got < trusted || got > 2*trusted {
		t.Errorf("%d bytes allocated for a file of %d, want about %d", got, len(lie), trusted)
	}
}

// TestLongArray reads more than one growth step of the element buffer.
func TestLongArray(t *testing.T) {
	values := make([]float32, trusted+12345)
	for i := range values {
		values[i] = float32(i)
	}
	a, err := ReadIDX(bytes.NewReader(idx(0x0d, []uint32{uint32(len(values))}, values)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(values, a.Data); diff != "" {
		t.Error("long array differs")
	}
}

// writeIDX makes a directory of four small files: 3 training and 2 test images of 2x2 pixels, then changes it.
func writeIDX(t *testing.T, replace map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string][]byte{
		"train-images-idx3-ubyte": idx(0x08, []uint32{3, 2, 2}, []uint8{0, 51, 102, 255, 1, 2, 3, 4, 5, 6, 7, 8}),
		"train-labels-idx1-ubyte": idx(0x08, []uint32{3}, []uint8{2, 0, 1}),
		"t10k-images-idx3-ubyte":  idx(0x08, []uint32{2, 2, 2}, make([]uint8, 8)),
		"t10k-labels-idx1-ubyte":  idx(0x08, []uint32{2}, []uint8{1, 0}),
	}
	for name, content := range replace {
		files[name] = content
	}
	for name, content := range files {
		if content == nil {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func gzipped(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(b) // a bytes.Buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

func TestOpenIDX(t *testing.T) {
	for name, replace := range map[string]map[string][]byte{
		"plain": nil,
		"one file packed": {
			"t10k-labels-idx1-ubyte":    nil,
			"t10k-labels-idx1-ubyte.gz": gzipped(idx(0x08, []uint32{2}, []uint8{1, 0})),
		},
		"one axis more": {
			"train-images-idx3-ubyte": idx(0x08, []uint32{3, 2, 2, 1}, []uint8{0, 51, 102, 255, 1, 2, 3, 4, 5, 6, 7, 8}),
		},
		"labels of another type": {
			"train-labels-idx1-ubyte": idx(0x0c, []uint32{3}, []int32{2, 0, 1}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			train, test, err := OpenIDX(writeIDX(t, replace))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]int{2, 2, 1}, train.InputShape()); diff != "" {
				t.Errorf("input shape (-want +got):\n%s", diff)
			}
			x, y := rows(t, train, 0)
			if diff := cmp.Diff([]float32{0, 0.2, 0.4, 1}, x) + cmp.Diff([]float32{2}, y); diff != "" {
				t.Errorf("row 0 (-want +got):\n%s", diff)
			}
			if train.Len() != 3 || test.Len() != 2 || Classes(train) != 3 || Classes(test) != 3 {
				t.Errorf("%d and %d rows, %d and %d classes", train.Len(), test.Len(), Classes(train), Classes(test))
			}
		})
	}
}

// The first rows are read alone: what follows them may be missing.
func TestOpenIDXSamples(t *testing.T) {
	dir := writeIDX(t, map[string][]byte{
		"train-images-idx3-ubyte": idx(0x08, []uint32{3, 2, 2}, []uint8{0, 51, 102, 255, 1, 2, 3, 4}),
		"t10k-images-idx3-ubyte":  nil,
	})
	samples, err := OpenIDXSamples(dir, 2)
	if err != nil {
		t.Fatal(err)
	}
	x, y := rows(t, samples, 1)
	if samples.Len() != 2 || !cmp.Equal(x, []float32{1. / 255, 2. / 255, 3. / 255, 4. / 255}) || !cmp.Equal(y, []float32{0}) {
		t.Errorf("%d rows, row 1 is %v, %v", samples.Len(), x, y)
	}
	if _, err := OpenIDXSamples(dir, 3); err == nil {
		t.Error("a row that is not there was read")
	}
	if all, err := OpenIDXSamples(writeIDX(t, nil), 100); err != nil || all.Len() != 3 {
		t.Errorf("error %v", err)
	}
	if _, err := OpenIDXSamples(dir, 0); err == nil {
		t.Error("no rows are no error")
	}
}

// The test part alone is that of all, with the classes of the training labels.
func TestOpenIDXTest(t *testing.T) {
	dir := writeIDX(t, nil)
	train, want, err := OpenIDX(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "train-images-idx3-ubyte")); err != nil {
		t.Fatal(err)
	}
	got, err := OpenIDXTest(dir)
	if err != nil {
		t.Fatal(err)
	}
	if Classes(got) != Classes(train) || got.Len() != want.Len() {
		t.Errorf("%d rows of %d classes, want %d of %d", got.Len(), Classes(got), want.Len(), Classes(train))
	}
	for i := range want.Len() {
		x, y := rows(t, got, i)
		if wantX, wantY := rows(t, want, i); !cmp.Equal(x, wantX) || !cmp.Equal(y, wantY) {
			t.Errorf("row %d is %v, %v, want %v, %v", i, x, y, wantX, wantY)
		}
	}
	for _, name := range []string{"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", "train-labels-idx1-ubyte"} {
		for _, content := range [][]byte{nil, {0, 0, 8}} {
			_, err := OpenIDXTest(writeIDX(t, map[string][]byte{name: content}))
			wantError(t, err, "data: idx: ", name)
		}
	}
}

func TestOpenIDXFloat(t *testing.T) {
	train, _, err := OpenIDX(writeIDX(t, map[string][]byte{
		"train-images-idx3-ubyte": idx(0x0d, []uint32{3, 2, 2}, []float32{-1, 7, 0.5, 3, 0, 0, 0, 0, 0, 0, 0, 0}),
	}))
	if err != nil {
		t.Fatal(err)
	}
	if x, _ := rows(t, train, 0); !cmp.Equal(x, []float32{-1, 7, 0.5, 3}) {
		t.Errorf("row 0 is %v, want it unscaled", x)
	}
}

func TestOpenIDXErrors(t *testing.T) {
	for name, c := range map[string]struct {
		replace map[string][]byte
		want    []string
	}{
		"missing":        {map[string][]byte{"t10k-images-idx3-ubyte": nil}, []string{"t10k-images-idx3-ubyte.gz"}},
		"broken gzip":    {map[string][]byte{"train-labels-idx1-ubyte": nil, "train-labels-idx1-ubyte.gz": []byte("no")}, []string{"train-labels-idx1-ubyte.gz"}},
		"truncated gzip": {map[string][]byte{"train-labels-idx1-ubyte": nil, "train-labels-idx1-ubyte.gz": gzipped(idx(0x08, []uint32{3}, []uint8{2, 0, 1}))[:20]}, []string{"train-labels-idx1-ubyte.gz"}},
		"truncated":      {map[string][]byte{"train-labels-idx1-ubyte": {0, 0, 8, 1, 0, 0, 0, 3, 1}}, []string{"1 of 3 bytes", "train-labels"}},
		"image axes":     {map[string][]byte{"train-images-idx3-ubyte": idx(0x08, []uint32{3, 4}, make([]uint8, 12))}, []string{"2 axes"}},
		"label axes":     {map[string][]byte{"train-labels-idx1-ubyte": idx(0x08, []uint32{3, 1}, make([]uint8, 3))}, []string{"2 axes"}},
		"label count":    {map[string][]byte{"train-labels-idx1-ubyte": idx(0x08, []uint32{2}, make([]uint8, 2))}, []string{"3 inputs but 2 targets", "train-images", "train-labels"}},
		"no images":      {map[string][]byte{"train-images-idx3-ubyte": idx(0x08, []uint32{0, 2, 2}, []uint8{})}, []string{"no rows"}},
		"no pixels":      {map[string][]byte{"train-images-idx3-ubyte": idx(0x08, []uint32{3, 0, 2}, []uint8{})}, []string{"[0 2 1]"}},
		"negative label": {map[string][]byte{"train-labels-idx1-ubyte": idx(0x09, []uint32{3}, []int8{0, -1, 1})}, []string{"row 1: label -1"}},
		"all negative":   {map[string][]byte{"train-labels-idx1-ubyte": idx(0x09, []uint32{3}, []int8{-5, -1, -2})}, []string{"row 0: label -5"}},
		"NaN label":      {map[string][]byte{"train-labels-idx1-ubyte": append(idx(0x0d, []uint32{3}, []float32{0, 1}), 0x7f, 0xc0, 0, 0)}, []string{"row 2", "NaN"}},
		"huge label":     {map[string][]byte{"train-labels-idx1-ubyte": idx(0x0e, []uint32{3}, []float64{0, 1, 1e30})}, []string{"row 2: label 1e+30"}},
		"test label":     {map[string][]byte{"t10k-labels-idx1-ubyte": idx(0x08, []uint32{2}, []uint8{0, 3})}, []string{"row 1: label 3 is outside 0..2"}},
		"test shape":     {map[string][]byte{"t10k-images-idx3-ubyte": idx(0x08, []uint32{2, 4, 1}, make([]uint8, 8))}, []string{"[2 2 1]", "[4 1 1]"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := OpenIDX(writeIDX(t, c.replace))
			wantError(t, err, append(c.want, "data: ")...)
		})
	}
	if _, _, err := OpenIDX(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing directory gives %v", err)
	}
}

// TestFashionMNIST reads the four real files.
func TestFashionMNIST(t *testing.T) {
	dir := os.Getenv("GOQAT_FASHION_MNIST")
	if dir == "" {
		dir = "/usr/share/datasets/fashion-mnist"
	}
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("GOQAT_REQUIRE_FASHION") == "1" {
			t.Fatalf("Fashion-MNIST is required: %v", err)
		}
		t.Skipf("Fashion-MNIST is not here (Debian package dataset-fashion-mnist, or set GOQAT_FASHION_MNIST): %v", err)
	}
	train, test, err := OpenIDX(dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		ds          Dataset
		rows        int
		fingerprint string
	}{"train": {
		train, 60_000, "901faacd86f26037c881b7e11c7bb30a073d22710dd09168bf8d0144a3c60a8a",
	}, "test": {
		test, 10_000, "e1b0e666bbdcfda6c16ab3afc7fe8119421b1967273a793e054a8756819fc59a",
	}} {
		labels, err := Labels(c.ds)
		if err != nil {
			t.Fatal(err)
		}
		counts := make([]int, 10)
		for _, l := range labels {
			counts[l]++
		}
		for class, n := range counts {
			if n != c.rows/10 {
				t.Errorf("%s: %d images of class %d", name, n, class)
			}
		}
		if got, err := Fingerprint(c.ds); err != nil || got != c.fingerprint {
			t.Errorf("%s: fingerprint %s (%v), want %s", name, got, err, c.fingerprint)
		}
		if diff := cmp.Diff([]int{28, 28, 1}, c.ds.InputShape()); diff != "" || Classes(c.ds) != 10 || c.ds.Len() != c.rows {
			t.Errorf("%s: %d rows of shape %v, %d classes", name, c.ds.Len(), c.ds.InputShape(), Classes(c.ds))
		}
	}
}

func FuzzReadIDX(f *testing.F) {
	f.Add(idx(0x08, []uint32{2, 3}, make([]uint8, 6)))
	f.Add(idx(0x0d, []uint32{1}, []float32{1}))
	f.Add(idx(0x0e, []uint32{}, []float64{1}))
	f.Add(idx(0x0b, []uint32{0, 1 << 31}, []int16{}))
	f.Add(idx(0x0c, []uint32{1 << 31, 1 << 31}, []int32{1}))
	f.Fuzz(func(t *testing.T, file []byte) {
		a, err := ReadIDX(bytes.NewReader(file))
		if err != nil {
			return
		}
		shape := make([]uint32, len(a.Shape))
		for i, d := range a.Shape {
			shape[i] = uint32(d)
		}
		if again := idx(file[2], shape, a.Data); !bytes.Equal(again, file) {
			t.Errorf("read and written again, the file differs")
		}
		if _, err := a.Float32s(); err != nil {
			t.Errorf("an array that was read is refused: %v", err)
		}
	})
}
