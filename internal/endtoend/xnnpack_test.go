package endtoend

import (
	"fmt"
	"math"

	"slices"
	"strings"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/oracle"
	"github.com/goqat/goqat/internal/rng"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/quant"
)

// Every int8 file gives in the profile XNNPACK the very outputs of LiteRT's
// default kernels, and refuses to run where that is not known. Tensors inside have
// no data there.
func TestXNNPACKFilesEqualLiteRT(t *testing.T) { equalXNNPACK(t, integerFiles) }

func TestXNNPACKZooEqualsLiteRT(t *testing.T) {
	equalXNNPACK(t, integerFilesOf(zooSimulations, graph.Int8))
}

func equalXNNPACK(t *testing.T, files []*file) {
	for _, f := range files {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			o, m := oracle.Start(t), f.must(t)
			x, _ := f.testRows(t)
			run, y := runLiteRT(t, o, m, oracle.Default, x), m.graph.Outputs[0]
			if err := byXNNPACK(m.graph, []any{run.input}, run.rows, run.values[y]); err != nil {
				t.Error(err)
			}
		})
	}
}

// byXNNPACK reports where the first output of a graph in the profile of that name
// differs from what LiteRT's default kernels give.
func byXNNPACK(g *graph.Graph, inputs []any, rows int, want any) error {
	for _, kernels := range []bool{false, true} {
		ip, err := interp.New(g, interp.Options{Batch: rows, Profile: interp.XNNPACK, Reference: kernels})
		if err == nil {
			err = ip.Run(inputs...)
		}
		if err == nil {
			err = sameElements(ip.Output(0), want)
		}
		if err != nil {
			return fmt.Errorf("reference %v: %w", kernels, err)
		}
	}
	return nil
}

// refusedByXNNPACK reports whether an error says that the library does not take an
// operator, or that its types are none of those that the profile has.
func refusedByXNNPACK(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "XNNPACK takes") || strings.Contains(err.Error(), "are not reproduced"))
}

// On all 256 codes, for many random scales and zero points, ties among them, the
// codes of the profile XNNPACK are those of LiteRT's default kernels, or it refuses
// the scales.
func TestXNNPACKOperatorsOnAllCodes(t *testing.T) {
	all := make([]int8, 256)
	for i := range all {
		all[i] = int8(i - 128)
	}
	const pairs = 200
	ops := append(slices.Clone(nonlinear), graph.LeakyRelu{}, graph.Relu{}, graph.Relu6{}, graph.Quantize{},
		graph.Mul{Activate: quant.Relu6}, graph.Mul{}, graph.Add{}, graph.Add{Activate: quant.ReluN1To1}, graph.Sub{},
		graph.Mean{Reducer: graph.Reducer{Axes: []int{1}}}, graph.ReduceMax{Reducer: graph.Reducer{Axes: []int{2}}})
	for _, op := range ops {
		t.Run(fmt.Sprintf("%s %v", op.Name(), op), func(t *testing.T) {
			t.Parallel()
			o, random := oracle.Start(t), newRandom(9)
			refused := 0
			for i := range pairs {
				in, out := drawPair(random, i)
				if _, same := op.(graph.ReduceMax); same {
					out = in
				}
				out = outputOf(op, out)
				if _, swish := op.(graph.HardSwish); swish && in.Scale[0] >= 100*out.Scale[0] {
					continue // LiteRT takes no such file
				}
				b := newBuilder(t)
				inputs := []*graph.Tensor{b.input(graph.Int8, in, 1, 64, 4)}
				switch op.(type) {
				case graph.Mul, graph.Add, graph.Sub:
					inputs = append(inputs, inputs[0])
				}
				c := opCase{fmt.Sprintf("%v to %v", in, out), b.done(b.op(op, graph.Int8, out, inputs...))}
				err := byXNNPACK(c.graph, []any{all}, 1, c.runOracle(t, o, oracle.Default, []any{all}, 1))
				if refusedByXNNPACK(err) {
					refused++
				} else if err != nil {
					t.Errorf("%s: %v", c.name, err)
				}
			}
			t.Logf("%d of %d refused", refused, pairs)
			if refused > pairs/10 {
				t.Errorf("%d of %d refused", refused, pairs)
			}
		})
	}
}

