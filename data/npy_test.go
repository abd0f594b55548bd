package data

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/x448/float16"
	"pgregory.net/rapid"
)

// npyFile puts a header of exactly the given text before the elements.
func npyFile(version byte, header, elements string) []byte {
	length := []byte{byte(len(header)), byte(len(header) >> 8), 0, 0}
	if version == 1 {
		length = length[:2]
	}
	return []byte(npyMagic + string([]byte{version, 0}) + string(length) + header + elements)
}

func spaces(n int) string { return strings.Repeat(" ", n) }

// fromNumPy are files written by NumPy 2.4.6, numpy.lib.format.write_array with the version named.
var fromNumPy = map[string]struct {
	file []byte
	want *Array
}{
	"version 1": {
		npyFile(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"+spaces(58)+"\n",
			"\x00\x00\x80?\x00\x00\x00@\x00\x00@@\x00\x00\x80@\x00\x00\xa0@\x00\x00\xc0@"),
		&Array{[]int{2, 3}, []float32{1, 2, 3, 4, 5, 6}},
	},
	"version 2": {
		npyFile(2, "{'descr': '<f2', 'fortran_order': False, 'shape': (2,), }"+spaces(58)+"\n", "\x00<\x00\xc0"),
		&Array{[]int{2}, []float16.Float16{0x3c00, 0xc000}},
	},
	"version 3": {
		npyFile(3, "{'descr': '<i8', 'fortran_order': False, 'shape': (), }"+spaces(60)+"\n",
			"\x07\x00\x00\x00\x00\x00\x00\x00"),
		&Array{[]int{}, []int64{7}},
	},
	"no elements": {
		npyFile(1, "{'descr': '<i2', 'fortran_order': False, 'shape': (0, 3), }"+spaces(58)+"\n", ""),
		&Array{[]int{0, 3}, []int16{}},
	},
	"float64": {
		npyFile(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }"+spaces(60)+"\n",
			"\x00\x00\x00\x00\x00\x00\xf8?"),
		&Array{[]int{1}, []float64{1.5}},
	},
}

