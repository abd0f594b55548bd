package interp

import (
	"fmt"
	"reflect"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/parallel"
)

// Interpreter runs one graph. It reads the graph's variables (weights,
// statistics, ranges) anew in every run; operators, shapes and constants must
// not change while it is in use.
//
// It serves one goroutine at a time; see [Interpreter.Clone].
type Interpreter struct {
	*program
	memory []*lane  // for each goroutine that rows are divided among
	joint  []*value // the outputs of all rows, where there are several lanes
	// Of the last run, or that in flight:
	done   int       // rows
	active int       // lanes
	real   []float32 // rows that the lanes quantize for themselves, or nil
	faults []error   // by lane
	part   func(lane int)
}

// New prepares g.
//
// Errors: faults of the graph ([graph.Graph.Check]); every node whose operator,
// types or quantization parameters no kernel of the profile takes, by name; more
// memory than Options.MaxBytes, by the tensor or node that needs it.
func New(g *graph.Graph, o Options) (*Interpreter, error) {
	p, err := newProgram(g, o)
	if err != nil {
		return nil, err
	}
	if err := p.prepare(); err != nil {
		return nil, err
	}
	return newInterpreter(p)
}

func newInterpreter(p *program) (*Interpreter, error) {
	ip := &Interpreter{program: p, faults: make([]error, p.lanes)}
	for range p.lanes {
		l, err := newLane(p)
		if err != nil {
			return nil, err
		}
		ip.memory = append(ip.memory, l)
	}
	ip.part = ip.runLane
	if p.lanes == 1 {
		return ip, nil
	}
	shapes, err := p.shapes(p.options.Batch)
	if err != nil {
		return nil, err
	}
	for _, y := range p.graph.Outputs {
		shape := shapes[p.number[y]]
		ip.joint = append(ip.joint, newValue(y, shape, newData(y.Type, graph.Elements(shape))))
	}
	return ip, nil
}

// Clone returns an interpreter of the same graph with the same options for another
// goroutine. It shares everything but the memory of activations, so that it costs
// little more than that: see [Interpreter.ArenaBytes]. A Tap is shared, too, and
// has to bear that.
//
// A server keeps clones in a [sync.Pool] or gives one to each worker. As the cores
// are busy then, Threads is best 1.
func (ip *Interpreter) Clone() *Interpreter {
	clone, err := newInterpreter(ip.program)
	if err != nil {
		panic(err) // programmer error: the graph has changed since New
	}
	return clone
}

// Run computes the outputs for inputs in the order of the graph's inputs: the
// slice of each input's type, with the same number of rows, at most
// Options.Batch.
//
// Errors: inputs of another type or length, by tensor; NaN or infinite values
// that no code stands for, by tensor and row; those of kernels, by node. After
// an error the outputs are meaningless.
func (ip *Interpreter) Run(inputs ...any) error {
	rows, err := ip.rowsOf(inputs)
	if err != nil {
		return err
	}
	if err := ip.bind(rows); err != nil {
		return err
	}
	for i, x := range ip.graph.Inputs {
		from := 0
		for _, l := range ip.memory[:ip.active] {
			v := l.values[ip.number[x]]
			v.load(inputs[i], from)
			from += v.n
		}
	}
	return ip.run()
}

// bind divides rows among lanes.
func (ip *Interpreter) bind(rows int) error {
	ip.done, ip.active = rows, min(rows, ip.lanes)
	for k, l := range ip.memory[:ip.active] {
		from, to := parallel.Range(rows, ip.active, k)
		if err := l.bind(from, to); err != nil {
			return err
		}
	}
	return nil
}

// run runs the lanes.
func (ip *Interpreter) run() error {
	if ip.active == 1 && ip.options.Threads > 1 {
		ip.runLane(0) // its kernels divide their work
	} else {
		parallel.Outer(ip.active, ip.part)
	}
	for _, err := range ip.faults[:ip.active] {
		if err != nil {
			return err
		}
	}
	return nil
}

