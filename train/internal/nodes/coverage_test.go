package nodes

import (
	"testing"

	"github.com/goqat/goqat/graph"
)

// Every operator of a float network can be trained; those at the borders of
// integer models cannot.
func TestEveryOperatorHasABuilder(t *testing.T) {
	for _, op := range graph.Operators() {
		if has, want := builders[op.Name()] != nil, op.Class() != graph.Border; has != want {
			t.Errorf("%s (%v): has a row in the table of builders: %t, want %t", op.Name(), op.Class(), has, want)
		}
	}
}
