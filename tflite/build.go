package tflite

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
)

// builder makes a graph of a file. It collects faults and carries on.
type builder struct {
	f       *file
	tensors []*graph.Tensor // by index; nil until used and after a fault
	seen    []bool
	names   names
	data    map[dataKey]any
	decoded int // bytes of constants
	faults  []error
}

// dataKey finds constants that are already decoded: tensors may share them.
type dataKey struct {
	buffer
	typ graph.Type
}

func (b *builder) fault(format string, a ...any) {
	b.faults = append(b.faults, fmt.Errorf("tflite: "+format, a...))
}

// graph turns a file into a graph. Node i is operator i.
func (f *file) graph() (*graph.Graph, error) {
	if f.subgraphs != 1 {
		return nil, fmt.Errorf("tflite: the model has %d subgraphs; only one is supported", f.subgraphs)
	}
	b := &builder{
		f: f, tensors: make([]*graph.Tensor, len(f.tensors)), seen: make([]bool, len(f.tensors)),
		names: names{}, data: map[dataKey]any{},
	}
	g := &graph.Graph{Name: f.name, Inputs: b.ends("model input", f.inputs)}
	for i := range f.operators {
		if n := b.node(i); n != nil {
			g.Nodes = append(g.Nodes, n)
		}
	}
	g.Outputs = b.ends("model output", f.outputs)
	if len(b.faults) > 0 {
		return nil, errors.Join(b.faults...)
	}
	if err := g.Check(); err != nil {
		return nil, fmt.Errorf("tflite: %w", err)
	}
	return g, nil
}

// ends returns the inputs or outputs of the model.
func (b *builder) ends(owner string, indices []int) []*graph.Tensor {
	list, _ := b.list(owner, indices)
	for i, index := range indices {
		if index == -1 {
			b.fault("%s %d: no tensor", owner, i)
		}
	}
	return list
}

// list returns the tensors of the given indices, nil for -1; ok is false if any
// has a fault.
func (b *builder) list(owner string, indices []int) (list []*graph.Tensor, ok bool) {
	ok = true
	for i, index := range indices {
		var t *graph.Tensor
		switch {
		case index < -1 || index >= len(b.tensors):
			b.fault("%s: entry %d names tensor %d, there are %d", owner, i, index, len(b.tensors))
			ok = false
		case index >= 0:
			t = b.tensor(index)
			ok = ok && t != nil
		}
		list = append(list, t)
	}
	return list, ok
}

// node returns the node of operator i, nil after a fault.
func (b *builder) node(i int) *graph.Node {
	o := &b.f.operators[i]
	if o.code < 0 || o.code >= len(b.f.codes) {
		b.fault("operator %d (byte %d): names operator code %d, there are %d", i, o.at, o.code, len(b.f.codes))
		return nil
	}
	name := b.f.codes[o.code].operatorName()
	where := fmt.Sprintf("operator %d, %s (byte %d)", i, name, o.at)
	row := byName(name)
	if row == nil {
		b.fault("%s: this operator is not supported", where)
		return nil
	}
	inputs, ok := b.list(where+": inputs", o.inputs)
	outputs, outputsOK := b.list(where+": outputs", o.outputs)
	if !ok || !outputsOK {
		return nil
	}
	if len(outputs) != 1 || outputs[0] == nil || outputs[0].Role != graph.Activation {
		b.fault("%s: want one output, which holds no data", where)
		return nil
	}
	n := &graph.Node{Name: outputs[0].Name, Inputs: inputs, Output: outputs[0]}
	if err := decodeOptions(n, row, o); err != nil {
		b.fault("%s: %w", where, err)
		return nil
	}
	return n
}

// decodeOptions reads the options of an operator into its node.
func decodeOptions(n *graph.Node, row *operator, o *fileOperator) error {
	var op graph.Op
	var inputs []*graph.Tensor
	var err error
	damaged := guard(func() {
		op, inputs, err = row.read(source{inputs: n.Inputs, kind: o.kind, table: o.options})
	})
	if err = errors.Join(damaged, err); err != nil {
		return err
	}
	n.Op = op
	if _, err := row.versionOf(n); err != nil {
		return err
	}
	n.Inputs = inputs
	return nil
}

