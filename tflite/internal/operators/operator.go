package operators

import (
	"errors"
	"fmt"
	"slices"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite/internal/format"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// All are the operators that files can carry. A new one is a row here and
// a file of its own.
var All = []Row{
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

// Row is everything the package knows of one operator. Its name in the
// schema is the [graph.Op.Name] of the graph's operator.
type Row struct {
	Code schema.BuiltinOperator
	// Options is the kind of option table; NONE for none.
	Options schema.BuiltinOptions
	// Kinds are the number types that runtimes take, each with its version.
	Kinds []Kind
	// variadic operators take any number of inputs of the kind's last type.
	variadic bool
	// version replaces the version of the kind where more than types decide;
	// nil otherwise. The node has the inputs of the file.
	version func(n *graph.Node, k Kind) int
	// int4 is the least version that takes weights of int4; 0 where none does.
	int4 int
	// runtimes[v-1] is the first TensorFlow release that runs version v.
	Runtimes []string
	// Bias is the input that is a bias; 0 for operators without.
	Bias int
	// NeedsBias says that LiteRT's kernel refuses to run without it.
	NeedsBias bool
	// Write appends the option table; nil for an empty one.
	Write func(b *flatbuffers.Builder, op graph.Op) flatbuffers.UOffsetT
	// Inputs returns the inputs that the node has in a file, where these are
	// not those of the graph; nil otherwise.
	Inputs func(n *graph.Node, c *Constants) []*graph.Tensor
	// Read returns the operator and the inputs that it has in a graph.
	Read func(o Source) (graph.Op, []*graph.Tensor, error)
}

// Kind is a combination of number types with the least version that has it.
// Inputs that are left out match any type.
type Kind struct {
	In      []graph.Type
	Out     graph.Type
	version int
}

// matches reports whether a node has the kind's types.
func (o *Row) matches(k Kind, n *graph.Node) bool {
	if o.tooMany(n) || n.Output.Type != k.Out {
		return false
	}
	for i, t := range n.Inputs {
		if t != nil && t.Type != k.In[min(i, len(k.In)-1)] {
			return false
		}
	}
	return true
}

// tooMany reports whether a node has more inputs than the operator takes.
func (o *Row) tooMany(n *graph.Node) bool {
	return !o.variadic && len(n.Inputs) > len(o.Kinds[0].In)
}

// Name is the operator's name in the schema.
func (o *Row) Name() string { return o.Code.String() }

// ByName returns the row of an operator, nil for one that files cannot carry.
func ByName(name string) *Row {
	i := slices.IndexFunc(All, func(o Row) bool { return o.Name() == name })
	if i < 0 {
		return nil
	}
	return &All[i]
}

// VersionOf returns the version that the official converter gives a node.
//
// Source: LiteRT, tflite/converter/tools/versioning/op_version.cc.
func (o *Row) VersionOf(n *graph.Node) (int, error) {
	for _, k := range o.Kinds {
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
		return 0, fmt.Errorf("%d inputs, want at most %d", len(n.Inputs), len(o.Kinds[0].In))
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

// Source is one operator of a file, to be read.
type Source struct {
	Inputs []*graph.Tensor // nil for omitted ones
	Kind   schema.BuiltinOptions
	Table  flatbuffers.Table
}

// Require reports option tables that are missing or of another operator.
func (s Source) Require(kind schema.BuiltinOptions) error {
	if s.Kind != kind {
		return fmt.Errorf("options are %v, want %v", s.Kind, kind)
	}
	return nil
}

// Ints returns the numbers of an input that must be a constant of int32 with one
// of the given numbers of axes; what names it in errors.
func (s Source) Ints(i int, what string, ranks ...int) ([]int, error) {
	if len(s.Inputs) <= i || s.Inputs[0] == nil || s.Inputs[i] == nil {
		return nil, fmt.Errorf("no %s", what)
	}
	t := s.Inputs[i]
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
func plain(op graph.Op) func(Source) (graph.Op, []*graph.Tensor, error) {
	return func(s Source) (graph.Op, []*graph.Tensor, error) { return op, s.Inputs, nil }
}

// Constants makes the constants that operators have in a file but not in the
// graph.
type Constants struct {
	Names Names
	lists map[string]*graph.Tensor // by shape and numbers
}

// NewConstants returns one that has made none.
func NewConstants() *Constants { return &Constants{Names{}, map[string]*graph.Tensor{}} }

// add returns a constant under the given name or, if that is taken, one made
// from it.
func (c *Constants) add(name string, t graph.Type, shape []int, data any) *graph.Tensor {
	return &graph.Tensor{Name: c.Names.Unique(name), Type: t, Role: graph.Constant, Shape: shape, Data: data}
}

// ints is add for numbers that the format has as int32. Equal ones, of which
// networks have many, are one constant under the first name.
func (c *Constants) ints(name string, shape []int, list ...int) *graph.Tensor {
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

// PerChannel reports whether t has a scale for each channel.
func PerChannel(t *graph.Tensor) bool { return t != nil && t.Quant != nil && t.Quant.PerChannel() }

// Integer reports whether a type holds codes that need a scale.
func Integer(t graph.Type) bool {
	return t == graph.Int8 || t == graph.UInt8 || t == graph.Int16
}

// Names hands out names that are used once. It counts, for each name, how far
// the numbering has come.
type Names map[string]int

// Unique returns name, or name_1, name_2 ... if that is used.
func (used Names) Unique(name string) string {
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

// LeastRuntime returns the first TensorFlow release that runs all of the given
// operators, in the form "2.3.0"; known is false if some are not in the table.
// Versions beyond the table do not count.
//
// Source: LiteRT, tflite/converter/tools/versioning/runtime_version.cc.
func LeastRuntime(codes []format.Code) (least string, known bool) {
	known = true
	for _, c := range codes {
		row := ByName(c.OperatorName())
		if row == nil {
			known = false
			continue
		}
		if c.Version < 1 || c.Version > len(row.Runtimes) {
			continue
		}
		if r := row.Runtimes[c.Version-1]; Newer(r, least) {
			least = r
		}
	}
	return least, known
}

// Newer reports whether release a, such as "2.10.0", came after b. What is not
// a release comes before all.
func Newer(a, b string) bool {
	var x, y [3]int
	fmt.Sscanf(a, "%d.%d.%d", &x[0], &x[1], &x[2])
	fmt.Sscanf(b, "%d.%d.%d", &y[0], &y[1], &y[2])
	return slices.Compare(x[:], y[:]) > 0
}
