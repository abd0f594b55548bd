package endtoend

import (
	"fmt"
	"slices"
	"testing"

	"github.com/goqat/goqat/internal/oracle"
	"github.com/goqat/goqat/interp"
)

// On LiteRT's default kernels, which most programs use, a file's predictions are
// nearly all those of the interpreter. Steps of one, by the causes of mayDiffer,
// tip rows whose two largest outputs are next to each other; XNNPACK quantizes
// the inputs of dynamic-range operators by a rule of its own.
func TestDefaultKernelsPredictTheSame(t *testing.T) {
	// The networks' rows with two nearly equal outputs are some in a hundred; a
	// wrong operator would cost tens.
	const agreement = 0.98
	for _, f := range slices.Concat(integerFiles, floatFiles) {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			o, m := oracle.Start(t), f.must(t)
			x, _ := f.testRows(t)
			y := m.graph.Outputs[0]
			theirs, err := interp.Decode(y, runLiteRT(t, o, m, oracle.Default, x).values[y])
			if err != nil {
				t.Fatal(err)
			}
			same, of := agreeing(largest(theirs, y.Elements()), classes(t, m.graph, x))
			t.Logf("%d of %d predictions differ", of-same, of)
			if float64(same) < agreement*float64(of) {
				t.Errorf("only %d of %d predictions agree", same, of)
			}
		})
	}
}

// agreeing counts the rows of equal class.
func agreeing(a, b []int) (same, of int) {
	for i, c := range a {
		if c == b[i] {
			same++
		}
	}
	return same, len(b)
}

// predictions compares the largest outputs of each row, in words.
func predictions(a, b []float32, width int) string {
	same, of := agreeing(largest(a, width), largest(b, width))
	return fmt.Sprintf("%d of %d predictions agree", same, of)
}
