package feed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
)

func TestBatches(t *testing.T) {
	set, err := data.NewMemory(data.Arrays{InputShape: []int{2}, X: []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, Y: make([]float32, 5)})
	if err != nil {
		t.Fatal(err)
	}
	g := &graph.Graph{Name: "g"}
	g.AddInput("x", graph.Float32, []int{1, 2})
	for _, c := range []struct {
		Options
		want string
	}{
		{Options{}, "[0 1 2 3 4][0 1 2 3 4 5 6 7 8 9]"},
		{Options{Rows: 9}, "[0 1 2 3 4][0 1 2 3 4 5 6 7 8 9]"},
		{Options{Rows: 3, BatchSize: 2}, "[0 1][0 1 2 3][2][4 5]"},
	} {
		seen := ""
		var out bytes.Buffer
		c.Progress, c.Label, c.Done = &out, "rows", "done"
		err := Batches(context.Background(), g, set, c.Options, func(index []int, x []float32) error {
			seen += fmt.Sprint(index) + fmt.Sprint(x)
			return nil
		})
		if err != nil || seen != c.want {
			t.Errorf("%+v: %s (%v), want %s", c.Options, seen, err, c.want)
		}
		if !strings.HasPrefix(out.String(), "rows: ") || !strings.Contains(out.String(), "samples, done") {
			t.Errorf("progress %q", out.String())
		}
	}
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	stop := errors.New("stop")
	for want, err := range map[error]error{
		context.Canceled: Batches(canceled, g, set, Options{}, func([]int, []float32) error { return nil }),
		stop:             Batches(context.Background(), g, set, Options{}, func([]int, []float32) error { return stop }),
	} {
		if !errors.Is(err, want) {
			t.Errorf("error %v, want %v", err, want)
		}
	}
	g.Inputs[0].Shape[1] = 3
	for want, err := range map[string]error{
		"no samples":                    Fits(g, nil),
		"takes rows of shape [3]":       Fits(g, set),
		`network "" has 0 inputs, want`: Fits(&graph.Graph{}, set),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
