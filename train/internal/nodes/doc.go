// Package nodes compiles a network into one training or inference step on
// Gorgonia: an expression graph of our own operators, Gorgonia's symbolic
// gradient of the loss, and a machine that runs both.
//
// The functions you want are [Compile] and [Step.Run]:
//
//	s, err := nodes.Compile(net, nodes.Config{
//		Batch: 32, Training: true,
//		Loss: &nodes.Loss{Kind: nodes.SparseCategoricalCrossentropy, FromLogits: true},
//	})
//	defer s.Close()
//	copy(s.Input(), images)
//	copy(s.Target(), labels)
//	err = s.Run(step)    // forward, loss, gradients
//	grads := s.Gradients() // in the order of net.Parameters()
//	...                  // the optimizer updates the parameters of net in place
//	err = s.Commit()     // moving statistics and observed ranges
//
// A step has a fixed batch. Steps of one network share its parameters: they are
// the graph's own slices, so an update is seen by all of them. Steps that share
// a network must not run at the same time, and a step serves one caller at a
// time.
//
// # Operators
//
// Each node of the network becomes one operator that owns its output buffer and
// calls our kernels; its gradient is one more such operator, followed by one
// that hands out each further gradient. Gorgonia's own elementwise operators are
// never used: they may overwrite our buffers. The sums it would insert where a
// tensor has several readers are made by an operator of our own.
//
// Results are bit-identical for both executors and for any number of threads.
// Buffers are allocated when a step is compiled; a run allocates only small
// change: closures of parallel kernels and the parameters of quantizers.
//
// The package knows no optimizers, metrics or data; package train does.
package nodes
