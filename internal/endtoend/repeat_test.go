package endtoend

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"

	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite"
)

// From the same seed come the same files, byte for byte, on one thread and on
// two: weights, training, calibration, export and writing.
func TestSameSeedSameFiles(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	runs := map[int]map[string][]byte{}
	for _, threads := range []int{1, 2} {
		runtime.GOMAXPROCS(threads)
		runs[threads] = filesAnew(t)
	}
	if len(runs[1]) != 4*len(networks) {
		t.Errorf("%d files, want 4 for each network", len(runs[1]))
	}
	for name, one := range runs[1] {
		if !bytes.Equal(one, runs[2][name]) {
			t.Errorf("%s: two threads write another file than one", name)
		}
	}
}

// filesAnew trains every network for an epoch, again with fake quantization, and
// returns files by name.
func filesAnew(t *testing.T) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, shared := range networks {
		n := *shared
		n.float = func() (*graph.Graph, error) { return n.trained(1) }
		for kind, make := range map[string]func() (*graph.Graph, error){
			"float32":       func() (*graph.Graph, error) { return exported(n.float, export.Float32) },
			"dynamic range": func() (*graph.Graph, error) { return exported(n.hybrids()[0].graph, export.DynamicRange) },
			"int8 qat": func() (*graph.Graph, error) {
				return exported(func() (*graph.Graph, error) { return n.fineTuned(quant.Int8()) }, integer)
			},
			"int8 ptq per tensor": func() (*graph.Graph, error) {
				return exported(func() (*graph.Graph, error) { return n.calibrated(quant.Int8PerTensor()) }, integer)
			},
		} {
			model, err := make()
			if err != nil {
				t.Fatal(err)
			}
			b, err := tflite.Marshal(model)
			if err != nil {
				t.Fatal(err)
			}
			files[fmt.Sprint(n.name, " ", kind)] = b
		}
	}
	return files
}

func integer(g *graph.Graph) (*graph.Graph, error) { return export.Integer(g, export.Options{}) }

func exported(source func() (*graph.Graph, error), export func(*graph.Graph) (*graph.Graph, error)) (*graph.Graph, error) {
	g, err := source()
	if err != nil {
		return nil, err
	}
	return export(g)
}
