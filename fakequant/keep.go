package fakequant

import (
	"errors"
	"fmt"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
)

// resolveKept replaces the patterns of what stays float32, or int8, or has other
// scales, by the names of the operators that they match.
//
// Errors: patterns that match nothing.
func resolveKept(g *graph.Graph, r *quant.Recipe) error {
	var float, eight, tensor, channel error
	r.KeepFloat, float = resolved(g, r.KeepFloat, r.Name, "float32")
	r.KeepInt8, eight = resolved(g, r.KeepInt8, r.Name, "int8")
	r.PerTensor, tensor = resolved(g, r.PerTensor, r.Name, "one scale")
	r.PerChannel, channel = resolved(g, r.PerChannel, r.Name, "scales per channel")
	return errors.Join(float, eight, tensor, channel)
}

// resolved returns the names of the operators that patterns match; instead of one
// of a fusion group that of the group's head.
func resolved(g *graph.Graph, patterns []string, recipe, as string) ([]string, error) {
	if len(patterns) == 0 {
		return nil, nil
	}
	head := map[*graph.Node]*graph.Node{}
	for _, gr := range g.Fusions() {
		head[gr.BatchNorm], head[gr.Activation] = gr.Head, gr.Head
	}
	var kept []string
	listed, matched := map[string]bool{}, map[string]bool{}
	for _, n := range g.Nodes {
		keep := false
		for _, pattern := range patterns {
			if quant.Match(pattern, n.Name) {
				keep, matched[pattern] = true, true
			}
		}
		if h := head[n]; h != nil {
			n = h
		}
		if keep && !listed[n.Name] {
			listed[n.Name] = true
			kept = append(kept, n.Name)
		}
	}
	var faults []error
	for _, pattern := range patterns {
		if !matched[pattern] {
			faults = append(faults, fmt.Errorf("fakequant: recipe %q keeps %q in %s, which matches no operator", recipe, pattern, as))
		}
	}
	return kept, errors.Join(faults...)
}

// keeps reports whether a node, or the group that it ends, stays float32.
func (in *inserter) keeps(n *graph.Node) bool {
	if len(in.recipe.KeepFloat) == 0 {
		return false
	}
	for _, gr := range in.g.Fusions() {
		if n == gr.Activation || n == gr.BatchNorm {
			n = gr.Head
		}
	}
	return in.recipe.Keeps(n.Name)
}

// onlyKept reports whether nothing but operators that stay float32 reads t.
func (in *inserter) onlyKept(t *graph.Tensor) bool {
	for _, n := range in.g.Consumers(t) {
		if !in.keeps(n) {
			return false
		}
	}
	return !in.g.IsOutput(t)
}
