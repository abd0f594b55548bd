package graph

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// An operator that is not known keeps its place: its output has a shape, the text
// shows its options, and nothing takes it for an operator that is known.
func TestForeign(t *testing.T) {
	g := &Graph{Name: "f"}
	x := g.AddInput("x", Float32, []int{1, 4})
	op := Foreign{
		Operator: "RELU", Version: 2, Table: "Fancy", Options: []Option{{"steps", []int{1, 2}}, {"on", true}},
		Raw: make([]byte, 3), Shape: []int{1, 7}, Follows: true, Reason: "steps are not supported",
	}
	y, err := g.Add("y", op, x)
	if err != nil {
		t.Fatal(err)
	}
	g.Outputs = []*Tensor{y}
	shapes, err := g.Shapes(5)
	if err != nil || !slices.Equal(shapes[y], []int{5, 7}) {
		t.Errorf("shape %v, error %v", shapes[y], err)
	}
	if operators[op.Name()] != nil || op.Class() != Opaque || op.Class().String() == "" {
		t.Errorf("%s passes for a known operator of class %v", op.Name(), op.Class())
	}
	if line := "y = FOREIGN RELU{version 2, steps [1 2], on true, 3 bytes of options}(x) -> float32[1 7]"; !strings.Contains(g.String(), line) {
		t.Errorf("%s\nlacks %s", g, line)
	}
	for want, op := range map[string]Foreign{
		"operator RELU is not supported in this form: steps are not supported": op,
		"operator Mine is not one that this program knows":                     {Operator: "Mine", Custom: true},
	} {
		if got := op.Refusal(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if _, err := (Foreign{Shape: []int{1}, Follows: true}).Infer(nil); err == nil {
		t.Error("a batch of nothing is followed")
	}
	if fixed, err := (Foreign{Shape: []int{3}}).Infer([][]int{{9, 9}}); err != nil || !slices.Equal(fixed, []int{3}) {
		t.Errorf("shape %v, error %v", fixed, err)
	}
	want(t, Save(filepath.Join(t.TempDir(), "f"), g), `operator "FOREIGN RELU" is not in the table`)
}
