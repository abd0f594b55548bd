package operators

import (
	"slices"
	"testing"

	"github.com/goqat/goqat/tflite/internal/schema"
)

// A row that lacks something would only be noticed by whoever uses the operator.
func TestRows(t *testing.T) {
	var names []string
	for i := range All {
		o := &All[i]
		names = append(names, o.Name())
		if ByName(o.Name()) != o {
			t.Errorf("%s: listed twice, or its number has no name", o.Name())
		}
		if len(o.Kinds) == 0 {
			t.Errorf("%s: has no number types", o.Name())
		}
		if (o.Write != nil) != (o.Options != schema.BuiltinOptionsNONE) {
			t.Errorf("%s: options %v, but write is set: %v", o.Name(), o.Options, o.Write != nil)
		}
		for _, k := range o.Kinds {
			if k.version < 1 || k.version > len(o.Runtimes) || len(k.In) != len(o.Kinds[0].In) {
				t.Errorf("%s: kind %+v: no runtime for its version, or another number of inputs", o.Name(), k)
			}
		}
		for v, r := range o.Runtimes {
			if v > 0 && Newer(o.Runtimes[v-1], r) || !Newer(r, "1.0.0") {
				t.Errorf("%s: version %d runs on %q, version %d on %q", o.Name(), v, o.Runtimes[max(v-1, 0)], v+1, r)
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
		if Newer(c.a, c.b) != c.want {
			t.Errorf("newer(%q, %q) is %v", c.a, c.b, !c.want)
		}
	}
}
