package tflite

import (
	"fmt"
	"runtime"
	"strings"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/tflite/internal/schema"
)

// parse follows every offset of a file.
//
// Errors: foreign, damaged and truncated files, with the object and the byte
// offset of its table.
func parse(data []byte) (*file, error) {
	if len(data) < 8 || string(data[4:8]) != identifier {
		return nil, fmt.Errorf("tflite: not a TensorFlow Lite file: bytes 4 to 7 are not %q", identifier)
	}
	if len(data) > maxSize {
		return nil, fmt.Errorf("tflite: %d bytes; a file has at most %d", len(data), maxSize)
	}
	p := newParser(&file{data: data})
	if err := guard(p.model); err != nil {
		p.fail(err)
	}
	if p.err != nil {
		return nil, p.err
	}
	return p.f, nil
}

// guard runs read, which follows offsets of a file, and turns its panics into
// errors: the accessors of FlatBuffers index the file without looking. This is
// the only place that recovers, and read does nothing but decode.
func guard(read func()) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case runtime.Error:
			reason := strings.TrimPrefix(r.Error(), "runtime error: ")
			err = fmt.Errorf("damaged or truncated file: an offset leads outside (%s)", reason)
		default:
			panic(r) // programmer error: decoding panics with nothing else
		}
	}()
	read()
	return nil
}

// expansion is how many times its size a file may take up when decoded. Real
// files stay below 4; objects that many others point to make it more.
const expansion = 16

// parser decodes a file.
type parser struct {
	f      *file
	where  string // what is being read
	in     string // the subgraph it is in, unless that is the main one
	at     int    // byte offset of its table
	budget int    // bytes that may still be allocated
	err    error  // the first fault; what is decoded after it does not count
}

func newParser(f *file) *parser {
	return &parser{f: f, where: "model", budget: expansion*len(f.data) + 1<<16}
}

// enter notes what is being read, for errors.
func (p *parser) enter(t flatbuffers.Table, format string, a ...any) {
	p.where, p.at = fmt.Sprintf(format, a...), int(t.Pos)
}

// fail notes the first fault.
func (p *parser) fail(err error) {
	if p.err == nil {
		p.err = fmt.Errorf("tflite: %s (byte %d): %w", p.where, p.at, err)
	}
}

// take charges n objects of the given size before they are allocated, and
// returns n, or 0 after a fault.
func (p *parser) take(n, size int) int {
	if n < 0 || n > len(p.f.data)/4+1 && size > 1 || n > p.budget/size {
		p.fail(fmt.Errorf("damaged file: a list of %d entries is longer than the file", n))
	}
	if p.err != nil {
		return 0
	}
	p.budget -= n * size
	return n
}

func (p *parser) model() {
	m := schema.GetRootAsModel(p.f.data, 0)
	p.enter(m.Table(), "model")
	if v := m.Version(); v != fileVersion {
		p.fail(fmt.Errorf("schema version %d, want %d", v, fileVersion))
	}
	p.f.description = p.text(m.Description())
	n := p.take(m.OperatorCodesLength(), 48)
	p.f.codes = make([]opCode, 0, n)
	for i := range n {
		var c schema.OperatorCode
		m.OperatorCodes(&c, i)
		p.enter(c.Table(), "operator code %d", i)
		// Old files have only the first field, new codes only the second.
		number := max(int(c.DeprecatedBuiltinCode()), int(c.BuiltinCode()))
		p.f.codes = append(p.f.codes, opCode{number, p.text(c.CustomCode()), int(c.Version())})
	}
	n = p.take(m.BuffersLength(), 16)
	p.f.buffers = make([]buffer, 0, n)
	for i := range n {
		var b schema.Buffer
		m.Buffers(&b, i)
		p.enter(b.Table(), "buffer %d", i)
		p.f.buffers = append(p.f.buffers, p.buffer(&b))
	}
	for i := range p.take(m.SubgraphsLength(), 128) {
		var g schema.SubGraph
		m.Subgraphs(&g, i)
		p.enter(g.Table(), "subgraph %d", i)
		p.in = ""
		if i > 0 {
			p.in = fmt.Sprintf("subgraph %d, ", i)
		}
		p.f.subgraphs = append(p.f.subgraphs, p.subgraph(&g))
	}
	p.extras(m)
}

func (p *parser) buffer(b *schema.Buffer) buffer {
	r := span(b.Table(), 0, 1)
	// Offsets 0 and 1 stand for data inside the FlatBuffer or none.
	if offset := b.Offset(); r.size == 0 && offset > 1 {
		return p.outside(offset, b.Size())
	}
	return r
}

// outside returns data that lies outside the FlatBuffer.
func (p *parser) outside(offset, size uint64) buffer {
	if all := uint64(len(p.f.data)); offset > all || size > all-offset {
		p.fail(fmt.Errorf("data of %d bytes at byte %d is outside the file", size, offset))
		return buffer{}
	}
	return buffer{int(offset), int(size)}
}

