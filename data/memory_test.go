package data

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// wantError fails unless err says every one of the parts.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one with %q", parts)
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}

// rows reads rows of a set.
func rows(t *testing.T, ds Dataset, index ...int) (x, y []float32) {
	t.Helper()
	inputs, err := elements(ds.InputShape())
	if err != nil {
		t.Fatal(err)
	}
	targets, err := elements(ds.TargetShape())
	if err != nil {
		t.Fatal(err)
	}
	x, y = make([]float32, len(index)*inputs), make([]float32, len(index)*targets)
	if err := ds.Read(index, x, y); err != nil {
		t.Fatal(err)
	}
	return x, y
}

func TestMemory(t *testing.T) {
	m, err := NewMemory(Arrays{
		InputShape: []int{2, 1}, X: []float32{1, 2, 3, 4, 5, 6},
		TargetShape: []int{2}, Y: []float32{0, 1, 1, 0, 0.5, 0.5},
	})
	if err != nil {
		t.Fatal(err)
	}
	x, y := rows(t, m, 2, 0, 2)
	if diff := cmp.Diff([]float32{5, 6, 1, 2, 5, 6}, x); diff != "" {
		t.Errorf("inputs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]float32{0.5, 0.5, 0, 1, 0.5, 0.5}, y); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
	if m.Len() != 3 || m.Classes() != 0 {
		t.Errorf("%d rows, %d classes", m.Len(), m.Classes())
	}
	m.InputShape()[0] = 99
	if diff := cmp.Diff([]int{2, 1}, m.InputShape()); diff != "" {
		t.Errorf("a caller changed the set's shape:\n%s", diff)
	}
}

func TestNewMemoryErrors(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	two := []int{2}
	for name, c := range map[string]struct {
		arrays Arrays
		want   []string
	}{
		"no shape":         {Arrays{X: []float32{1}, Y: []float32{1}}, []string{"inputs", "empty"}},
		"axis 0":           {Arrays{InputShape: []int{2, 0}, X: []float32{1}, Y: []float32{1}}, []string{"inputs", "[2 0]"}},
		"negative axis":    {Arrays{InputShape: []int{-2}, X: []float32{1}, Y: []float32{1}}, []string{"inputs", "[-2]"}},
		"huge shape":       {Arrays{InputShape: []int{1 << 30, 1 << 30, 1 << 30}, X: []float32{1}}, []string{"too large"}},
		"no rows":          {Arrays{InputShape: two}, []string{"inputs", "no rows"}},
		"ragged inputs":    {Arrays{InputShape: two, X: make([]float32, 3), Y: make([]float32, 2)}, []string{"3 values", "[2]"}},
		"ragged targets":   {Arrays{InputShape: two, X: make([]float32, 4), TargetShape: two, Y: make([]float32, 3)}, []string{"targets", "3 values"}},
		"no targets":       {Arrays{InputShape: two, X: make([]float32, 4)}, []string{"targets", "no rows"}},
		"row counts":       {Arrays{InputShape: two, X: make([]float32, 4), Y: make([]float32, 3)}, []string{"2 inputs but 3 targets"}},
		"NaN input":        {Arrays{InputShape: two, X: []float32{0, 0, 0, nan}, Y: make([]float32, 2)}, []string{"inputs: row 1, element 1 is NaN"}},
		"Inf input":        {Arrays{InputShape: two, X: []float32{0, 0, inf, 0}, Y: make([]float32, 2)}, []string{"inputs: row 1, element 0 is Inf"}},
		"-Inf target":      {Arrays{InputShape: two, X: make([]float32, 4), Y: []float32{0, -inf}}, []string{"targets: row 1, element 0 is -Inf"}},
		"label too large":  {Arrays{InputShape: two, X: make([]float32, 4), Y: []float32{0, 3}, Classes: 3}, []string{"row 1: label 3", "0..2"}},
		"label negative":   {Arrays{InputShape: two, X: make([]float32, 4), Y: []float32{-1, 0}, Classes: 3}, []string{"row 0: label -1"}},
		"label fractional": {Arrays{InputShape: two, X: make([]float32, 4), Y: []float32{0, 1.5}, Classes: 3}, []string{"row 1: label 1.5", "integer"}},
		"label shape":      {Arrays{InputShape: two, X: make([]float32, 4), TargetShape: two, Y: make([]float32, 4), Classes: 3}, []string{"shape [1], not [2]"}},
		"negative classes": {Arrays{InputShape: two, X: make([]float32, 4), Y: make([]float32, 2), Classes: -1}, []string{"-1 classes"}},
		"too many classes": {Arrays{InputShape: two, X: make([]float32, 4), Y: make([]float32, 2), Classes: 1<<24 + 1}, []string{"classes"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewMemory(c.arrays)
			wantError(t, err, append(c.want, "data: ")...)
		})
	}
}

// TestBytes holds a byte set to a float set of the divided values.
func TestBytes(t *testing.T) {
	raw := make([]uint8, 256)
	floats := make([]float32, 256)
	for i := range raw {
		raw[i], floats[i] = uint8(i), float32(i)/255
	}
	y := make([]float32, 64)
	b, err := NewBytes(ByteArrays{InputShape: []int{2, 2, 1}, X: raw, Y: y, Classes: 2})
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewMemory(Arrays{InputShape: []int{2, 2, 1}, X: floats, Y: y, Classes: 2})
	if err != nil {
		t.Fatal(err)
	}
	bx, by := rows(t, b, 63, 0, 5)
	mx, my := rows(t, m, 63, 0, 5)
	if diff := cmp.Diff(mx, bx) + cmp.Diff(my, by); diff != "" {
		t.Errorf("bytes differ from floats:\n%s", diff)
	}
	if bx[3] != 1 {
		t.Errorf("255 is read as %v", bx[3])
	}
}

func TestNewBytesErrors(t *testing.T) {
	good := ByteArrays{InputShape: []int{2}, X: make([]uint8, 4), Y: make([]float32, 2)}
	for name, c := range map[string]struct {
		change func(*ByteArrays)
		want   string
	}{
		"negative divisor": {func(a *ByteArrays) { a.Divisor = -1 }, "divisor -1"},
		"NaN divisor":      {func(a *ByteArrays) { a.Divisor = float32(math.NaN()) }, "divisor NaN"},
		"tiny divisor":     {func(a *ByteArrays) { a.Divisor = 1e-38 }, "too small"},
		"ragged":           {func(a *ByteArrays) { a.X = a.X[1:] }, "3 values"},
		"label":            {func(a *ByteArrays) { a.Classes = 1; a.Y = []float32{0, 1} }, "row 1: label 1"},
	} {
		t.Run(name, func(t *testing.T) {
			a := good
			c.change(&a)
			_, err := NewBytes(a)
			wantError(t, err, "data: ", c.want)
		})
	}
}

func TestReadErrors(t *testing.T) {
	m, err := NewMemory(Arrays{InputShape: []int{2}, X: make([]float32, 6), Y: make([]float32, 3)})
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewBytes(ByteArrays{InputShape: []int{2}, X: make([]uint8, 6), Y: make([]float32, 3)})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Subset(m, []int{2, 1, 0})
	if err != nil {
		t.Fatal(err)
	}
	for name, ds := range map[string]Dataset{"memory": m, "bytes": b, "subset": s} {
		t.Run(name, func(t *testing.T) {
			wantError(t, ds.Read([]int{0, 3}, make([]float32, 4), make([]float32, 2)), "data: ", "row 3 of a set of 3")
			wantError(t, ds.Read([]int{-1}, make([]float32, 2), make([]float32, 1)), "data: ", "row -1")
			wantError(t, ds.Read([]int{0}, make([]float32, 3), make([]float32, 1)), "data: ", "inputs", "length 3")
			wantError(t, ds.Read([]int{0}, make([]float32, 2), make([]float32, 2)), "data: ", "targets", "length 2")
		})
	}
}