// tensor returns tensor i, nil after a fault.
func (b *builder) tensor(i int) *graph.Tensor {
	if b.seen[i] {
		return b.tensors[i]
	}
	b.seen[i] = true
	f := &b.f.tensors[i]
	if f.name == "" {
		f.name = fmt.Sprintf("tensor_%d", i)
	}
	t := &graph.Tensor{Name: b.names.unique(f.name), Shape: f.shape}
	if err := b.fill(t, f); err != nil {
		b.fault("tensor %d, %q (byte %d): %w", i, f.name, f.at, err)
		return nil
	}
	b.tensors[i] = t
	return t
}

// fill gives a tensor its type, quantization and data.
func (b *builder) fill(t *graph.Tensor, f *tensor) error {
	if f.unsupported != "" {
		return fmt.Errorf("%s is not supported", f.unsupported)
	}
	elements, err := checkShape(f)
	if err != nil {
		return err
	}
	if t.Type, err = typeOf(f.typ); err != nil {
		return err
	}
	if t.Quant, err = params(f); err != nil {
		return err
	}
	if f.buffer < 0 || f.buffer >= len(b.f.buffers) {
		return fmt.Errorf("names buffer %d, there are %d", f.buffer, len(b.f.buffers))
	}
	at := b.f.buffers[f.buffer]
	if at.size == 0 {
		t.Role = graph.Activation
		return nil
	}
	t.Role = graph.Constant
	if want := elements * t.Type.Size(); at.size != want {
		return fmt.Errorf("buffer %d (byte %d) holds %d bytes, %v%v needs %d", f.buffer, at.at, at.size, t.Type, f.shape, want)
	}
	key := dataKey{at, t.Type}
	if t.Data = b.data[key]; t.Data != nil {
		return nil
	}
	if b.decoded += at.size; b.decoded > len(b.f.data) {
		return fmt.Errorf("buffer %d (byte %d) overlaps others", f.buffer, at.at)
	}
	t.Data = decodeData(b.f.bytes(f), t.Type)
	b.data[key] = t.Data
	return nil
}

// checkShape returns the number of elements of a tensor of known size. Only the
// batch, the first axis, may be unknown: the file's shape says 1 for it.
func checkShape(f *tensor) (elements int, err error) {
	if len(f.shape) > maxRank {
		return 0, fmt.Errorf("shape has %d axes, at most %d are supported", len(f.shape), maxRank)
	}
	if len(f.signature) > 0 && len(f.signature) != len(f.shape) {
		return 0, fmt.Errorf("shape %v and shape signature %v differ in length", f.shape, f.signature)
	}
	for i, d := range f.signature {
		if d != f.shape[i] && (i > 0 || d != -1) {
			return 0, fmt.Errorf("shape signature %v: sizes known only at run time are not supported, except the batch", f.signature)
		}
	}
	elements = 1
	for _, d := range f.shape {
		if d <= 0 {
			return 0, fmt.Errorf("shape %v: sizes must be positive", f.shape)
		}
		if elements > maxSize/d {
			return 0, fmt.Errorf("shape %v has more than %d elements", f.shape, maxSize)
		}
		elements *= d
	}
	return elements, nil
}

// params returns the quantization parameters of a tensor, nil for none. A
// single zero point stands for all channels.
func params(f *tensor) (*quant.Params, error) {
	if len(f.scale) == 0 {
		return nil, nil
	}
	if len(f.zero) != 1 && len(f.zero) != len(f.scale) {
		return nil, fmt.Errorf("%d scales and %d zero points", len(f.scale), len(f.zero))
	}
	p := &quant.Params{Scale: slices.Clone(f.scale), ZeroPoint: make([]int32, len(f.scale))}
	for i := range p.ZeroPoint {
		z := f.zero[min(i, len(f.zero)-1)]
		if z < math.MinInt32 || z > math.MaxInt32 {
			return nil, fmt.Errorf("zero point %d of channel %d does not fit 32 bits", z, i)
		}
		p.ZeroPoint[i] = int32(z)
	}
	if len(f.scale) > 1 {
		p.Axis = f.axis
	}
	return p, p.Check(f.shape)
}
