package endtoend

import (
	"testing"

	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/parity"
)

// The theorem the project rests on: fed what the integer operator is fed, the
// fake-quantized operator gives the same code or one beside it. Requantization
// in fixed point, and averages rounded over codes that count from the zero point,
// are the causes of a difference of one.
func TestSimulationPredictsIntegers(t *testing.T) {
	for _, s := range simulations {
		t.Run(s.name+"/"+s.kind, func(t *testing.T) {
			t.Parallel()
			q, err := s.graph()
			if err != nil {
				t.Fatal(err)
			}
			model, err := export.Integer(q, export.Options{})
			if err != nil {
				t.Fatal(err)
			}
			x, _ := s.testRows(t)
			operators, err := parity.Operators(q, model, x)
			if err != nil {
				t.Fatal(err)
			}
			if want := len(model.Nodes) - 1; len(operators) != want { // all but DEQUANTIZE; QUANTIZE is the input's
				t.Errorf("%d operators compared, the model has %d on int8", len(operators), want)
			}
			for _, op := range operators {
				t.Log(op)
				if op.Largest > 1 {
					t.Errorf("%s %q: %d steps", op.Op, op.Name, op.Largest)
				}
			}
			agreement, err := parity.EndToEnd(q, model, x)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d of %d predictions agree", agreement.Same, agreement.Rows)
		})
	}
}
