package interp

import (
	"testing"

	"github.com/goqat/goqat/graph"
)

// Every operator of the graph can be run.
func TestEveryOperatorHasAKernel(t *testing.T) {
	for _, op := range graph.Operators() {
		if factories[op.Name()] == nil {
			t.Errorf("%s is missing in interp's table", op.Name())
		}
	}
}
