package report

import (
	"math"
	"strings"
	"testing"
)

// pairs builds the outcomes of n examples of which x are right in b alone and y
// in a alone.
func pairs(n, x, y int) (a, b []bool) {
	for i := range n {
		a = append(a, i >= x)
		b = append(b, i < x || i >= x+y)
	}
	return a, b
}

func TestPairedDifference(t *testing.T) {
	// Worked by hand from the formula: x=12, y=4, n=100: center 8/102,
	// half width 1.959964*sqrt(17-64/102)/102 = 0.0777510.
	a, b := pairs(100, 12, 4)
	d, err := PairedDifference(a, b)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"value", d.Value, 0.08},
		{"low", d.Low, 8.0/102 - 0.0777510},
		{"high", d.High, 8.0/102 + 0.0777510},
	} {
		if math.Abs(c.got-c.want) > 1e-6 { // the constant above has 7 decimals
			t.Errorf("%s is %.7f, want %.7f", c.name, c.got, c.want)
		}
	}
	if same, _ := PairedDifference(a, a); same.Value != 0 || same.Low >= 0 || same.High <= 0 {
		t.Errorf("equal outcomes give %v, want an interval around 0", same)
	}
	if _, err := PairedDifference(a, b[:3]); err == nil {
		t.Error("unequal lengths were accepted")
	}
}

func TestCompare(t *testing.T) {
	labels := []int{0, 1, 2, 1}
	entries := []Entry{
		{Name: "float32", Bytes: 400, Predictions: []int{0, 1, 2, 0}},
		{Name: "int8", Bytes: 100, Predictions: []int{0, 1, 1, 1}},
	}
	rows, err := Compare(labels, entries, "float32")
	if err != nil {
		t.Fatal(err)
	}
	if r := rows[1]; r.Accuracy != 0.75 || r.Ratio != 4 || r.Agreement != 0.5 || r.ToFloat.Value != 0 {
		t.Errorf("int8 row is %+v", r)
	}
	var text strings.Builder
	if err := WriteTable(&text, rows); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"75.00 %", "4.00x", "50.00 %"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, text.String())
		}
	}
}

func TestCompareRefuses(t *testing.T) {
	for _, c := range []struct {
		name    string
		labels  []int
		entries []Entry
		want    string
	}{
		{"short predictions", []int{1, 2}, []Entry{{Name: "float32", Predictions: []int{1}}}, "1 predictions for 2 labels"},
		{"no examples", nil, []Entry{{Name: "float32"}}, "0 labels"},
		{"no reference", []int{1}, []Entry{{Name: "int8", Predictions: []int{1}}}, `no entry is named "float32"`},
	} {
		if _, err := Compare(c.labels, c.entries, "float32"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}
