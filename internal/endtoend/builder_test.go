package endtoend

import (
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/rng"
	"github.com/goqat/goqat/quant"
)

// builder makes files of one operator by hand, with pseudo-random constants.
type builder struct {
	*testing.T
	*graph.Graph
	random *rng.Stream
}

func newBuilder(t *testing.T) builder {
	return builder{t, &graph.Graph{Name: t.Name()}, newRandom(0)}
}

func newRandom(seed uint64) *rng.Stream { return rng.New(1, seed) }

// per returns per-tensor parameters.
func per(scale float32, zero int32) *quant.Params {
	p := quant.PerTensor(scale, zero)
	return &p
}

// input adds an input of codes, or of real values where p is nil.
func (b builder) input(t graph.Type, p *quant.Params, shape ...int) *graph.Tensor {
	x := b.AddInput("x", t, shape) // or x_1, x_2
	x.Quant = p
	return x
}

// op adds a node.
func (b builder) op(op graph.Op, t graph.Type, p *quant.Params, inputs ...*graph.Tensor) *graph.Tensor {
	b.T.Helper()
	y, err := b.Add("y", op, inputs...)
	if err != nil {
		b.Fatal(err)
	}
	y.Type, y.Quant = t, p
	return y
}

// weights returns codes in [-127, 127] without scales.
func (b builder) weights(name string, shape ...int) *graph.Tensor {
	codes := make([]int8, graph.Elements(shape))
	for i := range codes {
		codes[i] = int8(b.random.IntN(255) - 127)
	}
	return &graph.Tensor{Name: name, Type: graph.Int8, Role: graph.Constant, Shape: shape, Data: codes}
}

// bias returns codes up to a limit, at the scale of input times weights.
func (b builder) bias(x, w *graph.Tensor, channels, limit int) *graph.Tensor {
	codes := make([]int32, channels)
	for i := range codes {
		codes[i] = int32(b.random.IntN(2*limit+1) - limit)
	}
	p := quant.Params{Scale: make([]float32, len(w.Quant.Scale)), ZeroPoint: make([]int32, len(w.Quant.Scale))}
	for c, s := range w.Quant.Scale {
		p.Scale[c] = x.Quant.Scale[0] * s
	}
	return &graph.Tensor{Name: "b", Type: graph.Int32, Role: graph.Constant, Shape: []int{channels}, Data: codes, Quant: &p}
}

// reals returns normal numbers.
func (b builder) reals(n int) []float32 {
	list := make([]float32, n)
	for i := range list {
		list[i] = float32(b.random.Normal())
	}
	return list
}

// done writes the graph and reads it back.
func (b builder) done(y *graph.Tensor) *made {
	b.T.Helper()
	b.Outputs = []*graph.Tensor{y}
	m, err := readBack(b.Graph)
	if err != nil {
		b.Fatal(err)
	}
	return m
}
