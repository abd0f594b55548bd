package graph

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/goqat/goqat/quant"
)

// documentVersion is raised whenever an older reader would misunderstand a new
// file.
const documentVersion = 1

// document is a graph as JSON, without data. Tensors are referred to by name,
// quantizers by index.
type document struct {
	Version    int              `json:"version"`
	Name       string           `json:"name"`
	Recipe     *quant.Recipe    `json:"recipe,omitempty"`
	Inputs     []string         `json:"inputs"`
	Outputs    []string         `json:"outputs"`
	Tensors    []tensorRecord   `json:"tensors"`
	Quantizers []quantizerEntry `json:"quantizers,omitempty"`
	Nodes      []nodeRecord     `json:"nodes"`
}

type tensorRecord struct {
	Name       string        `json:"name"`
	Type       Type          `json:"type"`
	Role       Role          `json:"role"`
	Shape      []int         `json:"shape"`
	Int4       bool          `json:"int4,omitzero"`
	Quant      *quant.Params `json:"quant,omitempty"`
	Penalty    Penalty       `json:"penalty,omitzero"`
	Constraint Constraint    `json:"constraint,omitzero"`
}

type quantizerEntry struct {
	Quantizer
	Range string `json:"range,omitempty"` // name of the range's tensor
}

type nodeRecord struct {
	Name    string          `json:"name"`
	Op      string          `json:"op"`
	Options json.RawMessage `json:"options"`
	// Quantizer is the index of a FakeQuant node's quantizer.
	Quantizer *int      `json:"quantizer,omitempty"`
	Inputs    []*string `json:"inputs"` // null where omitted
	Output    string    `json:"output"`
}

// newDocument describes a graph that passed Check.
func newDocument(g *Graph) (*document, error) {
	d := &document{Version: documentVersion, Name: g.Name, Recipe: g.Recipe, Inputs: names(g.Inputs), Outputs: names(g.Outputs)}
	if err := checkText(g); err != nil {
		return nil, err
	}
	if len(g.Subgraphs) > 0 {
		return nil, fmt.Errorf("the network has %d others beside it, which only .tflite files hold", len(g.Subgraphs))
	}
	for _, t := range g.allTensors() {
		if t.Kept != nil {
			return nil, fmt.Errorf("tensor %q: %s", t.Name, t.Kept.Refusal())
		}
		d.Tensors = append(d.Tensors, tensorRecord{t.Name, t.Type, t.Role, append([]int{}, t.Shape...), t.Int4, t.Quant, t.Penalty, t.Constraint})
	}
	index := map[*Quantizer]*int{}
	for i, q := range g.Quantizers() {
		index[q] = &i
		e := quantizerEntry{Quantizer: *q}
		if q.Range != nil {
			e.Range = q.Range.Name
		}
		d.Quantizers = append(d.Quantizers, e)
	}
	for _, n := range g.Nodes {
		if _, known := operators[n.Op.Name()]; !known {
			return nil, fmt.Errorf("node %q: operator %q is not in the table of operators", n.Name, n.Op.Name())
		}
		options, err := json.Marshal(n.Op)
		if err != nil {
			return nil, fmt.Errorf("node %q (%s): %w", n.Name, n.Op.Name(), err)
		}
		r := nodeRecord{Name: n.Name, Op: n.Op.Name(), Options: options, Inputs: make([]*string, len(n.Inputs)), Output: n.Output.Name}
		if f, ok := n.Op.(FakeQuant); ok {
			r.Quantizer = index[f.Quantizer]
		}
		for i, t := range n.Inputs {
			if t != nil {
				r.Inputs[i] = &t.Name
			}
		}
		d.Nodes = append(d.Nodes, r)
	}
	return d, nil
}

// checkText refuses names that JSON cannot hold and would silently change.
func checkText(g *Graph) error {
	all := []string{g.Name}
	if g.Recipe != nil {
		all = append(all, g.Recipe.Name)
	}
	for _, n := range g.Nodes {
		all = append(all, n.Name)
	}
	for _, q := range g.Quantizers() {
		all = append(all, q.Name)
	}
	for _, name := range append(all, names(g.allTensors())...) {
		if !utf8.ValidString(name) {
			return fmt.Errorf("the name %q is not UTF-8", name)
		}
	}
	return nil
}

