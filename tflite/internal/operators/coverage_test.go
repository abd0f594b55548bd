package operators

import (
	"testing"

	"github.com/goqat/goqat/graph"
)

// Every operator that can reach a file has a row in the table.
func TestEveryOperatorHasARow(t *testing.T) {
	for _, op := range graph.Operators() {
		inFile := op.Class() != graph.TrainingOnly
		if has := ByName(op.Name()) != nil; has != inFile {
			t.Errorf("%s (%v): has a row in tflite's table: %t, want %t", op.Name(), op.Class(), has, inFile)
		}
	}
}
