package tflite

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/atomicfile"
	"github.com/goqat/goqat/tflite/internal/format"
	"github.com/goqat/goqat/tflite/internal/operators"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// description is the text that tools show as the origin of a file.
const description = "goqat"

// Write writes g as a .tflite file. See [Marshal].
func Write(w io.Writer, g *graph.Graph) error {
	data, err := Marshal(g)
	if err != nil {
		return err
	}
	if _, err := w.Write(data); err != nil {
		return fmt.Errorf("tflite: %w", err)
	}
	return nil
}

// WriteFile writes g to the named file: whole or, on error, not at all. See
// [Marshal].
func WriteFile(path string, g *graph.Graph) error {
	data, err := Marshal(g)
	if err != nil {
		return err
	}
	if err := atomicfile.WriteBytes(path, data); err != nil {
		return fmt.Errorf("tflite: %w", err)
	}
	return nil
}

// Marshal returns g as the bytes of a .tflite file; equal graphs give equal
// bytes. Whatever data tensors hold becomes constant. A convolution without
// bias gets one of zeros, which LiteRT's kernel demands.
//
// Errors: a graph that fails its own [graph.Graph.Check]; operators that files
// cannot carry and number types that no runtime takes, by node; a file that
// fails [Verify].
func Marshal(g *graph.Graph) ([]byte, error) {
	if err := g.Check(); err != nil {
		return nil, fmt.Errorf("tflite: %w", err)
	}
	w := &writer{
		b:      flatbuffers.NewBuilder(1 << 16),
		shared: map[string]flatbuffers.UOffsetT{},
		// Buffer 0 is empty: tensors without data have it.
		buffers: make([]flatbuffers.UOffsetT, 1),
		buffer:  map[string]uint32{},
	}
	var faults []error
	for i, g := range slices.Concat([]*graph.Graph{g}, g.Subgraphs) {
		n := &network{writer: w, g: g, index: i, indices: map[*graph.Tensor]int32{}}
		w.networks = append(w.networks, n)
		faults = append(faults, n.fault(n.plan()))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("tflite: %w", err)
	}
	if err := w.model(); err != nil {
		return nil, fmt.Errorf("tflite: %w", err)
	}
	data := bytes.Clone(w.b.FinishedBytes())
	if err := Verify(data); err != nil {
		return nil, fmt.Errorf("tflite: this network makes no valid file: %w", err)
	}
	return data, nil
}

// writer makes a file of a graph. FlatBuffers are built from the end: first
// what is pointed to, then what points.
type writer struct {
	b        *flatbuffers.Builder
	shared   map[string]flatbuffers.UOffsetT // vectors and tables with equal content
	networks []*network
	codes    []format.Code // distinct ones
	buffers  []flatbuffers.UOffsetT
	buffer   map[string]uint32 // by content
	total    int               // bytes of constants
}

// network is a subgraph of the file: the graph itself, or one beside it.
type network struct {
	*writer
	g       *graph.Graph
	index   int
	nodes   []planned
	tensors []*graph.Tensor
	indices map[*graph.Tensor]int32
	data    []uint32 // buffers of the tensors
}

// fault names the subgraph in an error, unless it is the main one.
func (w *network) fault(err error) error {
	if err == nil || w.index == 0 {
		return err
	}
	return fmt.Errorf("subgraph %d, %w", w.index, err)
}

// planned is a node as the file will have it.
type planned struct {
	row     *operators.Row // nil for one that is foreign
	node    *graph.Node    // with the inputs of the file
	outputs []*graph.Tensor
	opcode  int
}

