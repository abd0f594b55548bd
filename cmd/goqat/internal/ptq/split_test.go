package ptq

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite"
)

// The network beside the main one stays as it is, which is refused unless allowed,
// and is said.
func TestSubgraphsStay(t *testing.T) {
	build := func(name string) *graph.Graph {
		g := &graph.Graph{Name: name}
		x := g.AddInput("x", graph.Float32, []int{1, 2})
		w := &graph.Tensor{Name: "w", Role: graph.Constant, Shape: []int{2, 2}, Data: []float32{1, 2, -3, 4}}
		y, err := g.Add("y", graph.FullyConnected{}, x, w)
		if err != nil {
			t.Fatal(err)
		}
		g.Outputs = []*graph.Tensor{y}
		return g
	}
	net := build("main")
	net.Subgraphs = []*graph.Graph{build("other")}
	net.Subgraphs[0].Signature = "again"
	set, err := data.NewMemory(data.Arrays{InputShape: []int{2}, X: []float32{1, 2, -1, 0.5}, Y: []float32{0, 0}})
	if err != nil {
		t.Fatal(err)
	}
	stays := Float{"other", "subgraph 1", "only the main network is quantized"}
	if _, err := Quantize(context.Background(), net, Plan{}, set, Options{}); err == nil || !strings.Contains(err.Error(), stays.String()) {
		t.Errorf("error %v, want %q", err, stays)
	}
	for _, mode := range []string{"int8", "dynamic", "float16"} {
		r, err := Quantize(context.Background(), net, Plan{Mode: mode}, set, Options{AllowFloat: true})
		if err != nil {
			t.Fatal(err)
		}
		file, err := tflite.Marshal(r.Model)
		if err != nil {
			t.Fatal(err)
		}
		d, err := tflite.Describe(file)
		if err != nil || len(d.Subgraphs) != 2 || d.Subgraphs[1].Tensors[1].Type != "float32" || !slices.Contains(r.Float, stays) {
			t.Errorf("%s: %v in float32, %+v, error %v", mode, r.Float, d, err)
		}
	}
}
