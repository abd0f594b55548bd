package tflite

import (
	"slices"
	"testing"

	"github.com/goqat/goqat/tflite/internal/schema"
)

// A row that lacks something would only be noticed by whoever uses the operator.
func TestRows(t *testing.T) {
	var names []string
	for i := range operators {
		o := &operators[i]
		names = append(names, o.name())
		if byName(o.name()) != o {
			t.Errorf("%s: listed twice, or its number has no name", o.name())
		}
		if o.read == nil && lowerings[o.name()].do == nil || len(o.kinds) == 0 {
			t.Errorf("%s: cannot be read or has no number types", o.name())
		}
		if (o.write != nil) != (o.options != schema.BuiltinOptionsNONE) {
			t.Errorf("%s: options %v, but write is set: %v", o.name(), o.options, o.write != nil)
		}
		for _, k := range o.kinds {
			if k.version < 1 || k.version > len(o.runtimes) || len(k.in) != len(o.kinds[0].in) {
				t.Errorf("%s: kind %+v: no runtime for its version, or another number of inputs", o.name(), k)
			}
		}
		for v, r := range o.runtimes {
			if v > 0 && newer(o.runtimes[v-1], r) || !newer(r, "1.0.0") {
				t.Errorf("%s: version %d runs on %q, version %d on %q", o.name(), v, o.runtimes[max(v-1, 0)], v+1, r)
			}
		}
	}
	if !slices.IsSorted(names) {
		t.Errorf("rows are not in alphabetical order: %q", names)
	}
}

func TestNewer(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"2.10.0", "2.9.0", true}, {"2.9.0", "2.10.0", false}, {"1.13.1", "1.13.0", true},
		{"2.0.0", "2.0.0", false}, {"1.5.0", "", true}, {"", "1.5.0", false}, {"junk", "", false},
	} {
		if newer(c.a, c.b) != c.want {
			t.Errorf("newer(%q, %q) is %v", c.a, c.b, !c.want)
		}
	}
}
