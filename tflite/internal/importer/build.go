package importer

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite/internal/format"
	"github.com/goqat/goqat/tflite/internal/operators"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// builder makes a graph of one subgraph of a file. It collects faults and carries
// on.
type builder struct {
	f       *format.File
	s       *format.Subgraph
	p       *format.Parser // decodes options
	g       *graph.Graph
	origins []int           // for each node, its operator in the file
	tensors []*graph.Tensor // by index; nil until used and after a fault
	seen    []bool
	uses    []int                  // of tensors; see readers
	loose   map[*graph.Tensor]bool // outputs whose sizes the file does not know
	names   operators.Names
	// exchanged has the tensors with time in front of the batch, and where they
	// come from.
	exchanged map[*graph.Tensor]*graph.Tensor
	perms     map[*graph.Tensor]*graph.Tensor // by which permutations, if the file has them
	computed  map[*graph.Tensor]bool          // those that are nodes nevertheless
	*constants
	keep   bool   // understand no operator
	in     string // says in errors which subgraph it is, unless it is the main one
	faults []error
}

// constants are those that are already decoded, of all subgraphs.
type constants struct {
	data    map[dataKey]any
	decoded int // bytes
}

// dataKey finds constants that are already decoded: tensors may share them.
type dataKey struct {
	format.Buffer
	typ      schema.TensorType
	elements int // an odd number of int4 fills as many bytes as the next even one
}

func (b *builder) fault(format string, a ...any) {
	b.faults = append(b.faults, fmt.Errorf("tflite: "+b.in+format, a...))
}

// Graph turns a file into a graph, whose Subgraphs are the other networks of the
// file. Node i of the main network comes from operator origins[i].
func Graph(f *format.File) (g *graph.Graph, origins []int, err error) {
	if len(f.Subgraphs) == 0 {
		return nil, nil, errors.New("tflite: the model has 0 subgraphs")
	}
	c := &constants{data: map[dataKey]any{}}
	p := format.NewParser(f)
	b := newBuilder(f, 0, p, c)
	b.network()
	faults := b.faults
	for i := range f.Subgraphs[1:] {
		other := newBuilder(f, i+1, p, c)
		other.network()
		faults = append(faults, other.faults...)
		b.g.Subgraphs = append(b.g.Subgraphs, other.g)
	}
	if len(faults) > 0 {
		return nil, nil, errors.Join(faults...)
	}
	for _, x := range b.g.Inputs {
		if len(x.Shape) > 0 && x.Shape[0] > 1 {
			return nil, nil, fmt.Errorf("tflite: input %q has shape %v, want a batch axis of 1: convert the model for one row, or for any number of rows", x.Name, x.Shape)
		}
	}
	if err := b.g.Check(); err != nil {
		return nil, nil, fmt.Errorf("tflite: %w", err)
	}
	return b.g, b.origins, nil
}

// newBuilder returns the builder of one network of a file, of which those behind
// the first are kept as they are.
func newBuilder(f *format.File, i int, p *format.Parser, c *constants) *builder {
	s := &f.Subgraphs[i]
	b := &builder{
		f: f, s: s, p: p, g: &graph.Graph{Name: s.Name}, constants: c, keep: i > 0,
		tensors: make([]*graph.Tensor, len(s.Tensors)), seen: make([]bool, len(s.Tensors)),
		loose: map[*graph.Tensor]bool{}, names: operators.Names{}, exchanged: map[*graph.Tensor]*graph.Tensor{}, computed: map[*graph.Tensor]bool{}, perms: map[*graph.Tensor]*graph.Tensor{},
	}
	if b.keep {
		b.in = fmt.Sprintf("subgraph %d, ", i)
	}
	if len(f.Subgraphs) > 1 {
		for _, signature := range f.Signatures {
			if signature.Subgraph == i {
				b.g.Signature = signature.Key
			}
		}
	}
	return b
}

