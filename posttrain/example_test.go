package posttrain_test

import (
	"context"
	"fmt"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/data/digits"
	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/fakequant"
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

// The samples may come from an iterator: a sensor, a queue, a generator.
func ExampleCalibrate_iterator() {
	net, err := layers.Sequential{layers.Dense{Units: 2}}.Build(layers.Input{3}, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	sensor := func(yield func([]float32, error) bool) {
		row := make([]float32, 3)
		for i := 0; ; i++ { // without an end
			row[i%3] = float32(i%7) - 3
			if !yield(row, nil) {
				return
			}
		}
	}
	samples, err := data.Collect([]int{3}, 200, sensor)
	if err != nil {
		fmt.Println(err)
		return
	}
	q, err := fakequant.Insert(net, quant.Int8())
	if err != nil {
		fmt.Println(err)
		return
	}
	err = posttrain.Calibrate(context.Background(), q, samples, posttrain.Calibration{})
	if err != nil {
		fmt.Println(err)
		return
	}
	r := q.Quantizers()[0].Range.Float32s() // minimum, maximum, weight
	fmt.Println(samples.Len(), "rows, inputs from", r[0], "to", r[1])
	// Output:
	// 200 rows, inputs from -3 to 3
}
