package importer

import (
	"github.com/goqat/goqat/tflite/internal/operators"
)

import "testing"

// Every row of the table can be read.
func TestRowsAreRead(t *testing.T) {
	for i := range operators.All {
		if o := &operators.All[i]; o.Read == nil && lowerings[o.Name()].do == nil {
			t.Errorf("%s: cannot be read", o.Name())
		}
	}
}
