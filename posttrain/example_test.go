package posttrain_test

import (
	"context"
	"fmt"

	"github.com/goqat/goqat/data/digits"
	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/posttrain"
	"github.com/goqat/goqat/quant"
)

func ExampleQuantize() {
	net, err := layers.Sequential{layers.Flatten{}, layers.Dense{Units: 10}}.Build(layers.Input{8, 8, 1}, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	samples, _ := digits.Load()
	model, err := posttrain.Quantize(context.Background(), net, quant.Int8(), samples, posttrain.Options{
		Calibration: posttrain.Calibration{Samples: 100},
		Export:      export.Options{Input: graph.Int8, Output: graph.Int8},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, n := range model.Nodes {
		fmt.Println(n.Op.Name(), n.Output.Type)
	}
	// Output:
	// RESHAPE int8
	// FULLY_CONNECTED int8
}