// parseDocument reads a document and refuses other versions by number.
func parseDocument(text []byte) (*document, error) {
	var v struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(text, &v); err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	if v.Version != documentVersion {
		return nil, fmt.Errorf("graph of version %d; this program reads version %d", v.Version, documentVersion)
	}
	d := &document{}
	if err := unmarshalStrict(text, d); err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	return d, nil
}

// builder turns a document back into a graph.
type builder struct {
	tensors    map[string]*Tensor
	quantizers []*Quantizer
}

// graph restores the graph, taking the data of its tensors out of stored.
func (d *document) graph(stored map[string]*Tensor) (*Graph, error) {
	b := builder{tensors: map[string]*Tensor{}}
	for _, r := range d.Tensors {
		if err := b.addTensor(r, stored); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", r.Name, err)
		}
	}
	for _, e := range d.Quantizers {
		q := e.Quantizer
		if e.Range != "" {
			if q.Range = b.tensors[e.Range]; q.Range == nil {
				return nil, fmt.Errorf("quantizer of tensor %q: range %q is not a tensor of the graph", q.Name, e.Range)
			}
		}
		b.quantizers = append(b.quantizers, &q)
	}
	g := &Graph{Name: d.Name, Recipe: d.Recipe}
	var err error
	if g.Inputs, err = b.find(d.Inputs); err != nil {
		return nil, fmt.Errorf("inputs: %w", err)
	}
	if g.Outputs, err = b.find(d.Outputs); err != nil {
		return nil, fmt.Errorf("outputs: %w", err)
	}
	for i, r := range d.Nodes {
		n, err := b.node(r)
		if err != nil {
			return nil, fmt.Errorf("node %d %q: %w", i, r.Name, err)
		}
		g.Nodes = append(g.Nodes, n)
	}
	return g, g.Check()
}

func (b *builder) addTensor(r tensorRecord, stored map[string]*Tensor) error {
	if b.tensors[r.Name] != nil {
		return fmt.Errorf("listed twice")
	}
	if err := checkSize(r.Shape); err != nil {
		return err
	}
	t := &Tensor{
		Name: r.Name, Type: r.Type, Role: r.Role, Shape: r.Shape, Int4: r.Int4, Quant: r.Quant,
		Penalty: r.Penalty, Constraint: r.Constraint,
	}
	if r.Role != Activation {
		s := stored[r.Name]
		if s == nil {
			return fmt.Errorf("a %v without data", r.Role)
		}
		t.Data = s.Data
		delete(stored, r.Name)
	}
	b.tensors[r.Name] = t
	return nil
}

// find returns the tensors with the given names.
func (b *builder) find(names []string) ([]*Tensor, error) {
	var list []*Tensor
	for _, name := range names {
		t := b.tensors[name]
		if t == nil {
			return nil, fmt.Errorf("%q is not a tensor of the graph", name)
		}
		list = append(list, t)
	}
	return list, nil
}

func (b *builder) node(r nodeRecord) (*Node, error) {
	decode := operators[r.Op]
	if decode == nil {
		return nil, fmt.Errorf("unknown operator %q", r.Op)
	}
	op, err := decode(r.Options)
	if err != nil {
		return nil, fmt.Errorf("options of %s: %w", r.Op, err)
	}
	if f, ok := op.(FakeQuant); ok {
		if r.Quantizer == nil || *r.Quantizer < 0 || *r.Quantizer >= len(b.quantizers) {
			return nil, fmt.Errorf("no quantizer of that index")
		}
		f.Quantizer = b.quantizers[*r.Quantizer]
		op = f
	}
	n := &Node{Name: r.Name, Op: op, Inputs: make([]*Tensor, len(r.Inputs))}
	for i, name := range r.Inputs {
		if name != nil {
			if n.Inputs[i] = b.tensors[*name]; n.Inputs[i] == nil {
				return nil, fmt.Errorf("input %d: %q is not a tensor of the graph", i, *name)
			}
		}
	}
	if n.Output = b.tensors[r.Output]; n.Output == nil {
		return nil, fmt.Errorf("output: %q is not a tensor of the graph", r.Output)
	}
	return n, nil
}

// names returns the names of tensors.
func names(ts []*Tensor) []string {
	list := make([]string, len(ts))
	for i, t := range ts {
		list[i] = t.Name
	}
	return list
}
