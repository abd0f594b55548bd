package interp

import (
	"unsafe"

	"github.com/goqat/goqat/graph"
)

// A lane is the memory in which rows run through a program: an arena, and a value
// for each tensor.
type lane struct {
	*program
	values []*value
	in     [][]*value // by step
	// from and to are the rows of a batch that the values are bound to.
	from, to int
}

// newLane returns a lane of a prepared program.
func newLane(p *program) (*lane, error) {
	shapes, err := p.shapes(p.rows)
	if err != nil {
		return nil, err
	}
	l := &lane{program: p, values: make([]*value, len(p.tensors)), in: make([][]*value, len(p.steps)), to: p.rows}
	arena, own := newArena(p.arena), make([]value, len(p.tensors))
	for i, t := range p.tensors {
		l.values[i] = p.fixed[i]
		if l.values[i] != nil {
			continue
		}
		l.values[i] = &own[i]
		own[i] = value{tensor: t, shape: shapes[i], n: graph.Elements(shapes[i])}
		if s := p.spans[i]; s != nil {
			own[i].data = view(t.Type, arena[s.offset:], own[i].n)
		}
	}
	for i, s := range p.steps {
		l.in[i] = make([]*value, len(s.in))
		for k, x := range s.in {
			if x >= 0 {
				l.in[i][k] = l.values[x]
			}
		}
	}
	return l, nil
}

// newArena returns so many bytes that begin with a line.
func newArena(size int) []byte {
	b := make([]byte, size+line-1)
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) & (line - 1)
	return b[skip:][:size]
}

// view returns n elements of a type at the start of memory.
func view(t graph.Type, memory []byte, n int) any {
	at := unsafe.Pointer(&memory[:n*t.Size()][0])
	switch t {
	case graph.Float32:
		return unsafe.Slice((*float32)(at), n)
	case graph.Float16:
		return unsafe.Slice((*uint16)(at), n)
	case graph.Int8:
		return unsafe.Slice((*int8)(at), n)
	case graph.UInt8:
		return unsafe.Slice((*uint8)(at), n)
	case graph.Int16:
		return unsafe.Slice((*int16)(at), n)
	case graph.Int32:
		return unsafe.Slice((*int32)(at), n)
	}
	return unsafe.Slice((*int64)(at), n)
}

// bind gives every value its shape and size for rows [from, to) of a batch.
func (l *lane) bind(from, to int) error {
	if l.from == from && l.to == to {
		return nil
	}
	l.from, l.to = from, to
	if l.separable {
		rows := to - from
		for i, v := range l.values {
			if l.grows[i] {
				v.n = v.n / v.shape[0] * rows * l.units[i][0]
				v.shape[0], v.first = rows*l.units[i][0], from
			}
		}
		return nil
	}
	shapes, err := l.shapes(to - from)
	if err != nil {
		l.to = from // bound to nothing
		return err
	}
	for i, v := range l.values {
		if l.grows[i] {
			v.shape, v.n = shapes[i], graph.Elements(shapes[i])
		}
	}
	return nil
}

// run computes what the inputs give, which are in place.
func (l *lane) run() error {
	for _, i := range l.changing {
		v := l.values[i]
		v.data = v.tensor.Data
		_, v.n, _ = typeOf(v.data)
	}
	if l.options.Tap == nil {
		return l.compute(0, len(l.steps))
	}
	for _, x := range l.graph.Inputs {
		l.tap(l.number[x])
	}
	for i := range l.steps {
		if err := l.compute(i, i+1); err != nil {
			return err
		}
		l.tap(l.steps[i].out)
	}
	return nil
}

// compute runs steps [from, to).
func (l *lane) compute(from, to int) (err error) {
	var node *graph.Node
	defer func() { err = fault(node, recover(), err) }()
	for i := from; i < to; i++ {
		s := &l.steps[i]
		if s.once || s.idle {
			continue
		}
		node = s.node
		if err := s.run(l.in[i], l.values[s.out]); err != nil {
			return err
		}
	}
	return nil
}

// tap shows a value to the caller's function.
func (l *lane) tap(tensor int) {
	v := l.values[tensor]
	l.options.Tap(v.tensor, v.shape, v.elements())
}
