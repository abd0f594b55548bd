package interp

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/goqat/goqat/graph"
)

// MemoryPlan says how the activations of a graph share an arena. Offsets and sizes
// are bytes.
type MemoryPlan struct {
	// Rows is how many run at once in an arena, Arenas how many there are: one for
	// each goroutine that rows are divided among.
	Rows   int `json:"rows"`
	Arenas int `json:"arenas"`
	// ArenaBytes is the size of an arena. PeakBytes is the greatest sum of what is
	// alive at one time, LiveBytes of step Peak, which no plan can do without. Both
	// count tensors in whole lines of 64 bytes.
	ArenaBytes int `json:"arena_bytes"`
	PeakBytes  int `json:"peak_bytes"`
	Peak       int `json:"peak"`
	// ConstantBytes is the data of the graph and what is computed from it once.
	// Kernels keep packed copies beside it.
	ConstantBytes int             `json:"constant_bytes"`
	Steps         []MemoryStep    `json:"steps"`
	Tensors       []PlannedTensor `json:"tensors"`
}

// MemoryStep is a node in the order of execution.
type MemoryStep struct {
	Node      string `json:"node"`
	Operator  string `json:"operator"`
	LiveBytes int    `json:"live_bytes"` // of all tensors that exist while it runs
	// ScratchBytes is what its kernel may take at most, beside the arena, while it
	// computes an image, or some rows without width and height. Kernels of other steps
	// may use it again. Without vectors, float32 convolutions take about 50 kB more for
	// each goroutine.
	ScratchBytes int `json:"scratch_bytes"`
	// Note says why the node does nothing of its own when its turn comes; else it is
	// empty.
	Note string `json:"note,omitempty"`
}

// PlannedTensor is an activation and its place. It exists from step First to step
// Last, both included: -1 is before the first one, and Last is the number of steps
// where it stays until the next run.
type PlannedTensor struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Shape  []int  `json:"shape"` // of Rows rows
	Offset int    `json:"offset"`
	Bytes  int    `json:"bytes"`
	First  int    `json:"first"`
	Last   int    `json:"last"`
}

// The notes of a step.
const (
	noteOnce    = "computed once"
	noteInPlace = "in place"
	noteFused   = "part of the next"
)

// PlanMemory returns the plan of an interpreter of g without making one: nothing
// is packed or allocated, and nodes that no kernel takes are planned, too.
//
// Errors: as [New], but for those of kernels.
func PlanMemory(g *graph.Graph, o Options) (*MemoryPlan, error) {
	p, err := newProgram(g, o)
	if err != nil {
		return nil, err
	}
	return p.memoryPlan(), nil
}

// MemoryPlan returns how the interpreter's activations share memory.
func (ip *Interpreter) MemoryPlan() *MemoryPlan { return ip.memoryPlan() }

// RowsWithin returns how many rows have their activations in so many bytes; at
// least 1.
func (m *MemoryPlan) RowsWithin(bytes int) int {
	return max(1, bytes/max(1, m.ArenaBytes/m.Rows))
}

func (p *program) memoryPlan() *MemoryPlan {
	m := &MemoryPlan{Rows: p.rows, Arenas: p.lanes, ArenaBytes: p.arena}
	shapes, _ := p.shapes(p.rows) // known to be possible
	once := make([]bool, len(p.tensors))
	live := make([]int, len(p.steps)+2) // by step, from -1 on
	counted := map[*span]bool{nil: true}
	for _, s := range p.spans {
		if !counted[s] {
			counted[s] = true
			for i := s.first; i <= s.last; i++ {
				live[i+1] += s.size
			}
		}
	}
	for i := range p.steps {
		s := &p.steps[i]
		step := MemoryStep{Node: s.node.Name, Operator: s.node.Op.Name(), LiveBytes: live[i+1]}
		switch {
		case s.once:
			once[s.out], step.Note = true, noteOnce
		case s.idle && p.spans[s.out] == nil:
			step.Note = noteFused
		case s.idle:
			step.Note = noteInPlace
		default:
			step.ScratchBytes = scratch(s.node, p.pads[s.node], shapes[s.out])
		}
		m.Steps = append(m.Steps, step)
		if step.LiveBytes > m.PeakBytes {
			m.PeakBytes, m.Peak = step.LiveBytes, i
		}
	}
	for i, t := range p.tensors {
		s := p.spans[i]
		switch {
		case t.Role != graph.Activation || once[i]:
			m.ConstantBytes += bytesOf(t, shapes[i])
		case s != nil:
			m.Tensors = append(m.Tensors, PlannedTensor{t.Name, t.Type.String(), shapes[i], s.offset, bytesOf(t, shapes[i]), s.first, s.last})
		}
	}
	return m
}

// WriteText writes the plan for people: a line for each step, with a picture of
// the arena in which each tensor that exists has a letter of its own, and a line
// for each tensor.
func (m *MemoryPlan) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "memory of %s", count(m.Rows, "row"))
	if m.Arenas > 1 {
		fmt.Fprintf(t, " on each of %d goroutines", m.Arenas)
	}
	fmt.Fprintf(t, ": arena %d bytes, constants %d bytes", m.ArenaBytes, m.ConstantBytes)
	if len(m.Steps) > 0 {
		fmt.Fprintf(t, ", peak %d bytes at operator %d", m.PeakBytes, m.Peak)
	}
	fmt.Fprint(t, "\n\noperator\tlive bytes\tscratch bytes\tarena\tname\n")
	for i, s := range m.Steps {
		name := s.Operator
		if s.Note != "" {
			name += " (" + s.Note + ")"
		}
		fmt.Fprintf(t, "%d\t%d\t%d\t%s\t%s\n", i, s.LiveBytes, s.ScratchBytes, m.picture(i), name)
	}
	fmt.Fprint(t, "\nplace\toffset\tbytes\tfirst\tlast\ttensor\n")
	for i, x := range m.Tensors {
		fmt.Fprintf(t, "%c\t%d\t%d\t%d\t%d\t%s %s%v\n", letter(i), x.Offset, x.Bytes, x.First, x.Last, x.Name, x.Type, x.Shape)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("interp: %w", err)
	}
	return nil
}

// picture draws the arena at a step.
func (m *MemoryPlan) picture(step int) string {
	const width = 40
	cells := slices.Repeat([]byte{'.'}, width)
	for i, x := range m.Tensors {
		if x.First > step || x.Last < step {
			continue
		}
		from := x.Offset * width / max(m.ArenaBytes, 1)
		to := max((x.Offset+x.Bytes)*width/max(m.ArenaBytes, 1), from+1)
		for c := from; c < min(to, width); c++ {
			cells[c] = letter(i)
		}
	}
	return string(cells)
}

// letter names the i-th tensor in pictures.
func letter(i int) byte {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	return letters[i%len(letters)]
}

// count is a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
