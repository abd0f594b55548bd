package main

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
)

// output runs the example and returns its lines, split at spaces.
func output(t *testing.T) (text string, table map[string][]string) {
	t.Helper()
	var b strings.Builder
	if err := run(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	table = map[string][]string{}
	for _, line := range strings.Split(b.String(), "\n") {
		if f := strings.Fields(line); len(f) > 1 {
			table[f[0]] = f
		}
	}
	return b.String(), table
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestOutput(t *testing.T) {
	text, table := output(t)
	for _, want := range []string{"does not shrink four times", "MinElements 0", "quantization step, 0.039"} { // (7 - -3)/255 = 0.0392
		if !strings.Contains(text, want) {
			t.Errorf("the output lacks %q:\n%s", want, text)
		}
	}
	// Columns: x, true y, float32, dynamic range, float16, int8. 500 epochs leave
	// the line 0.011 off at most; int8 adds half a step of the input (0.0098,
	// times 2) and of the output (0.0196); half precision has steps of 0.004 at 7.
	tolerance := []float64{0.02, 0.02, 0.03, 0.06}
	for i, x := range xs {
		row := table[fmt.Sprint(x)]
		if len(row) != 6 || number(t, row[1]) != float64(2*x-1) {
			t.Fatalf("row %v of x = %v, want 6 columns and y = %v:\n%s", row, x, 2*x-1, text)
		}
		for j, most := range tolerance {
			if d := math.Abs(number(t, row[2+j]) - float64(ys[i])); d > most {
				t.Errorf("x = %v, column %d: off by %v, more than %v", x, j+2, d, most)
			}
		}
		if steps := number(t, row[5]) / 0.0392; math.Abs(steps-math.Round(steps)) > 0.2 { // printed with 4 decimals, up to 179 steps
			t.Errorf("x = %v: int8 output %v is not a multiple of the step", x, row[5])
		}
	}
}

func TestSizes(t *testing.T) {
	text, table := output(t)
	if row := table["float32"]; len(row) < 4 || row[2] != "100" {
		t.Errorf("the float32 file is not 100 %% of itself:\n%s", text)
	}
	for _, name := range []string{"float16", "int8"} {
		if row := table[name]; len(row) < 4 || number(t, row[2]) < 100/4 {
			t.Errorf("%s: row %v claims a file four times smaller, which one neuron cannot give", name, row)
		}
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := run(ctx, &strings.Builder{}); err == nil {
		t.Error("an interrupted run reports success")
	}
}
