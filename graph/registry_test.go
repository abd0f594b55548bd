package graph

import "testing"

func TestOperators(t *testing.T) {
	ops := Operators()
	if len(ops) != len(operators) {
		t.Fatalf("%d operators listed of %d", len(ops), len(operators))
	}
	for _, op := range ops {
		if operators[op.Name()] == nil || classNames[op.Class()] == "" {
			t.Errorf("%s: name or class %v is unknown", op.Name(), op.Class())
		}
	}
}
