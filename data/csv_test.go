package data

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func TestReadCSV(t *testing.T) {
	for name, c := range map[string]struct {
		text    string
		options CSV
		x, y    []float32
		shape   []int
		classes int
	}{
		"plain":         {"1,2,3\n4,5,6\n", CSV{}, []float32{1, 2, 4, 5}, []float32{3, 6}, []int{2}, 0},
		"no newline":    {"1,2\n4,5", CSV{}, []float32{1, 4}, []float32{2, 5}, []int{1}, 0},
		"windows":       {"1,2\r\n4,5\r\n", CSV{}, []float32{1, 4}, []float32{2, 5}, []int{1}, 0},
		"mark":          {"\xef\xbb\xbf1,2\n", CSV{}, []float32{1}, []float32{2}, []int{1}, 0},
		"blank lines":   {"\n1,2\n\n4,5\n\n", CSV{}, []float32{1, 4}, []float32{2, 5}, []int{1}, 0},
		"header":        {"a,b\n1,2\n", CSV{Header: true}, []float32{1}, []float32{2}, []int{1}, 0},
		"by name":       {"a, b ,c\n1,2,3\n", CSV{Header: true, LabelName: "b"}, []float32{1, 3}, []float32{2}, []int{2}, 0},
		"by number":     {"1,2,3\n", CSV{LabelColumn: 1}, []float32{2, 3}, []float32{1}, []int{2}, 0},
		"comma":         {"1;2\n", CSV{Comma: ';'}, []float32{1}, []float32{2}, []int{1}, 0},
		"quoted":        {"\" 1 \",2\n", CSV{}, []float32{1}, []float32{2}, []int{1}, 0},
		"padded":        {" 1.5e1 , -2\n", CSV{}, []float32{15}, []float32{-2}, []int{1}, 0},
		"labels":        {"7,1\n8,0\n", CSV{Classes: 2}, []float32{7, 8}, []float32{1, 0}, []int{1}, 2},
		"class names":   {"7,dog\n8, cat\n", CSV{ClassNames: []string{"cat", "dog"}}, []float32{7, 8}, []float32{1, 0}, []int{1}, 2},
		"shape":         {"1,2,3,4,0\n", CSV{InputShape: []int{2, 2, 1}}, []float32{1, 2, 3, 4}, []float32{0}, []int{2, 2, 1}, 0},
		"divided input": {"4,8,8\n", CSV{Divisor: 16}, []float32{0.25, 0.5}, []float32{8}, []int{2}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := ReadCSV(strings.NewReader(c.text), c.options)
			if err != nil {
				t.Fatal(err)
			}
			x, y := rows(t, m, sequence(m.Len())...)
			if diff := cmp.Diff(c.x, x) + cmp.Diff(c.y, y) + cmp.Diff(c.shape, m.InputShape()); diff != "" {
				t.Errorf("rows differ (-want +got):\n%s", diff)
			}
			if m.Classes() != c.classes {
				t.Errorf("%d classes, want %d", m.Classes(), c.classes)
			}
		})
	}
}