// network adds everything.
func (b *builder) network() {
	b.g.Inputs = b.ends("model input", b.s.Inputs)
	for _, x := range b.g.Inputs {
		if x != nil && x.Kept != nil && x.Kept.State && x.Data == nil {
			x.Role = graph.Activation // given from outside nevertheless
		}
	}
	for i := 0; i < len(b.s.Operators); {
		i += b.operator(i)
	}
	b.g.Outputs = b.ends("model output", b.s.Outputs)
	b.prune()
}

// prune removes nodes that make some of several outputs of an operator, where
// nothing reads what they make.
func (b *builder) prune() {
	read := map[*graph.Tensor]bool{}
	for _, y := range b.g.Outputs {
		read[y] = true
	}
	for i := len(b.g.Nodes) - 1; i >= 0; i-- {
		n := b.g.Nodes[i]
		if !read[n.Output] && n.Op.Class() != graph.Opaque && len(b.s.Operators[b.origins[i]].Outputs) > 1 {
			b.g.Nodes[i] = nil
			continue
		}
		for _, x := range n.Inputs {
			read[x] = true
		}
	}
	kept := 0
	for i, n := range b.g.Nodes {
		if n != nil {
			b.g.Nodes[kept], b.origins[kept] = n, b.origins[i]
			kept++
		}
	}
	b.g.Nodes, b.origins = b.g.Nodes[:kept], b.origins[:kept]
}

// ends returns the inputs or outputs of the model.
func (b *builder) ends(owner string, indices []int) []*graph.Tensor {
	list, _ := b.list(owner, indices)
	for i, index := range indices {
		if index == -1 {
			b.fault("%s %d: no tensor", owner, i)
		} else if t := list[i]; b.exchanged[t] != nil {
			b.compute(t, len(b.s.Operators)-1)
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
			t = b.tensor(index, false)
			ok = ok && t != nil
		}
		list = append(list, t)
	}
	return list, ok
}

// tensor returns tensor i, nil after a fault. An output of an operator may be of
// sizes that the file does not know.
func (b *builder) tensor(i int, output bool) *graph.Tensor {
	if b.seen[i] {
		return b.tensors[i]
	}
	b.seen[i] = true
	f := &b.s.Tensors[i]
	if f.Name == "" {
		f.Name = fmt.Sprintf("tensor_%d", i)
	}
	t := &graph.Tensor{Name: b.names.Unique(f.Name), Shape: f.Shape}
	err := b.fill(t, f)
	if err == nil && f.UnknownSize() {
		if b.loose[t] = true; !output {
			unknown(t, f)
		}
	}
	if err != nil {
		b.fault("tensor %d, %q (byte %d): %w", i, f.Name, f.At, err)
		return nil
	}
	b.tensors[i] = t
	return t
}

// fill gives a tensor its type, quantization and data.
func (b *builder) fill(t *graph.Tensor, f *format.Tensor) error {
	elements, err := checkShape(f)
	if err != nil {
		return err
	}
	if f.Buffer < 0 || f.Buffer >= len(b.f.Buffers) {
		return fmt.Errorf("names buffer %d, there are %d", f.Buffer, len(b.f.Buffers))
	}
	at := b.f.Buffers[f.Buffer]
	if at.Size > 0 || f.State || f.Elsewhere {
		t.Role = graph.Constant
	}
	if t.Type, t.Int4, err = numberType(f, at.Size > 0); err != nil {
		return err
	}
	k := graph.Kept{State: f.State, Unwritable: f.Unsupported}
	if t.Type == graph.Other {
		k.Type = f.Type.String()
	}
	if k.State || k.Type != "" || k.Unwritable != "" {
		t.Kept = &k
	}
	if k.Unwritable != "" {
		return nil
	}
	if t.Quant, err = params(f); err != nil || at.Size == 0 {
		return err
	}
	data, err := b.constant(t, f, at, elements)
	if bytes, other := data.([]byte); other && t.Type == graph.Other {
		k.Bytes = bytes
	} else {
		t.Data = data
	}
	return err
}