func TestReadNPY(t *testing.T) {
	for name, c := range fromNumPy {
		t.Run(name, func(t *testing.T) {
			a, err := ReadNPY(bytes.NewReader(c.file))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, a); diff != "" {
				t.Errorf("array (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWriteNPYLikeNumPy: files of version 1 have NumPy's bytes.
func TestWriteNPYLikeNumPy(t *testing.T) {
	for name, c := range fromNumPy {
		if c.file[6] != 1 {
			continue
		}
		var b bytes.Buffer
		if err := WriteNPY(&b, c.want); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !bytes.Equal(b.Bytes(), c.file) {
			t.Errorf("%s: wrote\n%q, NumPy writes\n%q", name, b.Bytes(), c.file)
		}
	}
}

// TestReadNPYHeaderForms: other writers order and space the dictionary differently.
func TestReadNPYHeaderForms(t *testing.T) {
	want := &Array{[]int{2}, []int8{1, 2}}
	for _, header := range []string{
		`{'descr':'|i1','fortran_order':False,'shape':(2,)}`,
		`{"shape": (2L,), "fortran_order": False, "descr": "|i1"}` + "\n",
		"{ 'shape' : ( 2 , ) , 'descr' : '<i1' , 'fortran_order' : False , }  \n",
		`{'descr': '|i1', 'fortran_order': False, 'shape': (2), }`,
	} {
		a, err := ReadNPY(bytes.NewReader(npyFile(1, header, "\x01\x02")))
		if err != nil {
			t.Errorf("%s: %v", header, err)
		} else if diff := cmp.Diff(want, a); diff != "" {
			t.Errorf("%s: array (-want +got):\n%s", header, diff)
		}
	}
}

func TestReadNPYErrors(t *testing.T) {
	header := func(text string) []byte { return npyFile(1, text, "\x01\x02\x03\x04") }
	good := header("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }")
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"empty":            {nil, "byte 0"},
		"foreign":          {[]byte("PK\x03\x04 a zip file"), "not an NPY file"},
		"version":          {append([]byte(npyMagic), 4, 0, 0, 0), "version 4.0 at byte 6"},
		"no length":        {good[:9], "header length at byte 8"},
		"short header":     {good[:20], "header ends after 10 of"},
		"long header":      {append([]byte(npyMagic), 2, 0, 0, 0, 0, 0x7f), "too long"},
		"truncated":        {good[:len(good)-1], "data ends after 3 of 4 bytes"},
		"lying header":     {header("{'descr': '<f8', 'fortran_order': False, 'shape': (199999999,), }"), "data ends after 4 of 1599999992 bytes"},
		"overflow":         {header("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999, 99999999, 99999999), }"), "too large"},
		"enormous axis":    {header("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }"), "want an axis"},
		"negative axis":    {header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }"), "want an axis"},
		"Fortran order":    {header("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }"), "Fortran order"},
		"big-endian":       {header("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }"), `">f4" is not supported`},
		"bool":             {header("{'descr': '|b1', 'fortran_order': False, 'shape': (1,), }"), `"|b1" is not supported`},
		"structured":       {header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }"), "structured"},
		"no dictionary":    {header("('descr')"), `character 0: want "{"`},
		"unknown key":      {header("{'descr': '<f4', 'order': False, 'shape': (1,), }"), `unknown key "order"`},
		"key twice":        {header("{'descr': '<f4', 'descr': '<f4', 'shape': (1,), }"), `"descr" appears twice`},
		"key missing":      {header("{'descr': '<f4', 'shape': (1,), }"), "lacks"},
		"no keys":          {header("{}"), "lacks"},
		"open string":      {header("{'descr"), "not closed"},
		"open dictionary":  {header("{'descr': '<f4', "), "want a string"},
		"open tuple":       {header("{'shape': (1, "), "want an axis"},
		"no boolean":       {header("{'fortran_order': 0}"), `want "False"`},
		"after dictionary": {header("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } x"), "text after"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadNPY(bytes.NewReader(c.file))
			wantError(t, err, "data: npy: ", c.want)
		})
	}
}

// TestReadNPYStops: the reader takes exactly one array, so arrays can follow each other in a stream.
func TestReadNPYStops(t *testing.T) {
	var b bytes.Buffer
	for i := range 3 {
		if err := WriteNPY(&b, &Array{nil, []int32{int32(i)}}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		a, err := ReadNPY(&b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]int32{int32(i)}, a.Data); diff != "" {
			t.Errorf("array %d (-want +got):\n%s", i, diff)
		}
	}
}

func TestReadNPYFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npy")
	if _, err := ReadNPYFile(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file gives %v", err)
	}
	c := fromNumPy["version 1"]
	for name, file := range map[string][]byte{"": c.file, "more bytes": append(bytes.Clone(c.file), 1), "16 of 24": c.file[:len(c.file)-8]} {
		if err := os.WriteFile(path, file, 0o644); err != nil {
			t.Fatal(err)
		}
		a, err := ReadNPYFile(path)
		if name != "" {
			wantError(t, err, name, "data: npy: ", path)
		} else if diff := cmp.Diff(c.want, a); err != nil || diff != "" {
			t.Errorf("%v, array (-want +got):\n%s", err, diff)
		}
	}
}

func TestWriteNPYErrors(t *testing.T) {
	for name, c := range map[string]struct {
		array *Array
		want  string
	}{
		"no data":       {&Array{Shape: []int{1}}, "unsupported type <nil>"},
		"type":          {&Array{[]int{1}, []uint16{1}}, "unsupported type []uint16"},
		"length":        {&Array{[]int{2, 2}, []float32{1, 2, 3}}, "shape [2 2] has 3 elements"},
		"scalar":        {&Array{nil, []float32{}}, "has 0 elements"},
		"negative axis": {&Array{[]int{-1, -1}, []float32{1}}, "below 0"},
		"axes":          {&Array{make([]int, 30_000), []float32{}}, "do not fit"},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			wantError(t, WriteNPY(&b, c.array), "data: npy: ", c.want)
			if b.Len() > 0 {
				t.Errorf("%d bytes written", b.Len())
			}
		})
	}
	for _, room := range []int{0, 130} { // fails in the header, and in the elements
		err := WriteNPY(&fullDisk{room}, &Array{[]int{100}, make([]float32, 100)})
		if !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("a full disk after %d bytes gives %v", room, err)
		}
	}
}

type fullDisk struct{ room int }