// drawPair draws parameters of input and output: ordinary ones, far apart ones, and
// powers of two, which make ties; zero points anywhere and at both ends.
func drawPair(random *rng.Stream, i int) (in, out *quant.Params) {
	zero := func() int32 { return []int32{-128, 127, 0, int32(random.IntN(256) - 128)}[random.IntN(4)] }
	scale := float32(0.002 * math.Pow(250, random.Float64()))
	ratio := float32(0.2 + 2*random.Float64())
	switch i % 4 {
	case 0:
		scale, ratio = float32(math.Exp2(-float64(random.IntN(8)))), float32(math.Exp2(float64(random.IntN(4)-1)))
	case 1:
		ratio = float32(math.Pow(4000, random.Float64()*2-1))
	}
	return per(scale, zero()), per(scale*ratio, zero())
}

// On random rows of every length the profile's SOFTMAX is that of the default
// kernels.
func TestXNNPACKSoftmax(t *testing.T) {
	o, random := oracle.Start(t), newRandom(11)
	const rows = 64
	for range 100 {
		in := per(float32(0.002*math.Pow(500, random.Float64())), int32(random.IntN(256)-128))
		b := newBuilder(t)
		x := b.input(graph.Int8, in, 1, 1+random.IntN(300))
		c := opCase{fmt.Sprint(in, x.Shape), b.done(b.op(graph.Softmax{}, graph.Int8, per(1.0/256, -128), x))}
		input := []any{operatorInput(c.graph.Inputs[0], random.Uint64(), rows*x.Elements(), 1+random.IntN(256), c.graph.Outputs[0])}
		if err := byXNNPACK(c.graph, input, rows, c.runOracle(t, o, oracle.Default, input, rows)); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Where a bound of an activation lies halfway between codes the profile rounds it
// as the default kernels do.
func TestXNNPACKActivationBounds(t *testing.T) {
	o, random := oracle.Start(t), newRandom(12)
	for _, scale := range []float32{4, 12, 2.4, 0.4, 2, 0.08, 6 / 4.5, 1 / 7.5, 1 / 10.5, 6. / 99.5, 1. / 49.5, 1. / 31.5} {
		for _, zero := range []int32{-128, -3, 4} {
			for _, act := range []quant.Activation{quant.Relu6, quant.ReluN1To1} {
				for _, op := range []graph.Op{
					graph.Add{Activate: act}, graph.Sub{Activate: act}, graph.Mul{Activate: act},
					graph.FullyConnected{Activate: act}, graph.Conv2D{StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, Activate: act},
					graph.TransposeConv{StrideH: 1, StrideW: 1, Activate: act},
				} {
					b := newBuilder(t)
					shape := []int{1, 4, 4, 8}
					if _, flat := op.(graph.FullyConnected); flat {
						shape = []int{1, 8}
					}
					inputs := []*graph.Tensor{b.input(graph.Int8, per(0.11, 3), shape...)}
					if _, weighted := op.(graph.Anchored); weighted {
						w := b.weights("w", slices.Concat([]int{8}, slices.Repeat([]int{1}, len(shape)-2), []int{8})...)
						w.Quant = per(0.02, 0)
						inputs = append(inputs, w, b.bias(inputs[0], w, 8, 100))
					} else {
						inputs = append(inputs, b.input(graph.Int8, per(0.07, -2), shape...))
					}
					c := opCase{fmt.Sprintf("%s %+v to %v", op.Name(), op, per(scale, zero)), b.done(b.op(op, graph.Int8, per(scale, zero), inputs...))}
					var data []any
					for _, x := range c.graph.Inputs {
						data = append(data, operatorInput(x, random.Uint64(), 4*x.Elements(), 256, c.graph.Outputs[0]))
					}
					if err := byXNNPACK(c.graph, data, 4, c.runOracle(t, o, oracle.Default, data, 4)); err != nil {
						t.Errorf("%s: %v", c.name, err)
					}
				}
			}
		}
	}
}

// The profile takes no operator whose codes on the default kernels it does not
// know: it says so, by node.
func TestXNNPACKRefuses(t *testing.T) {
	for _, f := range slices.Concat(wideFiles, floatFiles, int4Files()) {
		if f.name != "batchnorm" && f.name != "mlp" {
			continue
		}
		g := f.must(t).graph
		_, err := interp.New(g, interp.Options{Profile: interp.XNNPACK})
		refuses := slices.ContainsFunc(g.Nodes, func(n *graph.Node) bool {
			four := slices.ContainsFunc(n.Inputs, func(x *graph.Tensor) bool { return x != nil && x.Int4 })
			return four || n.Output.Type == graph.Int16 || n.Output.Type == graph.Float32 && len(n.Inputs) > 1 && n.Inputs[1].Type == graph.Int8
		})
		if refuses != (err != nil) {
			t.Errorf("%v: %v", f, err)
		}
	}
}