// numberType returns the number type of a tensor that may be a constant: graph.Other
// for those that graphs do not have.
func numberType(f *format.Tensor, constant bool) (t graph.Type, int4 bool, err error) {
	if t, err = format.TypeOf(f.Type); err == nil {
		return t, false, nil
	}
	if f.Type == schema.TensorTypeINT4 && constant && f.Unsupported == "" {
		return graph.Int8, true, nil
	}
	if _, known := schema.EnumNamesTensorType[f.Type]; known {
		err = nil
	}
	return graph.Other, false, err
}

// constant returns the data of a tensor, bytes for a type that graphs do not have.
func (b *builder) constant(t *graph.Tensor, f *format.Tensor, at format.Buffer, elements int) (any, error) {
	want := elements * t.Type.Size()
	switch {
	case t.Int4:
		want = (elements + 1) / 2
	case t.Type == graph.Other:
		want = at.Size
	}
	if at.Size != want {
		return nil, fmt.Errorf("buffer %d (byte %d) holds %d bytes, %v%v needs %d", f.Buffer, at.At, at.Size, f.Type, f.Shape, want)
	}
	key := dataKey{at, f.Type, elements}
	if data := b.data[key]; data != nil {
		return data, nil
	}
	if b.decoded += at.Size; b.decoded > len(b.f.Data) {
		return nil, fmt.Errorf("buffer %d (byte %d) overlaps others", f.Buffer, at.At)
	}
	switch {
	case t.Int4:
		b.data[key] = format.UnpackInt4(b.f.Bytes(f), elements)
	case t.Type == graph.Other:
		b.data[key] = slices.Clone(b.f.Bytes(f))
	default:
		b.data[key] = format.DecodeData(b.f.Bytes(f), t.Type)
	}
	return b.data[key], nil
}

// unknown notes of a tensor that some of its sizes are known only at run time.
func unknown(t *graph.Tensor, f *format.Tensor) {
	k := graph.Kept{}
	if t.Kept != nil {
		k = *t.Kept
	}
	k.Signature = f.Signature
	t.Kept = &k
}

// checkShape returns the number of elements of a tensor. The shape says 1 for
// sizes that are not known.
func checkShape(f *format.Tensor) (elements int, err error) {
	if len(f.Shape) > format.MaxRank {
		return 0, fmt.Errorf("shape has %d axes, at most %d are supported", len(f.Shape), format.MaxRank)
	}
	if len(f.Signature) > 0 && len(f.Signature) != len(f.Shape) {
		return 0, fmt.Errorf("shape %v and shape signature %v differ in length", f.Shape, f.Signature)
	}
	for i, d := range f.Signature {
		if d != f.Shape[i] && d != -1 {
			return 0, fmt.Errorf("shape %v and shape signature %v do not agree", f.Shape, f.Signature)
		}
	}
	elements = 1
	for _, d := range f.Shape {
		if d <= 0 {
			return 0, fmt.Errorf("shape %v: sizes must be positive", f.Shape)
		}
		if elements > format.MaxSize/d {
			return 0, fmt.Errorf("shape %v has more than %d elements", f.Shape, format.MaxSize)
		}
		elements *= d
	}
	return elements, nil
}

// params returns the quantization parameters of a tensor, nil for none. A
// single zero point stands for all channels.
func params(f *format.Tensor) (*quant.Params, error) {
	if len(f.Scale) == 0 {
		return nil, nil
	}
	if len(f.Zero) != 1 && len(f.Zero) != len(f.Scale) {
		return nil, fmt.Errorf("%d scales and %d zero points", len(f.Scale), len(f.Zero))
	}
	p := &quant.Params{Scale: slices.Clone(f.Scale), ZeroPoint: make([]int32, len(f.Scale))}
	for i := range p.ZeroPoint {
		z := f.Zero[min(i, len(f.Zero)-1)]
		if z < math.MinInt32 || z > math.MaxInt32 {
			return nil, fmt.Errorf("zero point %d of channel %d does not fit 32 bits", z, i)
		}
		p.ZeroPoint[i] = int32(z)
	}
	if len(f.Scale) > 1 {
		p.Axis = f.Axis
	}
	return p, p.Check(f.Shape)
}
