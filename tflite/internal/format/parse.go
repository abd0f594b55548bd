package format

import (
	"fmt"
	"runtime"
	"strings"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/tflite/internal/schema"
)

// Parse follows every offset of a file.
//
// Errors: foreign, damaged and truncated files, with the object and the byte
// offset of its table.
func Parse(data []byte) (*File, error) {
	if len(data) < 8 || string(data[4:8]) != Identifier {
		return nil, fmt.Errorf("tflite: not a TensorFlow Lite file: bytes 4 to 7 are not %q", Identifier)
	}
	if len(data) > MaxSize {
		return nil, fmt.Errorf("tflite: %d bytes; a file has at most %d", len(data), MaxSize)
	}
	p := NewParser(&File{Data: data})
	if err := Guard(p.model); err != nil {
		p.fail(err)
	}
	if p.Err != nil {
		return nil, p.Err
	}
	return p.f, nil
}

// Guard runs read, which follows offsets of a file, and turns its panics into
// errors: the accessors of FlatBuffers index the file without looking. This is
// the only place that recovers, and read does nothing but decode.
func Guard(read func()) (err error) {
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

// Parser decodes a file.
type Parser struct {
	f      *File
	where  string // what is being read
	in     string // the subgraph it is in, unless that is the main one
	at     int    // byte offset of its table
	budget int    // bytes that may still be allocated
	Err    error  // the first fault; what is decoded after it does not count
}

// NewParser returns a parser of what f does not decode at once: the options of
// operators. It may allocate in proportion to the file.
func NewParser(f *File) *Parser {
	return &Parser{f: f, where: "model", budget: expansion*len(f.Data) + 1<<16}
}

// enter notes what is being read, for errors.
func (p *Parser) enter(t flatbuffers.Table, format string, a ...any) {
	p.where, p.at = fmt.Sprintf(format, a...), int(t.Pos)
}

// fail notes the first fault.
func (p *Parser) fail(err error) {
	if p.Err == nil {
		p.Err = fmt.Errorf("tflite: %s (byte %d): %w", p.where, p.at, err)
	}
}

// Take charges n objects of the given size before they are allocated, and
// returns n, or 0 after a fault.
func (p *Parser) Take(n, size int) int {
	if n < 0 || n > len(p.f.Data)/4+1 && size > 1 || n > p.budget/size {
		p.fail(fmt.Errorf("damaged file: a list of %d entries is longer than the file", n))
	}
	if p.Err != nil {
		return 0
	}
	p.budget -= n * size
	return n
}

func (p *Parser) model() {
	m := schema.GetRootAsModel(p.f.Data, 0)
	p.enter(m.Table(), "model")
	if v := m.Version(); v != FileVersion {
		p.fail(fmt.Errorf("schema version %d, want %d", v, FileVersion))
	}
	p.f.Description = p.text(m.Description())
	n := p.Take(m.OperatorCodesLength(), 48)
	p.f.Codes = make([]Code, 0, n)
	for i := range n {
		var c schema.OperatorCode
		m.OperatorCodes(&c, i)
		p.enter(c.Table(), "operator code %d", i)
		// Old files have only the first field, new codes only the second.
		number := max(int(c.DeprecatedBuiltinCode()), int(c.BuiltinCode()))
		p.f.Codes = append(p.f.Codes, Code{number, p.text(c.CustomCode()), int(c.Version())})
	}
	n = p.Take(m.BuffersLength(), 16)
	p.f.Buffers = make([]Buffer, 0, n)
	for i := range n {
		var b schema.Buffer
		m.Buffers(&b, i)
		p.enter(b.Table(), "buffer %d", i)
		p.f.Buffers = append(p.f.Buffers, p.buffer(&b))
	}
	for i := range p.Take(m.SubgraphsLength(), 128) {
		var g schema.SubGraph
		m.Subgraphs(&g, i)
		p.enter(g.Table(), "subgraph %d", i)
		p.in = ""
		if i > 0 {
			p.in = fmt.Sprintf("subgraph %d, ", i)
		}
		p.f.Subgraphs = append(p.f.Subgraphs, p.subgraph(&g))
	}
	p.extras(m)
}

func (p *Parser) buffer(b *schema.Buffer) Buffer {
	r := span(b.Table(), 0, 1)
	// Offsets 0 and 1 stand for data inside the FlatBuffer or none.
	if offset := b.Offset(); r.Size == 0 && offset > 1 {
		return p.outside(offset, b.Size())
	}
	return r
}

// outside returns data that lies outside the FlatBuffer.
func (p *Parser) outside(offset, size uint64) Buffer {
	if all := uint64(len(p.f.Data)); offset > all || size > all-offset {
		p.fail(fmt.Errorf("data of %d bytes at byte %d is outside the file", size, offset))
		return Buffer{}
	}
	return Buffer{int(offset), int(size)}
}

// span returns the bytes of a vector, given its field and element size.
func span(t flatbuffers.Table, field, element int) Buffer {
	slot := t.Offset(flatbuffers.VOffsetT(4 + 2*field))
	if slot == 0 {
		return Buffer{}
	}
	r := Buffer{int(t.Vector(flatbuffers.UOffsetT(slot))), element * t.VectorLen(flatbuffers.UOffsetT(slot))}
	_ = t.Bytes[r.At : r.At+r.Size] // Guard's to catch
	return r
}

func (p *Parser) subgraph(g *schema.SubGraph) Subgraph {
	s := Subgraph{Name: p.text(g.Name())}
	s.Inputs = p.ints(g.InputsLength(), g.Inputs)
	s.Outputs = p.ints(g.OutputsLength(), g.Outputs)
	n := p.Take(g.TensorsLength(), 256)
	s.Tensors = make([]Tensor, 0, n)
	for i := range n {
		var t schema.Tensor
		g.Tensors(&t, i)
		p.enter(t.Table(), "%stensor %d", p.in, i)
		s.Tensors = append(s.Tensors, p.tensor(&t))
	}
	n = p.Take(g.OperatorsLength(), 192)
	s.Operators = make([]Operator, 0, n)
	for i := range n {
		var o schema.Operator
		g.Operators(&o, i)
		p.enter(o.Table(), "%soperator %d", p.in, i)
		s.Operators = append(s.Operators, p.operator(&o))
	}
	return s
}

func (p *Parser) operator(o *schema.Operator) Operator {
	op := Operator{At: p.at, Code: int(o.OpcodeIndex()), Kind: o.BuiltinOptionsType()}
	op.Inputs = p.ints(o.InputsLength(), o.Inputs)
	op.Outputs = p.ints(o.OutputsLength(), o.Outputs)
	if !o.BuiltinOptions(&op.Options) {
		op.Kind = schema.BuiltinOptionsNONE
	}
	op.Stable = int(o.BuiltinOptions2Type())
	op.Custom = span(o.Table(), 5, 1)
	if offset := o.LargeCustomOptionsOffset(); op.Custom.Size == 0 && offset > 1 {
		op.Custom = p.outside(offset, o.LargeCustomOptionsSize())
	}
	op.Intermediates = o.IntermediatesLength()
	for i := range p.Take(o.MutatingVariableInputsLength(), 1) {
		op.Mutates = append(op.Mutates, o.MutatingVariableInputs(i))
	}
	return op
}

func (p *Parser) tensor(t *schema.Tensor) Tensor {
	r := Tensor{At: p.at, Name: p.text(t.Name()), Type: t.Type(), Buffer: int(t.Buffer())}
	r.Shape = p.ints(t.ShapeLength(), t.Shape)
	r.Signature = p.ints(t.ShapeSignatureLength(), t.ShapeSignature)
	switch {
	case t.Sparsity(nil) != nil:
		r.Unsupported = "sparse storage"
	case t.ExternalBuffer() != 0:
		r.Unsupported = "data in another file"
	}
	r.State, r.Elsewhere = t.IsVariable(), t.ExternalBuffer() != 0
	q := t.Quantization(nil)
	if q == nil {
		return r
	}
	if q.DetailsType() != schema.QuantizationDetailsNONE {
		r.Unsupported = "quantization other than scale and zero point"
	}
	for i := range p.Take(q.ScaleLength(), 4) {
		r.Scale = append(r.Scale, q.Scale(i))
	}
	for i := range p.Take(q.ZeroPointLength(), 8) {
		r.Zero = append(r.Zero, q.ZeroPoint(i))
	}
	r.Axis = int(q.QuantizedDimension())
	for field, element := range []int{4, 4, 4, 8} { // min, max, scale, zero_point
		r.QuantBytes = append(r.QuantBytes, span(q.Table(), field, element))
	}
	return r
}

// extras reads metadata and signatures.
func (p *Parser) extras(m *schema.Model) {
	for i := range p.Take(m.MetadataLength(), 32) {
		var d schema.Metadata
		m.Metadata(&d, i)
		p.enter(d.Table(), "metadata %d", i)
		p.f.Metadata = append(p.f.Metadata, Metadata{p.text(d.Name()), int(d.Buffer())})
	}
	for i := range p.Take(m.SignatureDefsLength(), 96) {
		var s schema.SignatureDef
		m.SignatureDefs(&s, i)
		p.enter(s.Table(), "signature %d", i)
		sig := Signature{Key: p.text(s.SignatureKey()), Subgraph: int(s.SubgraphIndex())}
		sig.Inputs = p.entries(s.InputsLength(), s.Inputs)
		sig.Outputs = p.entries(s.OutputsLength(), s.Outputs)
		p.f.Signatures = append(p.f.Signatures, sig)
	}
}

// entries copies the names that a signature gives to tensors.
func (p *Parser) entries(n int, at func(*schema.TensorMap, int) bool) []Entry {
	var list []Entry
	var t schema.TensorMap
	for i := range p.Take(n, 24) {
		at(&t, i)
		list = append(list, Entry{p.text(t.Name()), int(t.TensorIndex())})
	}
	return list
}

// text copies a string: the accessor returns the file's own bytes.
func (p *Parser) text(b []byte) string {
	return string(b[:p.Take(len(b), 1)])
}

// ints copies a vector of int32.
func (p *Parser) ints(n int, at func(int) int32) []int {
	list := make([]int, p.Take(n, 8))
	for i := range list {
		list[i] = int(at(i))
	}
	return list
}