func TestReadCSVErrors(t *testing.T) {
	for name, c := range map[string]struct {
		text    string
		options CSV
		want    []string
	}{
		"empty":              {"", CSV{}, []string{"no rows"}},
		"only a header":      {"a,b\n", CSV{Header: true}, []string{"no rows"}},
		"one column":         {"1\n2\n", CSV{}, []string{"one column"}},
		"ragged":             {"1,2\n1,2,3\n", CSV{}, []string{"line 2: 3 fields, want 2"}},
		"ragged after blank": {"1,2\n\n\n1\n", CSV{}, []string{"line 4: 1 fields, want 2"}},
		"header forgotten":   {"a,b\n1,2\n", CSV{}, []string{`line 1, column 1: "a" is not a number`, "set Header"}},
		"word":               {"a,b\n1,2\nx,2\n", CSV{Header: true}, []string{`line 3, column 1 (a): "x" is not a number`}},
		"empty field":        {"1,2\n,2\n", CSV{}, []string{`line 2, column 1: "" is not a number`}},
		"NaN":                {"1,2\n1,NaN\n", CSV{}, []string{"line 2, column 2: NaN is not a finite number"}},
		"Inf":                {"1,2\n-inf,2\n", CSV{}, []string{"line 2, column 1: -inf is not a finite number"}},
		"beyond float32":     {"1,2\n1e39,2\n", CSV{}, []string{"line 2, column 1: 1e39 is beyond float32"}},
		"divided to Inf":     {"1,2\n3e38,2\n", CSV{Divisor: 0.5}, []string{"line 2, column 1", "Inf"}},
		"quote":              {"1,2\n1,\"2\n", CSV{}, []string{"line 2, byte 6"}},
		"stray quote":        {"1,2\n1,2\"\n", CSV{}, []string{"line 2, byte 4"}},
		"label too large":    {"1,0\n1,2\n", CSV{Classes: 2}, []string{"line 2, column 2: label 2 is outside 0..1"}},
		"label negative":     {"1,0\n1,-1\n", CSV{Classes: 2}, []string{"line 2, column 2: label -1"}},
		"label fractional":   {"1,0\n1,0.5\n", CSV{Classes: 2}, []string{"line 2, column 2: label 0.5 is not an integer"}},
		"unknown class":      {"1,cat\n1,cow\n", CSV{ClassNames: []string{"cat", "dog"}}, []string{`line 2, column 2: "cow" is none of`}},
		"class named twice":  {"1,a\n", CSV{ClassNames: []string{"a", "a"}}, []string{`"a" appears twice`}},
		"classes and names":  {"1,a\n", CSV{Classes: 3, ClassNames: []string{"a"}}, []string{"3 classes but 1 class names"}},
		"negative classes":   {"1,0\n", CSV{Classes: -1}, []string{"-1 classes"}},
		"no such name":       {"a,b\n1,2\n", CSV{Header: true, LabelName: "c"}, []string{`"c"`, `"a"`}},
		"ambiguous name":     {"a,b,a\n1,2,3\n", CSV{Header: true, LabelName: "a"}, []string{"columns 1 and 3"}},
		"name, no header":    {"1,2\n", CSV{LabelName: "a"}, []string{"Header is not set"}},
		"name and number":    {"a,b\n1,2\n", CSV{Header: true, LabelName: "a", LabelColumn: 1}, []string{"by name and by number"}},
		"no such column":     {"1,2\n", CSV{LabelColumn: 3}, []string{"column 3 of 2"}},
		"negative column":    {"1,2\n", CSV{LabelColumn: -1}, []string{"column -1"}},
		"shape":              {"1,2,3\n", CSV{InputShape: []int{3}}, []string{"2 input columns", "[3]"}},
		"impossible shape":   {"1,2,3\n", CSV{InputShape: []int{-1, -2}}, []string{"[-1 -2]"}},
		"divisor":            {"1,2\n", CSV{Divisor: -1}, []string{"divisor -1"}},
		"impossible comma":   {"1,2\n", CSV{Comma: '"'}, []string{"invalid"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadCSV(strings.NewReader(c.text), c.options)
			wantError(t, err, append(c.want, "data: csv: ")...)
		})
	}
	broken := errors.New("unplugged")
	_, err := ReadCSV(io.MultiReader(strings.NewReader("1,2\n"), iotest.ErrReader(broken)), CSV{})
	if !errors.Is(err, broken) {
		t.Errorf("error %v does not wrap the reader's", err)
	}
}

func FuzzReadCSV(f *testing.F) {
	f.Add("1,2,3\n4,5,6\n", false, 0, 0)
	f.Add("a,b\n1,0\n", true, 2, 1)
	f.Add("\xef\xbb\xbf\"1\n\",2\r\n", false, 0, 2)
	f.Add("1,2\n1\n", false, 1, 0)
	f.Add("1e39,nan\n", false, 1, 0)
	f.Fuzz(func(t *testing.T, text string, header bool, classes, column int) {
		m, err := ReadCSV(strings.NewReader(text), CSV{Header: header, Classes: classes, LabelColumn: column})
		if err != nil {
			return
		}
		x, y := rows(t, m, sequence(m.Len())...)
		// What was read is what the constructor accepts: finite, rectangular, labels in range.
		if _, err := NewMemory(Arrays{InputShape: m.InputShape(), X: x, Y: y, Classes: classes}); err != nil {
			t.Error(err)
		}
	})
}
