package tflite

import (
	"errors"
	"fmt"
	"slices"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// operators are the operators that files can carry. A new one is a row here and
// a file of its own.
var operators = []operator{
	add,
	averagePool2D,
	concatenation,
	conv2D,
	depthwiseConv2D,
	dequantize,
	elu,
	fullyConnected,
	hardSwish,
	leakyRelu,
	logistic,
	maxPool2D,
	mean,
	mul,
	pad,
	prelu,
	quantize,
	reduceMax,
	relu,
	relu6,
	reshape,
	resizeNearest,
	softmax,
	stridedSlice,
	sub,
	tanh,
	transpose,
	transposeConv,
}

// operator is everything the package knows of one operator. Its name in the
// schema is the [graph.Op.Name] of the graph's operator.
type operator struct {
	code schema.BuiltinOperator
	// options is the kind of option table; NONE for none.
	options schema.BuiltinOptions
	// kinds are the number types that runtimes take, each with its version.
	kinds []kind
	// variadic operators take any number of inputs of the kind's last type.
	variadic bool
	// version replaces the version of the kind where more than types decide;
	// nil otherwise. The node has the inputs of the file.
	version func(n *graph.Node, k kind) int
	// int4 is the least version that takes weights of int4; 0 where none does.
	int4 int
	// runtimes[v-1] is the first TensorFlow release that runs version v.
	runtimes []string
	// bias is the input that is a bias; 0 for operators without.
	bias int
	// needsBias says that LiteRT's kernel refuses to run without it.
	needsBias bool
	// write appends the option table; nil for an empty one.
	write func(b *flatbuffers.Builder, op graph.Op) flatbuffers.UOffsetT
	// inputs returns the inputs that the node has in a file, where these are
	// not those of the graph; nil otherwise.
	inputs func(n *graph.Node, c *constants) []*graph.Tensor
	// read returns the operator and the inputs that it has in a graph.
	read func(o source) (graph.Op, []*graph.Tensor, error)
}

// kind is a combination of number types with the least version that has it.
// Inputs that are left out match any type.
type kind struct {
	in      []graph.Type
	out     graph.Type
	version int
}

// matches reports whether a node has the kind's types.
func (o *operator) matches(k kind, n *graph.Node) bool {
	if o.tooMany(n) || n.Output.Type != k.out {
		return false
	}
	for i, t := range n.Inputs {
		if t != nil && t.Type != k.in[min(i, len(k.in)-1)] {
			return false
		}
	}
	return true
}

// tooMany reports whether a node has more inputs than the operator takes.
func (o *operator) tooMany(n *graph.Node) bool {
	return !o.variadic && len(n.Inputs) > len(o.kinds[0].in)
}

// name is the operator's name in the schema.
func (o *operator) name() string { return o.code.String() }

// byName returns the row of an operator, nil for one that files cannot carry.
func byName(name string) *operator {
	i := slices.IndexFunc(operators, func(o operator) bool { return o.name() == name })
	if i < 0 {
		return nil
	}
	return &operators[i]
}

// versionOf returns the version that the official converter gives a node.
//
// Source: LiteRT, tflite/converter/tools/versioning/op_version.cc.
func (o *operator) versionOf(n *graph.Node) (int, error) {
	for _, k := range o.kinds {
		if !o.matches(k, n) {
			continue
		}
		version := k.version
		if o.version != nil {
			version = o.version(n, k)
		}
		if slices.ContainsFunc(n.Inputs, func(t *graph.Tensor) bool { return t != nil && t.Int4 }) {
			if o.int4 == 0 {
				return 0, errors.New("no runtime takes weights of int4")
			}
			version = max(version, o.int4)
		}
		return version, nil
	}
	if o.tooMany(n) {
		return 0, fmt.Errorf("%d inputs, want at most %d", len(n.Inputs), len(o.kinds[0].in))
	}
	var types []string
	for _, t := range n.Inputs {
		if t == nil {
			types = append(types, "none")
		} else {
			types = append(types, t.Type.String())
		}
	}
	return 0, fmt.Errorf("no runtime takes inputs %v with output %v", types, n.Output.Type)
}

// source is one operator of a file, to be read.
type source struct {
	inputs []*graph.Tensor // nil for omitted ones
	kind   schema.BuiltinOptions
	table  flatbuffers.Table
}

// require reports option tables that are missing or of another operator.
func (s source) require(kind schema.BuiltinOptions) error {
	if s.kind != kind {
		return fmt.Errorf("options are %v, want %v", s.kind, kind)
	}
	return nil
}

// ints returns the numbers of an input that must be a constant of int32 with one
// of the given numbers of axes; what names it in errors.
func (s source) ints(i int, what string, ranks ...int) ([]int, error) {
	if len(s.inputs) <= i || s.inputs[0] == nil || s.inputs[i] == nil {
		return nil, fmt.Errorf("no %s", what)
	}
	t := s.inputs[i]
	if t.Int32s() == nil || !slices.Contains(ranks, len(t.Shape)) {
		return nil, fmt.Errorf("%s %v is not a constant of int32 with %v axes: what is known only at run time is not supported", what, t, ranks)
	}
	list := make([]int, len(t.Int32s()))
	for i, d := range t.Int32s() {
		list[i] = int(d)
	}
	return list, nil
}

// plain reads an operator without options.
func plain(op graph.Op) func(source) (graph.Op, []*graph.Tensor, error) {
	return func(s source) (graph.Op, []*graph.Tensor, error) { return op, s.inputs, nil }
}

// constants makes the constants that operators have in a file but not in the
// graph.
type constants struct {
	names names
	lists map[string]*graph.Tensor // by shape and numbers
}

func newConstants() *constants { return &constants{names{}, map[string]*graph.Tensor{}} }

// add returns a constant under the given name or, if that is taken, one made
// from it.
func (c *constants) add(name string, t graph.Type, shape []int, data any) *graph.Tensor {
	return &graph.Tensor{Name: c.names.unique(name), Type: t, Role: graph.Constant, Shape: shape, Data: data}
}

// ints is add for numbers that the format has as int32. Equal ones, of which
// networks have many, are one constant under the first name.
func (c *constants) ints(name string, shape []int, list ...int) *graph.Tensor {
	key := fmt.Sprint(shape, list)
	if t := c.lists[key]; t != nil {
		return t
	}
	data := make([]int32, len(list))
	for i, d := range list {
		data[i] = int32(d)
	}
	c.lists[key] = c.add(name, graph.Int32, shape, data)
	return c.lists[key]
}

// perChannel reports whether t has a scale for each channel.
func perChannel(t *graph.Tensor) bool { return t != nil && t.Quant != nil && t.Quant.PerChannel() }

// names hands out names that are used once. It counts, for each name, how far
// the numbering has come.
type names map[string]int

// unique returns name, or name_1, name_2 ... if that is used.
func (used names) unique(name string) string {
	try := name
	for used[try] > 0 {
		try = fmt.Sprintf("%s_%d", name, used[name])
		used[name]++
	}
	used[try] = 1
	return try
}

// activationCodes are the numbers that files have for fused activations.
var activationCodes = [...]schema.ActivationFunctionType{
	quant.NoActivation: schema.ActivationFunctionTypeNONE,
	quant.Relu:         schema.ActivationFunctionTypeRELU,
	quant.ReluN1To1:    schema.ActivationFunctionTypeRELU_N1_TO_1,
	quant.Relu6:        schema.ActivationFunctionTypeRELU6,
}

// activationOf returns the fused activation that a file names.
func activationOf(code schema.ActivationFunctionType) (quant.Activation, error) {
	if i := slices.Index(activationCodes[:], code); i >= 0 {
		return quant.Activation(i), nil
	}
	return 0, fmt.Errorf("fused activation %v is not supported", code)
}

func paddingCode(p graph.Padding) schema.Padding {
	if p == graph.Same {
		return schema.PaddingSAME
	}
	return schema.PaddingVALID
}

// paddingOf returns the padding that a file names.
func paddingOf(code schema.Padding) (graph.Padding, error) {
	switch code {
	case schema.PaddingSAME:
		return graph.Same, nil
	case schema.PaddingVALID:
		return graph.Valid, nil
	}
	return 0, fmt.Errorf("padding %v is unknown", code)
}

// noActivation reports a fused activation on an operator that has none here.
func noActivation(code schema.ActivationFunctionType) error {
	if code != schema.ActivationFunctionTypeNONE {
		return fmt.Errorf("fused activation %v is not supported on this operator", code)
	}
	return nil
}

// leastRuntime returns the first TensorFlow release that runs all of the given
// operators, in the form "2.3.0"; known is false if some are not in the table.
// Versions beyond the table do not count.
//
// Source: LiteRT, tflite/converter/tools/versioning/runtime_version.cc.
func leastRuntime(codes []opCode) (least string, known bool) {
	known = true
	for _, c := range codes {
		row := byName(c.operatorName())
		if row == nil {
			known = false
			continue
		}
		if c.version < 1 || c.version > len(row.runtimes) {
			continue
		}
		if r := row.runtimes[c.version-1]; newer(r, least) {
			least = r
		}
	}
	return least, known
}

// newer reports whether release a, such as "2.10.0", came after b. What is not
// a release comes before all.
func newer(a, b string) bool {
	var x, y [3]int
	fmt.Sscanf(a, "%d.%d.%d", &x[0], &x[1], &x[2])
	fmt.Sscanf(b, "%d.%d.%d", &y[0], &y[1], &y[2])
	return slices.Compare(x[:], y[:]) > 0
}
