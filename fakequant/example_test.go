package fakequant_test

import (
	"fmt"

	"github.com/goqat/goqat/fakequant"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/quant"
)

func ExampleInsert() {
	net, err := layers.Sequential{layers.Dense{Units: 2}, layers.ReLU{}}.Build(layers.Input{3}, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	qnet, err := fakequant.Insert(net, quant.Int8())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, q := range qnet.Quantizers() {
		fmt.Println(q.Name, "by", q.Source)
	}
	// Output:
	// input by moving average
	// dense/kernel by last value
	// re_lu by moving average
}
