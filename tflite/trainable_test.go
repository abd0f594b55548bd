package tflite_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/x448/float16"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite"
)

func TestTrainable(t *testing.T) {
	for _, s := range []storage{float, half} {
		read, err := tflite.Unmarshal(marshal(t, cnn(t, s, false)))
		if err != nil {
			t.Fatal(err)
		}
		before := read.String()
		g, err := graph.Passes{tflite.Trainable}.Run(read)
		if err != nil {
			t.Fatal(err)
		}
		if read.String() != before {
			t.Error("the graph that was read has changed")
		}
		want := cnn(t, float, false)
		if len(g.Nodes) != len(want.Nodes) {
			t.Errorf("%d nodes, want %d", len(g.Nodes), len(want.Nodes))
		}
		var names []string
		for _, p := range g.Parameters() {
			names = append(names, p.Name)
			p.Float32s()[0]++ // must not reach the constants
		}
		if all := []string{"conv1/w", "conv1/b", "conv2/w", "conv2/b", "dense/w", "dense/b"}; !slices.Equal(names, all) {
			t.Errorf("parameters %q, want %q", names, all)
		}
		for i, n := range want.Nodes {
			for j, x := range n.Inputs {
				values, got := x.Float32s(), g.Nodes[i].Inputs[j].Float32s()
				for k, v := range values {
					if s == half {
						v = float16.Fromfloat32(v).Float32()
					}
					if k == 0 {
						v++
					}
					if got[k] != v {
						t.Fatalf("storage %v, node %q, input %d, element %d: %v, want %v", s, n.Name, j, k, got[k], v)
					}
				}
			}
		}
		if read.String() != before {
			t.Error("training the parameters changed the graph that was read")
		}
	}
}

func TestTrainableErrors(t *testing.T) {
	for _, s := range []storage{hybrid, int8s} {
		_, err := graph.Passes{tflite.Trainable}.Run(cnn(t, s, true))
		if err == nil || !strings.Contains(err.Error(), `node "conv1": conv1/w int8[16 3 3 1] is not float data`) {
			t.Errorf("error %v", err)
		}
	}
}
