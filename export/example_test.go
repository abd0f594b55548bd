package export_test

import (
	"context"
	"fmt"

	"github.com/goqat/goqat/data/synth"
	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/fakequant"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/posttrain"
	"github.com/goqat/goqat/quant"
)

func ExampleInteger() {
	net, err := layers.Sequential{layers.Dense{Units: 2}}.Build(layers.Input{3}, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	samples, err := synth.Blobs{Rows: 50, Features: 3, Classes: 2}.Make(1)
	if err != nil {
		fmt.Println(err)
		return
	}
	qnet, err := fakequant.Insert(net, quant.Int8())
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := posttrain.Calibrate(context.Background(), qnet, samples, posttrain.Calibration{}); err != nil {
		fmt.Println(err)
		return
	}
	model, err := export.Integer(qnet, export.Options{Input: graph.Int8, Output: graph.Int8})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(model.Inputs[0], "to", model.Outputs[0])
	// Output: input int8[1 3] to dense int8[1 2]
}
