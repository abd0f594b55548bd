package layers

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/rng"
)

// Builder is what a layer builds with: the network so far, the layer's name and
// its random numbers.
type Builder struct {
	*network
	row     *row
	path    []uint64 // the layer's position: indices from the outermost layer inwards
	streams uint64   // random streams handed out to the layer
	rules   map[string]rule
}

// network is what the builders of one network share.
type network struct {
	graph *graph.Graph
	seed  uint64
	rows  []*row
	// owner says which layer has a name.
	owner map[string]string
}

// row is a layer as the summary shows it.
type row struct {
	name, class            string
	shape                  []int
	parameters, statistics int // numbers of elements
	nodes                  int // the layer's own, not those of layers within it
}

// Name returns the layer's name, unique in its network.
func (b *Builder) Name() string { return b.row.name }

// Lower lowers l as part i of the layer that b builds. The parts of one layer
// have different i: weights depend on it. A block with branches calls Lower for
// each of them.
func (b *Builder) Lower(i int, l Layer, x *graph.Tensor) (*graph.Tensor, error) {
	c := &Builder{network: b.network, path: append(slices.Clone(b.path), uint64(i))}
	if l == nil {
		return nil, fmt.Errorf("layer %s is nil", c.position())
	}
	class, name := l.Identity()
	label := fmt.Sprintf("layer %s (%s)", c.position(), class)
	name, err := c.own(class, name, label)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", label, err)
	}
	c.row = &row{name: name, class: class}
	y, err := l.Lower(c, x)
	if err == nil && y == nil {
		err = errors.New("lowered to nothing")
	}
	if err != nil {
		return nil, fmt.Errorf("layer %s (%s %q): %w", c.position(), class, name, err)
	}
	if c.row.nodes > 0 {
		c.row.shape = y.Shape
		b.rows = append(b.rows, c.row)
	}
	return y, nil
}

// Add appends a node that applies op, and returns its output. The suffix tells
// the nodes of one layer apart; empty names the node after the layer.
func (b *Builder) Add(suffix string, op graph.Op, inputs ...*graph.Tensor) (*graph.Tensor, error) {
	b.row.nodes++
	return b.graph.Add(b.tensorName(suffix), op, inputs...)
}

// Parameter returns a new trained tensor, named after the layer and the suffix,
// with the penalty and constraint that [Builder.Rule] said.
//
// Shapes: [O, I] or [O, KH, KW, I] for kernels, [C] for vectors.
func (b *Builder) Parameter(suffix string, shape []int, init Initializer) (*graph.Tensor, error) {
	return b.Kernel(suffix, shape, fanOf(shape), init)
}

// Kernel is Parameter for kernels of any shape, whose fan the layer knows.
func (b *Builder) Kernel(suffix string, shape []int, fan Fan, init Initializer) (*graph.Tensor, error) {
	t, err := b.variable(graph.Parameter, suffix, shape, fan, init)
	if err != nil {
		return nil, err
	}
	b.row.parameters += t.Elements()
	t.Penalty, t.Constraint = b.rules[suffix].penalty, b.rules[suffix].constraint
	if err := errors.Join(t.Penalty.Check(), t.Constraint.Check()); err != nil {
		return nil, fmt.Errorf("%s: %w", suffix, err)
	}
	return t, nil
}

// Statistic returns a new tensor that training updates without gradients.
func (b *Builder) Statistic(suffix string, shape []int, init Initializer) (*graph.Tensor, error) {
	t, err := b.variable(graph.Statistic, suffix, shape, fanOf(shape), init)
	if err == nil {
		b.row.statistics += t.Elements()
	}
	return t, err
}

// Key returns a key for random numbers of the layer; each call another one.
func (b *Builder) Key() uint64 {
	b.streams++
	return rng.Key(b.seed, append(slices.Clone(b.path), b.streams-1)...)
}

func (b *Builder) variable(role graph.Role, suffix string, shape []int, fan Fan, init Initializer) (*graph.Tensor, error) {
	if err := checkSizes(shape); err != nil {
		return nil, fmt.Errorf("%s: %w", suffix, err)
	}
	t := &graph.Tensor{Name: b.tensorName(suffix), Role: role, Shape: slices.Clone(shape)}
	values := make([]float32, t.Elements())
	init.Fill(values, fan, rng.Restore(rng.State{Key: b.Key()}))
	for i, v := range values {
		if v-v != 0 {
			return nil, fmt.Errorf("%s: initializer %T gives %v at %d", suffix, init, v, i)
		}
	}
	t.Data = values
	return t, nil
}

func (b *Builder) tensorName(suffix string) string {
	if suffix == "" {
		return b.row.name
	}
	return b.row.name + "/" + suffix
}

// position is the path as text: "2", or "2.0" for the first layer inside layer 2.
func (b *Builder) position() string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(b.path), "[]"), " ", ".")
}

// own returns the layer's name: the one its user gave, or the next free number.
func (b *Builder) own(class, name, label string) (string, error) {
	if strings.Contains(name, "/") {
		return "", fmt.Errorf("name %q contains a slash", name)
	}
	if name == "" {
		stem := snakeCase(class)
		name = stem
		for i := 1; b.owner[name] != ""; i++ {
			name = fmt.Sprintf("%s_%d", stem, i)
		}
	}
	if owner := b.owner[name]; owner != "" {
		return "", fmt.Errorf("name %q belongs to %s", name, owner)
	}
	b.owner[name] = label
	return name, nil
}

// snakeCase turns a class into the stem of Keras' automatic names: "Conv2D" into
// "conv2d", "BatchNormalization" into "batch_normalization", "ReLU" into "re_lu".
// An underscore goes where a small letter meets a capital, and before the last
// of several capitals that begins a word.
func snakeCase(class string) string {
	var s strings.Builder
	runes := []rune(class)
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) {
			beginsWord := i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if beginsWord || unicode.IsLower(runes[i-1]) {
				s.WriteByte('_')
			}
		}
		s.WriteRune(unicode.ToLower(r))
	}
	return s.String()
}
