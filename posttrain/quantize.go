package posttrain

import (
	"context"
	"fmt"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/fakequant"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
)

// Options of [Quantize].
type Options struct {
	Calibration Calibration
	// Export sets the border types of integer models.
	Export export.Options
}

// Quantize returns the model of a finished float network by the recipe: integer
// (calibrated with samples), dynamic range or float16 (samples may be nil).
// BatchNorm is folded before quantizers are placed. net is not changed.
//
// Errors: those of fakequant.Insert, [Calibrate] and the exporters.
func Quantize(ctx context.Context, net *graph.Graph, recipe quant.Recipe, samples data.Dataset, o Options) (*graph.Graph, error) {
	if recipe.Mode == quant.HalfFloat {
		return export.Float16(net)
	}
	folded, err := graph.Passes{graph.DropDropout, graph.FoldBatchNorm}.Run(net)
	if err != nil {
		return nil, fmt.Errorf("posttrain: %w", err)
	}
	q, err := fakequant.Insert(folded, recipe)
	if err != nil {
		return nil, err
	}
	if recipe.Mode == quant.WeightOnly {
		return export.DynamicRange(q)
	}
	if err := Calibrate(ctx, q, samples, o.Calibration); err != nil {
		return nil, err
	}
	return export.Integer(q, o.Export)
}
