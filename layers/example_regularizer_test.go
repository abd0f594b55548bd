package layers_test

import (
	"fmt"

	"github.com/goqat/goqat/layers"
)

// Regularizers and constraints are settings of a layer; they travel with its
// parameters and are obeyed by training.
func ExampleMaxNorm() {
	net, err := layers.Sequential{
		layers.Dense{Units: 8, Activation: layers.ActReLU, KernelRegularizer: layers.L2{L2: 1e-4}},
		layers.Dense{Units: 2, KernelConstraint: layers.MaxNorm{MaxValue: 1.5}, BiasRegularizer: layers.L1{}},
	}.Build(layers.Input{4}, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range net.Parameters() {
		fmt.Printf("%s: %v; %v\n", p.Name, p.Penalty, p.Constraint)
	}
	// Output:
	// dense/kernel: l2 0.0001; none
	// dense/bias: ; none
	// dense_1/kernel: ; max_norm 1.5
	// dense_1/bias: l1 0.01; none
}
