package export

import (
	"fmt"
	"log/slog"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
)

// Options of [Integer]; the zero value gives float32 borders, as TensorFlow's
// converter does.
type Options struct {
	// Input and Output are the number types at the borders of the model:
	// graph.Float32, graph.Int8 or graph.UInt8; graph.Float32 or graph.Int16 where
	// activations have 16 bits.
	Input, Output graph.Type
	// Logger is told of weight scales that were raised so that a bias fits;
	// nil for silence.
	Logger *slog.Logger
}

// Integer returns the integer network of a graph with fake-quantization nodes,
// whether they were trained or calibrated. Weights become int8, biases int32 at
// the scale of input times weights, activations int8 with the parameters of
// their quantizers; activations of 16 bits become int16, and biases int64.
//
// Errors: a graph whose recipe is not quant.Integer; ranges never observed, NaN
// or infinite, by tensor name; NaN or infinite weights; biases that do not fit.
func Integer(g *graph.Graph, opts Options) (*graph.Graph, error) {
	if err := wantMode(g, quant.Integer); err != nil {
		return nil, err
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	return run(g, graph.Passes{
		graph.DropDropout,
		{Name: "fit biases", Run: func(g *graph.Graph) error { return graph.RaiseWeightScales(g, opts.Logger) }},
		evaluateFolds,
		quantizeWeights,
		foldBatchNorm,
		graph.FuseActivations,
		foldRescaling,
		resolveTypes,
		dropIdleClamps,
		quantizeBiases,
		graph.FreezeVariables,
		placeBorders(opts),
		checkInteger,
	})
}

// DynamicRange returns the network of a weight-only recipe: int8 weights,
// float32 activations and biases; the runtime quantizes activations as it runs.
//
// Errors: a graph whose recipe is not quant.WeightOnly, or computes in float32;
// NaN or infinite weights.
func DynamicRange(g *graph.Graph) (*graph.Graph, error) { return weightOnly(g, false, markHybrid) }

// WeightOnly returns the network of a weight-only recipe that computes in float32:
// int8 weights, each turned into float32 by a DEQUANTIZE operator as the model
// starts.
//
// Errors: a graph whose recipe is another; NaN or infinite weights.
func WeightOnly(g *graph.Graph) (*graph.Graph, error) { return weightOnly(g, true, widenWeights) }

func weightOnly(g *graph.Graph, float bool, compute graph.Pass) (*graph.Graph, error) {
	if err := wantMode(g, quant.WeightOnly); err != nil {
		return nil, err
	}
	if g.Recipe.FloatCompute != float {
		return nil, fmt.Errorf("export: network %q was quantized by recipe %q, which says that float compute is %v: use the other of DynamicRange and WeightOnly", g.Name, g.Recipe.Name, !float)
	}
	return run(g, graph.Passes{
		graph.DropDropout,
		evaluateFolds,
		quantizeWeights,
		foldBatchNorm,
		graph.FuseActivations,
		foldRescaling,
		compute,
		graph.FreezeVariables,
	})
}

// Float16 returns the float network g with weights stored as IEEE half precision,
// limited to ±65504; the model widens them as it starts. Each is rounded to one of
// its two neighbours, the nearer except where the errors of the weights that add to
// one output would not add up to about zero: the error of the output is then that of
// the deviations of inputs from their mean. Other constants are rounded to nearest
// even; biases stay float32.
//
// Errors: a graph that was quantized; NaN in weights.
func Float16(g *graph.Graph) (*graph.Graph, error) {
	if err := wantFloat(g); err != nil {
		return nil, err
	}
	return run(g, append(floatPasses(), halveConstants))
}

// Float32 returns the float network g ready for a file: BatchNorm folded,
// activations fused, Dropout gone. What quantization-aware training made of the float
// weights is Float32 of [graph.Graph.Unquantized].
//
// Errors: a graph that was quantized; NaN or infinite weights.
func Float32(g *graph.Graph) (*graph.Graph, error) {
	if err := wantFloat(g); err != nil {
		return nil, err
	}
	return run(g, floatPasses())
}

func floatPasses() graph.Passes {
	return graph.Passes{graph.DropDropout, evaluateFolds, graph.FoldBatchNorm, foldAffine, graph.FuseActivations, graph.FreezeVariables, checkFinite}
}

func run(g *graph.Graph, passes graph.Passes) (*graph.Graph, error) {
	model, err := passes.Run(g)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	return model, nil
}

// wantMode refuses a graph whose recipe leads to another kind of file.
func wantMode(g *graph.Graph, want quant.Mode) error {
	if g.Recipe == nil {
		return fmt.Errorf("export: network %q has no recipe: pass it through fakequant.Insert with a recipe of mode %v", g.Name, want)
	}
	if g.Recipe.Mode != want {
		return fmt.Errorf("export: network %q was quantized by recipe %q of mode %v, want mode %v", g.Name, g.Recipe.Name, g.Recipe.Mode, want)
	}
	return nil
}

// wantFloat refuses a graph that carries a recipe.
func wantFloat(g *graph.Graph) error {
	if g.Recipe != nil {
		return fmt.Errorf("export: network %q was quantized by recipe %q: float files are made from the float network", g.Name, g.Recipe.Name)
	}
	return nil
}
