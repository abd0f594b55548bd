package graph

import (
	"fmt"
	"io"
	"strings"
)

// WriteDOT writes the graph in the language of Graphviz: boxes are nodes with
// their options, ellipses the graph's inputs and outputs, edges activations with
// their type and shape. Tensors with data are listed in the box that reads them.
//
// Source: graphviz.org, The DOT Language.
func (g *Graph) WriteDOT(w io.Writer) error {
	p := &printer{w: w}
	p.line("digraph %s {", quoted(g.Name))
	p.line("\tnode [shape=box];")
	ids := map[*Tensor]string{}
	for i, t := range g.Inputs {
		ids[t] = fmt.Sprintf("i%d", i)
		p.line("\t%s [label=%s, shape=ellipse];", ids[t], quoted(t.Name))
	}
	for i, n := range g.Nodes {
		id := fmt.Sprintf("n%d", i)
		p.line("\t%s [label=%s];", id, quoted(boxText(n)))
		for _, t := range n.Inputs {
			if t != nil && t.Role == Activation {
				p.line("\t%s -> %s [label=%s];", ids[t], id, quoted(typeText(t)))
			}
		}
		ids[n.Output] = id
	}
	for i, t := range g.Outputs {
		p.line("\to%d [label=%s, shape=ellipse];", i, quoted(t.Name))
		p.line("\t%s -> o%d [label=%s];", ids[t], i, quoted(typeText(t)))
	}
	p.line("}")
	return p.err
}

// boxText is the label of a node: name, operator, options and data, a line each.
func boxText(n *Node) string {
	lines := append([]string{n.Name, n.Op.Name()}, optionsText(n.Op)...)
	for _, t := range n.Inputs {
		if t != nil && t.Role != Activation {
			lines = append(lines, t.Name+" "+typeText(t))
		}
	}
	return strings.Join(lines, "\n")
}

// quoted returns s as a DOT string.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}
