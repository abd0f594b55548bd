package posttrain

import (
	"context"
	"fmt"
	"io"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/feed"
)

// Repair says which passes [Quantize] runs against the errors of quantization.
// The zero value runs none. Their order is that of the fields, with calibration
// between the first two and the last two.
type Repair struct {
	Equalize     bool // see [Equalize]
	AbsorbBiases bool // see [AbsorbBiases]
	AdaRound     bool // see [AdaRound]
	CorrectBias  bool // see [CorrectBias]
	Sampling
}

// Sampling says which samples the passes look at. The zero value is the default.
type Sampling struct {
	// Samples is the number of rows, from the first on; 0 means 512.
	Samples int
	// Progress shows how far a pass is; nil for silence.
	Progress io.Writer
}

// rows returns the number of rows out of so many.
func (s Sampling) rows(of int) int {
	if s.Samples == 0 {
		return min(of, 512)
	}
	return min(of, s.Samples)
}

func (s Sampling) feed(label string) feed.Options {
	return feed.Options{Rows: s.rows(1 << 30), Progress: s.Progress, Label: label, Done: "done"}
}

// folded returns a copy of the float network with Dropout and BatchNorm folded.
func folded(net *graph.Graph) (*graph.Graph, error) {
	if net.Recipe != nil {
		return nil, fmt.Errorf("posttrain: network %q is quantized already, by recipe %q", net.Name, net.Recipe.Name)
	}
	g, err := graph.Passes{graph.DropDropout, graph.FoldBatchNorm}.Run(net)
	if err != nil {
		return nil, fmt.Errorf("posttrain: %w", err)
	}
	return g, nil
}

// Rearrange returns the float network of which [Quantize] makes a model: with
// Dropout and BatchNorm folded, and after the repairs that come before calibration.
// It computes what net does, but its inner tensors have other values; package
// diagnose compares with them. net is not changed.
//
// Errors: those of the repairs; a network that is quantized.
func Rearrange(ctx context.Context, net *graph.Graph, samples data.Dataset, r Repair) (*graph.Graph, error) {
	net, err := folded(net)
	if err == nil && r.Equalize {
		net, err = Equalize(ctx, net, samples, r.Sampling)
	}
	if err == nil && r.AbsorbBiases {
		net, err = AbsorbBiases(ctx, net, samples, r.Sampling)
	}
	return net, err
}

// check reports a graph that a pass has broken.
func check(g *graph.Graph) error {
	if err := g.Check(); err != nil {
		return fmt.Errorf("posttrain: %w", err)
	}
	return nil
}
