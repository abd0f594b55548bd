package data

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// compressedNPZ was written by NumPy 2.4.6:
//
//	numpy.savez_compressed(b, x=numpy.zeros((3, 4), numpy.float32), y=numpy.array([7], dtype=numpy.int64))
const compressedNPZ = "UEsDBC0AAAAIAAAAIQDAoczq//////////8FABQAeC5ucHkBABAAsAAAAAAAAABJAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6l" +
	"oG6TZqKuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GsY6CiaaOgq1CmQDLgYSAQBQSwMELQAAAAgAAAAhALmTe5j//////////wUAFAB5" +
	"Lm5weQEAEACIAAAAAAAAAEgAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpNpoa6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkahjqa" +
	"Ogq1ChQALnYGCAAAUEsBAi0DLQAAAAgAAAAhAMChzOpJAAAAsAAAAAUAAAAAAAAAAAAAAIABAAAAAHgubnB5UEsBAi0DLQAAAAgAAAAhALmTe5hI" +
	"AAAAiAAAAAUAAAAAAAAAAAAAAIABgAAAAHkubnB5UEsFBgAAAAACAAIAZgAAAP8AAAAAAA=="

func fromBase64(t testing.TB, text string) []byte {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func unpack(b []byte) (map[string]*Array, error) { return ReadNPZ(bytes.NewReader(b), int64(len(b))) }

// archive is a ZIP file of the members given as name, content, name, content.
func archive(t testing.TB, method uint16, members ...string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		member, err := w.CreateHeader(&zip.FileHeader{Name: members[i], Method: method})
		if err == nil {
			_, err = io.WriteString(member, members[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestReadNPZ(t *testing.T) {
	got, err := unpack(fromBase64(t, compressedNPZ))
	want := map[string]*Array{"x": {[]int{3, 4}, make([]float32, 12)}, "y": {[]int{1}, []int64{7}}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, arrays (-want +got):\n%s", err, diff)
	}
	var first, second bytes.Buffer
	for _, b := range []*bytes.Buffer{&first, &second} {
		if err := WriteNPZ(b, want); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("written twice, the files differ")
	}
	if got, err = unpack(first.Bytes()); err != nil || !cmp.Equal(want, got) {
		t.Errorf("%v, what was written reads as (-want +got):\n%s", err, cmp.Diff(want, got))
	}
	if got, err = unpack(archive(t, zip.Store)); err != nil || len(got) != 0 {
		t.Errorf("no members: %v, %v", got, err)
	}
}

func TestReadNPZErrors(t *testing.T) {
	good := string(fromNumPy["version 1"].file)
	bomb := npyFile(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999,), }", "")
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"empty":      {nil, "zip: not a valid zip file"},
		"NPY":        {[]byte(good), "zip: not a valid zip file"},
		"truncated":  {fromBase64(t, compressedNPZ)[:300], "zip: not a valid zip file"},
		"foreign":    {archive(t, zip.Store, "readme.txt", "hello"), `member "readme.txt": the name does not end in .npy`},
		"no array":   {archive(t, zip.Store, "a.npy", "hello, world"), `member "a.npy": starts with "hello,"`},
		"twice":      {archive(t, zip.Store, "a.npy", good, "a.npy", good), `member "a.npy" appears twice`},
		"more bytes": {archive(t, zip.Store, "a.npy", good+"x"), `member "a.npy": more bytes follow`},
		"bomb":       {archive(t, zip.Deflate, "a.npy", string(bomb)), `member "a.npy": elements <f8[99999999999] from byte`},
		"checksum":   {bytes.Replace(archive(t, zip.Store, "a.npy", good), []byte("\x00\x00\x80?"), []byte("\x00\x00\x80@"), 1), `member "a.npy": zip: checksum error`},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "bomb" && strconv.IntSize == 32 {
				c.want = "want an axis"
			}
			_, err := unpack(c.file)
			wantError(t, err, "data: npz: ", c.want)
		})
	}
}

// TestNPZOverlap: two entries of the directory that share one member do not pass.
func TestNPZOverlap(t *testing.T) {
	content := string(npyFile(1, "{'descr': '|i1', 'fortran_order': False, 'shape': (100000,), }", strings.Repeat("\x00", 100_000)))
	b := archive(t, zip.Store, "a.npy", content)
	start := bytes.LastIndex(b, []byte("PK\x01\x02"))
	end := bytes.LastIndex(b, []byte("PK\x05\x06"))
	entry, tail := bytes.Clone(b[start:end]), bytes.Clone(b[end:])
	second := bytes.Replace(entry, []byte("a.npy"), []byte("b.npy"), 1)
	tail[8], tail[10] = 2, 2 // entries
	binary.LittleEndian.PutUint32(tail[12:], uint32(2*len(entry)))
	_, err := unpack(bytes.Join([][]byte{b[:start], entry, second, tail}, nil))
	wantError(t, err, `member "b.npy": the members have more bytes than the file`)
}

// TestNPZMemory: what is allocated follows from the bytes that are there, not from what headers claim.
func TestNPZMemory(t *testing.T) {
	header := string(npyFile(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (250000000,), }", ""))
	file := archive(t, zip.Deflate, "a.npy", header+strings.Repeat("\x00", 500_000))
	if len(file) > 1000 {
		t.Fatalf("the file has %d bytes", len(file))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := unpack(file)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v", err)
	}
	// The trusted megabyte, its last growth by four, the window of the decompressor.
	if used := after.TotalAlloc - before.TotalAlloc; used > 6<<20 {
		t.Errorf("%d bytes allocated for a file of %d that claims 1 GB", used, len(file))
	}
}

func TestWriteNPZErrors(t *testing.T) {
	err := WriteNPZ(io.Discard, map[string]*Array{"a": {Shape: []int{1}}})
	wantError(t, err, `data: npz: member "a.npy": array of unsupported type <nil>`)
	if err := WriteNPZ(&fullDisk{4000}, map[string]*Array{"a": {[]int{5000}, make([]int8, 5000)}}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a full disk gives %v", err)
	}
}

func TestOpenNPZ(t *testing.T) {
	path := filepath.Join(t.TempDir(), "set.npz")
	save := func(arrays map[string]*Array) {
		t.Helper()
		var b bytes.Buffer
		if err := WriteNPZ(&b, arrays); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	images := func(n int) *Array { return &Array{[]int{n, 2, 2}, make([]uint8, 4*n)} }
	vectors := func(n int) *Array { return &Array{[]int{n, 3}, make([]float64, 3*n)} }
	label := func(values ...int64) *Array { return &Array{[]int{len(values), 1}, values} }
	save(map[string]*Array{"x_train": images(3), "y_train": label(0, 2, 1), "x_test": images(1), "y_test": label(1), "other": images(1)})
	train, test, err := OpenNPZ(path)
	if err != nil {
		t.Fatal(err)
	}
	labels, err := Labels(train)
	if diff := cmp.Diff([]int{0, 2, 1}, labels) + cmp.Diff([]int{2, 2, 1}, train.InputShape()); err != nil || diff != "" || Classes(test) != 3 {
		t.Errorf("%v, %d classes, labels and shape:\n%s", err, Classes(test), diff)
	}
	for name, c := range map[string]struct {
		arrays map[string]*Array
		want   string
	}{
		"missing":      {map[string]*Array{"x_train": images(1), "y": label(1)}, `no arrays x_train and y_train; there are ["x_train" "y"]`},
		"no axes":      {map[string]*Array{"x_train": label(1), "y_train": label(1)}, ""},
		"scalar":       {map[string]*Array{"x_train": {nil, []int8{1}}, "y_train": label(1)}, "x_train has less than 2 axes"},
		"labels":       {map[string]*Array{"x_train": images(1), "y_train": images(1)}, "y_train has shape [1 2 2]"},
		"rows":         {map[string]*Array{"x_train": images(2), "y_train": label(1)}, "2 inputs but 1 targets"},
		"no test part": {map[string]*Array{"x_train": images(1), "y_train": label(0)}, "no arrays x_test"},
		"shapes": {map[string]*Array{"x_train": images(1), "y_train": label(0), "x_test": vectors(1), "y_test": label(0)},
			"training inputs have shape [2 2 1], test inputs [3]"},
		"test label": {map[string]*Array{"x_train": vectors(1), "y_train": label(0), "x_test": vectors(1), "y_test": label(1)}, "label 1 is outside"},
	} {
		save(c.arrays)
		_, _, err := OpenNPZ(path)
		if wantError(t, err, c.want, path); t.Failed() {
			t.Log(name)
		}
	}
	if _, _, err := OpenNPZ(path + ".not"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file gives %v", err)
	}
}

func FuzzReadNPZ(f *testing.F) {
	f.Add(fromBase64(f, compressedNPZ))
	f.Add(archive(f, zip.Store, "a.npy", string(fromNumPy["version 1"].file), "b.npy", string(fromNumPy["version 3"].file)))
	f.Add(archive(f, zip.Deflate, "a.npy", "no array"))
	f.Fuzz(func(t *testing.T, file []byte) {
		arrays, err := unpack(file)
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := WriteNPZ(&b, arrays); err != nil {
			return // a name or a header that is too long
		}
		again, err := unpack(b.Bytes())
		if err != nil || len(again) != len(arrays) {
			t.Errorf("%d arrays that were written read as %d (%v)", len(arrays), len(again), err)
		}
	})
}