// plan decides the operators, their codes and the order of tensors.
func (w *network) plan() error {
	g := w.g
	c := operators.NewConstants()
	for _, t := range g.Tensors() {
		c.Names[t.Name] = 1
	}
	w.add(g.Inputs...)
	var faults []error
	for _, n := range g.Nodes {
		switch f := n.Op.(type) {
		case graph.Foreign:
			code, err := foreignCode(f)
			outputs, missing := foreignOutputs(g, n, f)
			if err := errors.Join(err, missing); err != nil {
				faults = append(faults, fmt.Errorf("node %q: %w", n.Name, err))
			}
			w.plans(planned{nil, n, outputs, w.opcode(code)})
			continue
		case graph.ForeignOutput:
			continue // with its operator
		}
		row := operators.ByName(n.Op.Name())
		if row == nil {
			faults = append(faults, fmt.Errorf("node %q: files cannot carry the operator %s%s", n.Name, n.Op.Name(), advice(n.Op)))
			continue
		}
		inputs := n.Inputs
		if row.Inputs != nil {
			inputs = row.Inputs(n, c)
		}
		for len(inputs) > 0 && inputs[len(inputs)-1] == nil {
			inputs = inputs[:len(inputs)-1]
		}
		inFile := &graph.Node{Name: n.Name, Op: n.Op, Inputs: inputs, Output: n.Output}
		number, err := row.VersionOf(inFile)
		if err != nil {
			faults = append(faults, fmt.Errorf("node %q (%s): %w", n.Name, row.Name(), err))
			continue
		}
		w.plans(planned{row, inFile, []*graph.Tensor{n.Output}, w.opcode(format.Code{Number: int(row.Code), Version: number})})
	}
	w.add(g.Outputs...)
	return errors.Join(faults...)
}

// plans appends a node and its tensors.
func (w *network) plans(p planned) {
	w.nodes = append(w.nodes, p)
	w.add(p.node.Inputs...)
	w.add(p.outputs...)
}

// advice says what to do about an operator that only training has.
func advice(op graph.Op) string {
	if op.Class() != graph.TrainingOnly {
		return ""
	}
	return ", which exists only while training: export the network first"
}

// opcode returns the index of an operator code.
func (w *writer) opcode(v format.Code) int {
	for i, have := range w.codes {
		if have == v {
			return i
		}
	}
	w.codes = append(w.codes, v)
	return len(w.codes) - 1
}

// add gives tensors their indices, in order of first use.
func (w *network) add(ts ...*graph.Tensor) {
	for _, t := range ts {
		if _, have := w.indices[t]; t != nil && !have {
			w.indices[t] = int32(len(w.tensors))
			w.tensors = append(w.tensors, t)
		}
	}
}

// model writes everything.
func (w *writer) model() error {
	b := w.b
	schema.BufferStart(b)
	w.buffers[0] = schema.BufferEnd(b)
	for _, n := range w.networks {
		if err := n.constants(); err != nil {
			return n.fault(err)
		}
	}
	runtime := w.runtime()

	var codes, subgraphs, signatures []flatbuffers.UOffsetT
	bodies := make([]body, len(w.networks))
	for i, n := range w.networks {
		var err error
		if bodies[i], err = n.body(); err != nil {
			return n.fault(err)
		}
	}
	for _, c := range w.codes {
		codes = append(codes, w.code(c))
	}
	for i, n := range w.networks {
		subgraphs = append(subgraphs, n.subgraph(bodies[i]))
	}
	for _, n := range w.networks {
		if n.index == 0 || n.g.Signature != "" {
			signatures = append(signatures, n.signature())
		}
	}

	metadata := w.metadata(runtime)
	text := b.CreateSharedString(description)
	codesVector := b.CreateVectorOfTables(codes)
	subgraphsVector := b.CreateVectorOfTables(subgraphs)
	buffersVector := b.CreateVectorOfTables(w.buffers)
	metadataVector := b.CreateVectorOfTables(metadata)
	signaturesVector := b.CreateVectorOfTables(signatures)
	schema.ModelStart(b)
	schema.ModelAddVersion(b, format.FileVersion)
	schema.ModelAddOperatorCodes(b, codesVector)
	schema.ModelAddSubgraphs(b, subgraphsVector)
	schema.ModelAddDescription(b, text)
	schema.ModelAddBuffers(b, buffersVector)
	schema.ModelAddMetadata(b, metadataVector)
	schema.ModelAddSignatureDefs(b, signaturesVector)
	b.FinishWithFileIdentifier(schema.ModelEnd(b), []byte(format.Identifier))
	return nil
}
