package posttrain

import (
	"context"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/fakequant"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
)

// Options of [Quantize].
type Options struct {
	Calibration Calibration
	// Repair says what is done against the errors of quantization.
	Repair Repair
	// Export sets the border types of integer models.
	Export export.Options
}

// Quantize returns the model of a finished float network by the recipe: integer
// (calibrated with samples), dynamic range, int8 weights or float16 (samples may be nil unless
// a repair needs them). BatchNorm is folded before quantizers are placed. net is
// not changed.
//
// Errors: those of the repairs, fakequant.Insert, [Calibrate] and the exporters.
func Quantize(ctx context.Context, net *graph.Graph, recipe quant.Recipe, samples data.Dataset, o Options) (*graph.Graph, error) {
	if recipe.Mode == quant.HalfFloat {
		return export.Float16(net)
	}
	q, err := quantized(ctx, net, recipe, samples, o)
	if err != nil {
		return nil, err
	}
	switch {
	case recipe.FloatCompute:
		return export.WeightOnly(q)
	case recipe.Mode == quant.WeightOnly:
		return export.DynamicRange(q)
	}
	return export.Integer(q, o.Export)
}

// quantized returns the fake-quantized graph of which [Quantize] makes a model.
func quantized(ctx context.Context, net *graph.Graph, recipe quant.Recipe, samples data.Dataset, o Options) (q *graph.Graph, err error) {
	r := o.Repair
	if net, err = Rearrange(ctx, net, samples, r); err == nil {
		q, err = fakequant.Insert(net, recipe)
	}
	if err == nil && recipe.Mode == quant.Integer {
		err = Calibrate(ctx, q, samples, o.Calibration)
	}
	if err == nil && r.AdaRound {
		q, err = AdaRound(ctx, q, samples, r.Sampling)
	}
	if err == nil && r.CorrectBias {
		q, err = CorrectBias(ctx, q, samples, r.Sampling)
	}
	return q, err
}
