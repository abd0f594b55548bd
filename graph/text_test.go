package graph

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	golden(t, "float.txt", floatNet(t).String())
	golden(t, "quant.txt", quantNet(t).String())
	golden(t, "integer.txt", integerNet(t).String())
}

func TestDOT(t *testing.T) {
	g := floatNet(t)
	g.Name = "a \"quoted\"\nname"
	var b strings.Builder
	if err := g.WriteDOT(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "float.dot", b.String())
}

// failAfter takes some bytes and then fails.
type failAfter int

var errFull = errors.New("full")

func (f *failAfter) Write(p []byte) (int, error) {
	if *f -= failAfter(len(p)); *f < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestWriteErrors(t *testing.T) {
	g := quantNet(t)
	for name, write := range map[string]func(io.Writer) error{
		"text": g.WriteText,
		"dot":  g.WriteDOT,
		"file": func(w io.Writer) error { return Encode(w, g) },
	} {
		for limit := range failAfter(400) {
			if err := write(&limit); !errors.Is(err, errFull) {
				t.Fatalf("%s: error %v, want that of the writer", name, err)
			}
		}
	}
}

// TestTextOfOddGraphs: the text is for people who look for faults, so it must
// not fail on them.
func TestTextOfOddGraphs(t *testing.T) {
	n := newNet(t)
	x := n.AddInput("x", Float32, []int{1, 2})
	n.node("fq", FakeQuant{}, x)
	w := parameter("w", 2)
	w.Float32s()[0] = inf
	n.node("wq", FakeQuant{Quantizer: &Quantizer{Name: "w", Bits: 8, Axis: -1, Source: LastValue}}, w)
	for _, want := range []string{"no quantizer", "invalid", "w"} {
		if text := n.String(); !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