func (d *fullDisk) Write(b []byte) (int, error) {
	if len(b) > d.room {
		return d.room, io.ErrShortWrite
	}
	d.room -= len(b)
	return len(b), nil
}

// TestNPYRoundTrip covers every type, with lengths around the size of the writer's buffer.
func TestNPYRoundTrip(t *testing.T) {
	for _, n := range []int{0, 1, 8191, 8192, 8193, 100_000} {
		f32, f16, i64, u8 := make([]float32, n), make([]float16.Float16, n), make([]int64, n), make([]uint8, n)
		f64, i8, i16, i32 := make([]float64, n), make([]int8, n), make([]int16, n), make([]int32, n)
		for i := range n {
			f32[i], f64[i], f16[i] = float32(i)/3, float64(i)/3, float16.Float16(i)
			i8[i], u8[i], i16[i], i32[i], i64[i] = int8(i), uint8(i), int16(-i), int32(-i), int64(-i)<<32
		}
		for _, values := range []any{f16, f32, f64, i8, u8, i16, i32, i64} {
			var b bytes.Buffer
			if err := WriteNPY(&b, &Array{[]int{1, n}, values}); err != nil {
				t.Fatal(err)
			}
			a, err := ReadNPY(&b)
			if err != nil {
				t.Fatalf("%T: %v", values, err)
			}
			if !cmp.Equal(&Array{[]int{1, n}, values}, a) {
				t.Errorf("%d elements of %T differ", n, values)
			}
		}
	}
}

func TestFloat32s(t *testing.T) {
	want := []float32{0, 1, 2}
	for _, values := range []any{
		[]float16.Float16{0, 0x3c00, 0x4000}, []float32{0, 1, 2}, []float64{0, 1, 2}, []int8{0, 1, 2},
		[]uint8{0, 1, 2}, []int16{0, 1, 2}, []int32{0, 1, 2}, []int64{0, 1, 2},
	} {
		got, err := (&Array{[]int{3}, values}).Float32s()
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("%T: %v %v", values, got, err)
		}
	}
	_, err := (&Array{[]int{3}, []float64{1}}).Float32s()
	wantError(t, err, "data: array of shape [3] has 1 elements")
}

// TestNPYProperty: any shape and any bits survive.
func TestNPYProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shape := rapid.SliceOfN(rapid.IntRange(0, 4), 0, 5).Draw(t, "shape")
		n, err := product(shape)
		if err != nil {
			t.Fatal(err)
		}
		bits := rapid.SliceOfN(rapid.Uint32(), n, n).Draw(t, "bits")
		values := make([]float32, n)
		for i, b := range bits {
			values[i] = math.Float32frombits(b)
		}
		var b bytes.Buffer
		if err := WriteNPY(&b, &Array{shape, values}); err != nil {
			t.Fatal(err)
		}
		a, err := ReadNPY(&b)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := a.Data.([]float32)
		if !ok || !cmp.Equal(shape, a.Shape) || len(got) != n {
			t.Fatalf("%T of shape %v", a.Data, a.Shape)
		}
		for i, v := range got {
			if math.Float32bits(v) != bits[i] {
				t.Fatalf("element %d is %#x, want %#x", i, math.Float32bits(v), bits[i])
			}
		}
	})
}

func FuzzReadNPY(f *testing.F) {
	for _, c := range fromNumPy {
		f.Add(c.file)
	}
	f.Add(npyFile(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999,), }", ""))
	f.Add(npyFile(1, `{"shape": (2L,), "fortran_order": True, "descr": "|i1"}`, "ab"))
	f.Fuzz(func(t *testing.T, file []byte) {
		a, err := ReadNPY(bytes.NewReader(file))
		if err != nil {
			return
		}
		var first, second bytes.Buffer
		if err := WriteNPY(&first, a); err != nil {
			if strings.Contains(err.Error(), "do not fit") {
				return // a longer header in version 2 than version 1 can hold
			}
			t.Fatalf("an array that was read is refused: %v", err)
		}
		b, err := ReadNPY(bytes.NewReader(first.Bytes()))
		if err != nil {
			t.Fatalf("an array that was written is refused: %v", err)
		}
		if err := WriteNPY(&second, b); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("written twice, the files differ (%v)", err)
		}
	})
}
