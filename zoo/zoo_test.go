package zoo

import (
	"strings"
	"testing"

	"github.com/goqat/goqat/fakequant"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/quant"
)

// TestParameters holds every network to the published number of parameters.
func TestParameters(t *testing.T) {
	for _, n := range Networks() {
		g, err := n.Build(n.Input, n.Outputs, 1)
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		for _, v := range g.Variables() {
			got += v.Elements()
		}
		if got != n.Parameters {
			t.Errorf("%s has %d parameters, published are %d", n.Name, got, n.Parameters)
		}
		if y := g.Outputs[0]; len(y.Shape) != 2 || y.Shape[1] != n.Outputs {
			t.Errorf("%s has output %v, want %d", n.Name, y, n.Outputs)
		}
		if n.About == "" || n.Source == "" {
			t.Errorf("%s does not say what it is", n.Name)
		}
	}
}

// TestOtherImages: convolutional networks take small images and other numbers of
// classes; what they cannot take is named.
func TestOtherImages(t *testing.T) {
	for _, c := range []struct {
		name string
		in   layers.Input
		want string // error
	}{
		{"resnet8", layers.Input{8, 8, 1}, ""},
		{"mobilenet", layers.Input{28, 28, 1}, ""},
		{"ds-cnn", layers.Input{8, 8, 1}, ""},
		{"lenet5", layers.Input{32, 32, 3}, ""},
		{"accelerometer", layers.Input{16, 6}, ""},
		{"autoencoder", layers.Input{64}, ""},
		{"lenet5", layers.Input{8, 8, 1}, "zoo: lenet5: layers: layer 2 (Conv2D"},
		{"resnet8", layers.Input{64}, "zoo: resnet8: layers: layer 0 (Conv2D"},
	} {
		n, err := ByName(c.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = n.Build(c.in, 7, 1); c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s on %v: %v, want %q", c.name, c.in, err, c.want)
		}
	}
}

// TestReshapes counts the reshapes of the one-dimensional network: one at the
// input; the global average ends the series without another.
func TestReshapes(t *testing.T) {
	g, err := accelerometer.Build(accelerometer.Input, 4, 1)
	if err != nil {
		t.Fatal(err)
	}
	q, err := fakequant.Insert(g, quant.Int8())
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range []*graph.Graph{g, q} {
		count := 0
		for _, n := range g.Nodes {
			if _, ok := n.Op.(graph.Reshape); ok {
				count++
			}
		}
		if count != 1 {
			t.Errorf("%d reshapes, want 1:\n%s", count, g)
		}
	}
}

func TestByName(t *testing.T) {
	if _, err := ByName("resnet9"); err == nil || !strings.Contains(err.Error(), `no network "resnet9": there are resnet8, ds-cnn, mobilenet, autoencoder, lenet5, accelerometer`) {
		t.Errorf("error %v", err)
	}
}
