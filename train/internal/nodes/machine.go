package nodes

import (
	"fmt"

	"gonum.org/v1/gonum/graph"
	"gorgonia.org/gorgonia"
)

// machine runs an expression graph, operator by operator, on the caller's
// goroutine. It implements [gorgonia.VM] for graphs whose operators own their
// values, as ours do.
type machine struct {
	loads []load
	calls []call
	regs  []gorgonia.Value
}

// load puts the value of an input node into a register.
type load struct {
	node *gorgonia.Node
	to   int
}

// call applies an operator to registers.
type call struct {
	op   gorgonia.Op
	args []gorgonia.Value
	from []int
	to   int
}

var _ gorgonia.VM = (*machine)(nil)

func newMachine(g *gorgonia.ExprGraph) (*machine, error) {
	sorted, err := gorgonia.Sort(g) // results first
	if err != nil {
		return nil, fmt.Errorf("nodes: %w", err)
	}
	m := &machine{regs: make([]gorgonia.Value, len(sorted))}
	register := map[int64]int{}
	for i := len(sorted) - 1; i >= 0; i-- {
		n, to := sorted[i], len(register)
		register[n.ID()] = to
		if n.Op() == nil {
			m.loads = append(m.loads, load{n, to})
			continue
		}
		k := call{op: n.Op(), to: to}
		for _, child := range graph.NodesOf(g.From(n.ID())) {
			k.from = append(k.from, register[child.ID()])
		}
		k.args = make([]gorgonia.Value, len(k.from))
		m.calls = append(m.calls, k)
	}
	return m, nil
}

// RunAll runs every operator.
func (m *machine) RunAll() error {
	for _, l := range m.loads {
		m.regs[l.to] = l.node.Value()
	}
	for i := range m.calls {
		k := &m.calls[i]
		for j, r := range k.from {
			k.args[j] = m.regs[r]
		}
		v, err := k.op.Do(k.args...)
		if err != nil {
			return err
		}
		m.regs[k.to] = v
	}
	return nil
}

// Reset has nothing to do: RunAll starts anew.
func (m *machine) Reset() {}

// Close has nothing to release.
func (m *machine) Close() error { return nil }