// span returns the bytes of a vector, given its field and element size.
func span(t flatbuffers.Table, field, element int) buffer {
	slot := t.Offset(flatbuffers.VOffsetT(4 + 2*field))
	if slot == 0 {
		return buffer{}
	}
	r := buffer{int(t.Vector(flatbuffers.UOffsetT(slot))), element * t.VectorLen(flatbuffers.UOffsetT(slot))}
	_ = t.Bytes[r.at : r.at+r.size] // guard's to catch
	return r
}

func (p *parser) subgraph(g *schema.SubGraph) subgraph {
	s := subgraph{name: p.text(g.Name())}
	s.inputs = p.ints(g.InputsLength(), g.Inputs)
	s.outputs = p.ints(g.OutputsLength(), g.Outputs)
	n := p.take(g.TensorsLength(), 256)
	s.tensors = make([]tensor, 0, n)
	for i := range n {
		var t schema.Tensor
		g.Tensors(&t, i)
		p.enter(t.Table(), "%stensor %d", p.in, i)
		s.tensors = append(s.tensors, p.tensor(&t))
	}
	n = p.take(g.OperatorsLength(), 192)
	s.operators = make([]fileOperator, 0, n)
	for i := range n {
		var o schema.Operator
		g.Operators(&o, i)
		p.enter(o.Table(), "%soperator %d", p.in, i)
		s.operators = append(s.operators, p.operator(&o))
	}
	return s
}

func (p *parser) operator(o *schema.Operator) fileOperator {
	op := fileOperator{at: p.at, code: int(o.OpcodeIndex()), kind: o.BuiltinOptionsType()}
	op.inputs = p.ints(o.InputsLength(), o.Inputs)
	op.outputs = p.ints(o.OutputsLength(), o.Outputs)
	if !o.BuiltinOptions(&op.options) {
		op.kind = schema.BuiltinOptionsNONE
	}
	op.stable = int(o.BuiltinOptions2Type())
	op.custom = span(o.Table(), 5, 1)
	if offset := o.LargeCustomOptionsOffset(); op.custom.size == 0 && offset > 1 {
		op.custom = p.outside(offset, o.LargeCustomOptionsSize())
	}
	op.intermediates = o.IntermediatesLength()
	for i := range p.take(o.MutatingVariableInputsLength(), 1) {
		op.mutated = op.mutated || o.MutatingVariableInputs(i)
	}
	return op
}

func (p *parser) tensor(t *schema.Tensor) tensor {
	r := tensor{at: p.at, name: p.text(t.Name()), typ: t.Type(), buffer: int(t.Buffer())}
	r.shape = p.ints(t.ShapeLength(), t.Shape)
	r.signature = p.ints(t.ShapeSignatureLength(), t.ShapeSignature)
	switch {
	case t.Sparsity(nil) != nil:
		r.unsupported = "sparse storage"
	case t.IsVariable():
		r.unsupported = "state kept between runs"
	case t.ExternalBuffer() != 0:
		r.unsupported = "data in another file"
	}
	q := t.Quantization(nil)
	if q == nil {
		return r
	}
	if q.DetailsType() != schema.QuantizationDetailsNONE {
		r.unsupported = "quantization other than scale and zero point"
	}
	for i := range p.take(q.ScaleLength(), 4) {
		r.scale = append(r.scale, q.Scale(i))
	}
	for i := range p.take(q.ZeroPointLength(), 8) {
		r.zero = append(r.zero, q.ZeroPoint(i))
	}
	r.axis = int(q.QuantizedDimension())
	for field, element := range []int{4, 4, 4, 8} { // min, max, scale, zero_point
		r.quantBytes = append(r.quantBytes, span(q.Table(), field, element))
	}
	return r
}

// extras reads metadata and signatures.
func (p *parser) extras(m *schema.Model) {
	for i := range p.take(m.MetadataLength(), 32) {
		var d schema.Metadata
		m.Metadata(&d, i)
		p.enter(d.Table(), "metadata %d", i)
		p.f.metadata = append(p.f.metadata, metadata{p.text(d.Name()), int(d.Buffer())})
	}
	for i := range p.take(m.SignatureDefsLength(), 96) {
		var s schema.SignatureDef
		m.SignatureDefs(&s, i)
		p.enter(s.Table(), "signature %d", i)
		sig := signature{key: p.text(s.SignatureKey()), subgraph: int(s.SubgraphIndex())}
		sig.inputs = p.entries(s.InputsLength(), s.Inputs)
		sig.outputs = p.entries(s.OutputsLength(), s.Outputs)
		p.f.signatures = append(p.f.signatures, sig)
	}
}

// entries copies the names that a signature gives to tensors.
func (p *parser) entries(n int, at func(*schema.TensorMap, int) bool) []entry {
	var list []entry
	var t schema.TensorMap
	for i := range p.take(n, 24) {
		at(&t, i)
		list = append(list, entry{p.text(t.Name()), int(t.TensorIndex())})
	}
	return list
}

// text copies a string: the accessor returns the file's own bytes.
func (p *parser) text(b []byte) string {
	return string(b[:p.take(len(b), 1)])
}

// ints copies a vector of int32.
func (p *parser) ints(n int, at func(int) int32) []int {
	list := make([]int, p.take(n, 8))
	for i := range list {
		list[i] = int(at(i))
	}
	return list
}
