package endtoend

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/fakequant"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/posttrain"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite"
	"github.com/goqat/goqat/train"
)

// source is a network on its way to a file: quantized or not, trained or not.
type source struct {
	*network
	// kind names what was done: "int8 qat".
	kind string
	// graph has fake-quantization nodes, unless the kind is a float one.
	graph func() (*graph.Graph, error)
}

// file is a model as it is written.
type file struct {
	source
	border string // of integer models
	make   func() (*made, error)
}

// made is a file, and what it reads back as.
type made struct {
	bytes []byte
	graph *graph.Graph
}

func (f *file) String() string {
	if f.border == "" {
		return f.name + "/" + f.kind
	}
	return f.name + "/" + f.kind + "/" + f.border
}

// borders are the number types at the ends of integer models.
var borders = []graph.Type{graph.Float32, graph.Int8, graph.UInt8}

// recipes of integer models.
var recipes = []quant.Recipe{quant.Int8(), quant.Int8PerTensor()}

// simulations are the fake-quantized forms of the networks.
var simulations = simulationsOf(networks)

// simulationsOf returns the fake-quantized forms of each network: every recipe,
// calibrated and trained.
func simulationsOf(networks []*network) (list []source) {
	for _, n := range networks {
		for _, r := range recipes {
			list = append(list,
				source{n, r.Name + " ptq", sync.OnceValues(func() (*graph.Graph, error) { return n.calibrated(r) })},
				source{n, r.Name + " qat", sync.OnceValues(func() (*graph.Graph, error) { return n.fineTuned(r) })})
		}
	}
	return list
}

// folded is the network as posttrain.Quantize prepares it.
func (n *network) folded() (*graph.Graph, error) {
	g, err := n.float()
	if err != nil {
		return nil, err
	}
	return graph.Passes{graph.DropDropout, graph.FoldBatchNorm}.Run(g)
}

// calibrated is what posttrain.Quantize exports: BatchNorm folded, then ranges
// from samples.
func (n *network) calibrated(r quant.Recipe) (*graph.Graph, error) {
	g, err := n.folded()
	if err != nil {
		return nil, err
	}
	return n.insert(g, r)
}

// fineTuned starts from calibrated ranges and trains with fake quantization;
// BatchNorm stays in the graph.
func (n *network) fineTuned(r quant.Recipe) (*graph.Graph, error) {
	g, err := n.float()
	if err != nil {
		return nil, err
	}
	q, err := n.insert(g, r)
	if err != nil {
		return nil, err
	}
	return q, n.fit(q, 2, 5e-4)
}

func (n *network) insert(g *graph.Graph, r quant.Recipe) (*graph.Graph, error) {
	q, err := fakequant.Insert(g, r)
	if err != nil {
		return nil, err
	}
	samples, _, err := n.data()
	if err != nil {
		return nil, err
	}
	return q, posttrain.Calibrate(context.Background(), q, samples, calibration)
}

// integerFiles has every simulation with every border type.
var integerFiles = integerFilesOf(simulations, borders...)

func integerFilesOf(simulations []source, borders ...graph.Type) (list []*file) {
	for _, s := range simulations {
		for _, b := range borders {
			list = append(list, newFile(s, b.String(), func(g *graph.Graph) (*graph.Graph, error) {
				return export.Integer(g, export.Options{Input: b, Output: b})
			}))
		}
	}
	return list
}

// floatFiles are the files of the networks that compute in float32.
var floatFiles = floatFilesOf(networks)

// floatFilesOf returns those of each network: plain, half precision, and dynamic
// range with and without small weights, folded before and trained with fake
// quantization.
func floatFilesOf(networks []*network) (list []*file) {
	for _, n := range networks {
		list = append(list,
			newFile(source{n, "float32", n.float}, "", export.Float32),
			newFile(source{n, "float16", n.float}, "", export.Float16))
		for _, s := range n.hybrids() {
			list = append(list, newFile(s, "", export.DynamicRange))
		}
		for _, perChannel := range []bool{true, false} {
			r := quant.Int8Weights()
			r.MinElements, r.Weights.PerChannel = 0, perChannel
			kind := fmt.Sprintf("int8 weights per channel %v", perChannel)
			list = append(list, newFile(source{n, kind, sync.OnceValues(func() (*graph.Graph, error) {
				folded, err := n.folded()
				if err != nil {
					return nil, err
				}
				return fakequant.Insert(folded, r)
			})}, "", export.WeightOnly))
		}
	}
	return list
}

// hybrids are the network's forms for dynamic range: weights quantized from 0 or
// 1024 elements on, per channel and per tensor, after and during training.
func (n *network) hybrids() (list []source) {
	for _, perChannel := range []bool{true, false} {
		for _, least := range []int{0, 1024} {
			r := quant.DynamicRange()
			r.MinElements, r.Weights.PerChannel = least, perChannel
			kind := fmt.Sprintf("dynamic range from %d per channel %v", least, perChannel)
			list = append(list, source{n, kind, sync.OnceValues(func() (*graph.Graph, error) {
				folded, err := n.folded()
				if err != nil {
					return nil, err
				}
				return fakequant.Insert(folded, r)
			})})
			if least > 0 {
				continue
			}
			list = append(list, source{n, kind + " trained", sync.OnceValues(func() (*graph.Graph, error) {
				g, err := n.float()
				if err != nil {
					return nil, err
				}
				q, err := fakequant.Insert(g, r)
				if err != nil {
					return nil, err
				}
				return q, n.fit(q, 1, 5e-4)
			})})
		}
	}
	return list
}

// newFile returns the file that export makes of a source.
func newFile(s source, border string, export func(*graph.Graph) (*graph.Graph, error)) *file {
	f := &file{source: s, border: border}
	f.make = sync.OnceValues(func() (*made, error) {
		g, err := s.graph()
		if err != nil {
			return nil, err
		}
		model, err := export(g)
		if err != nil {
			return nil, err
		}
		return readBack(model)
	})
	return f
}

// readBack writes a model, verifies the bytes and reads them.
func readBack(model *graph.Graph) (*made, error) {
	b, err := tflite.Marshal(model)
	if err != nil {
		return nil, err
	}
	if err := tflite.Verify(b); err != nil {
		return nil, err
	}
	g, err := tflite.Unmarshal(b)
	if err != nil {
		return nil, err
	}
	if again, err := tflite.Marshal(g); err != nil || string(again) != string(b) {
		return nil, fmt.Errorf("what was read is not written as the same bytes (%v)", err)
	}
	return &made{b, g}, nil
}

// must makes the file or ends the test.
func (f *file) must(t *testing.T) *made {
	t.Helper()
	m, err := f.make()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// classes returns the prediction for each row of real inputs.
func classes(t *testing.T, g *graph.Graph, x []float32) []int {
	t.Helper()
	ip, err := interp.New(g, interp.Options{Batch: 64})
	if err != nil {
		t.Fatal(err)
	}
	y, err := ip.RunFloat(x)
	if err != nil {
		t.Fatal(err)
	}
	return largest(y, g.Outputs[0].Elements())
}

// largest returns the index of the greatest value of each row.
func largest(y []float32, width int) []int {
	list := make([]int, len(y)/width)
	for i := range list {
		list[i] = train.Largest(y[i*width : (i+1)*width])
	}
	return list
}
