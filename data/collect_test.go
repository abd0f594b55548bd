package data_test

import (
	"errors"
	"iter"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/data"
)

// counting yields rows of two values in one slice that it uses again, and fail behind so many rows, if it is one.
func counting(rows int, fail error) iter.Seq2[[]float32, error] {
	return func(yield func([]float32, error) bool) {
		row := make([]float32, 2)
		for i := range rows {
			row[0], row[1] = float32(i), -float32(i)
			if !yield(row, nil) {
				return
			}
		}
		if fail != nil {
			yield(nil, fail)
		}
	}
}

func TestCollect(t *testing.T) {
	for _, limit := range []int{0, 3, 9} {
		want := 5
		if limit == 3 {
			want = 3
		}
		set, err := data.Collect([]int{2}, limit, counting(5, nil))
		if err != nil {
			t.Fatal(err)
		}
		if set.Len() != want {
			t.Errorf("limit %d: %d rows, want %d", limit, set.Len(), want)
		}
		x, y := make([]float32, 4), make([]float32, 2)
		if err := set.Read([]int{2, 0}, x, y); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]float32{2, -2, 0, 0}, x); diff != "" {
			t.Error(diff)
		}
	}
}

func TestCollectErrors(t *testing.T) {
	broken := errors.New("sensor is off")
	for _, c := range []struct {
		shape []int
		limit int
		rows  iter.Seq2[[]float32, error]
		want  string
	}{
		{[]int{2}, 0, counting(2, broken), "row 2: sensor is off"},
		{[]int{3}, 0, counting(2, nil), "row 0 has 2 values, want 3"},
		{[]int{2}, 0, counting(0, nil), "no rows"},
		{[]int{0}, 0, counting(1, nil), "data: inputs"},
		{[]int{2}, -1, counting(1, nil), "limit of -1"},
	} {
		if _, err := data.Collect(c.shape, c.limit, c.rows); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, limit %d: error %v, want %q", c.shape, c.limit, err, c.want)
		}
	}
	if _, err := data.Collect([]int{2}, 2, counting(2, broken)); err != nil {
		t.Errorf("an error behind the limit counts: %v", err)
	}
}