// runLane computes the rows of a lane.
func (ip *Interpreter) runLane(k int) {
	l := ip.memory[k]
	from, to := parallel.Range(ip.done, ip.active, k)
	ip.faults[k] = nil
	if ip.real != nil {
		x := ip.graph.Inputs[0]
		row := x.Elements()
		ip.faults[k] = ip.encode(l.values[ip.number[x]], ip.real[from*row:to*row])
	}
	if ip.faults[k] == nil {
		ip.faults[k] = l.run()
	}
	for _, y := range ip.joint {
		if v := l.values[ip.number[y.tensor]]; ip.grows[ip.number[y.tensor]] {
			y.store(v, from*(v.n/(to-from)))
		} else if k == 0 {
			y.store(v, 0)
		}
	}
}

// rowsOf checks inputs and returns how many rows they hold.
func (ip *Interpreter) rowsOf(inputs []any) (int, error) {
	if len(inputs) != len(ip.graph.Inputs) {
		return 0, fmt.Errorf("interp: %d inputs, want %d", len(inputs), len(ip.graph.Inputs))
	}
	rows := 0
	for i, x := range ip.graph.Inputs {
		typ, n, ok := typeOf(inputs[i])
		if !ok || typ != x.Type {
			return 0, fmt.Errorf("interp: input %q: data is %v, want []%v", x.Name, reflect.TypeOf(inputs[i]), x.Type)
		}
		if rows == 0 {
			rows = n / x.Elements()
		}
		if n == 0 || n != rows*x.Elements() || rows > ip.options.Batch {
			return 0, fmt.Errorf("interp: input %q: %d elements, want %d, the shape %v, for each of 1 to %d rows, as many for all inputs",
				x.Name, n, x.Elements(), x.Shape[1:], ip.options.Batch)
		}
		if f, ok := inputs[i].([]float32); ok && ip.coded {
			if err := checkFinite(x, 0, f); err != nil {
				return 0, fmt.Errorf("interp: input: %w", err)
			}
		}
	}
	return rows, nil
}

// output returns the i-th output of the last run.
func (ip *Interpreter) output(i int) *value {
	if ip.joint == nil {
		return ip.memory[0].values[ip.number[ip.graph.Outputs[i]]]
	}
	y := ip.joint[i]
	if tensor := ip.number[y.tensor]; ip.grows[tensor] && ip.done > 0 {
		y.n = ip.done * graph.Elements(ip.units[tensor])
	}
	return y
}

// Output returns the i-th output of the last run, the slice of its type; nil if
// the graph has fewer outputs. It is overwritten by the next run.
func (ip *Interpreter) Output(i int) any {
	if i < 0 || i >= len(ip.graph.Outputs) {
		return nil
	}
	return ip.output(i).elements()
}

// Element is a type that elements of tensors have.
type Element interface {
	float32 | uint16 | int8 | uint8 | int16 | int32 | int64
}

// Output returns the i-th output of the last run of an interpreter, which is
// overwritten by the next one.
//
// Errors: an output that the graph has not, or that has another type, by name.
func Output[T Element](ip *Interpreter, i int) ([]T, error) {
	if i < 0 || i >= len(ip.graph.Outputs) {
		return nil, fmt.Errorf("interp: there is no output %d: the graph has %d", i, len(ip.graph.Outputs))
	}
	v := ip.output(i)
	if _, ok := v.data.([]T); !ok {
		return nil, fmt.Errorf("interp: output %q: data is []%v, want %T", v.tensor.Name, v.tensor.Type, []T(nil))
	}
	return elements[T](v), nil
}

// Tensor returns the elements of any tensor after a run, to be read before the
// next one. It is nil for a tensor of another graph and, without
// Options.KeepAll, for one whose memory may have been used again.
func (ip *Interpreter) Tensor(t *graph.Tensor) any {
	i, ok := ip.number[t]
	if !ok || i < 0 {
		return nil
	}
	for k, y := range ip.graph.Outputs {
		if y == t {
			return ip.Output(k)
		}
	}
	v := ip.memory[0].values[i]
	if s := ip.spans[i]; v.data == nil || s != nil && (s.last < len(ip.steps) || ip.lanes > 1) {
		return nil
	}
	return v.elements()
}

// ArenaBytes returns the memory of all activations at the largest batch.
func (ip *Interpreter) ArenaBytes() int { return ip.lanes * ip.arena }
