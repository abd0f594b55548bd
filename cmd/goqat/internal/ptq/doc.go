// Package ptq is what `goqat quantize` does: it quantizes a float network from a
// file by a plan that a file can hold.
//
// The functions you want are [ReadPlan] and [Quantize]:
//
//	plan, err := ptq.ReadPlan("model.recipe.toml")
//	result, err := ptq.Quantize(ctx, net, plan, rows, ptq.Options{})
package ptq
