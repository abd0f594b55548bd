package nodes

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
)

// lossSource is where the loss reads the network.
type lossSource struct {
	tensor *graph.Tensor
	logits bool
}

// lossSource finds the tensor that the loss reads: the output, or the input of
// the SOFTMAX (for a categorical cross-entropy) or LOGISTIC (for a binary one)
// that the network ends in, where FakeQuant nodes may follow.
func (c *compiler) lossSource() (lossSource, error) {
	out, loss := c.net.Outputs[0], c.config.Loss
	if s := c.shapes[out]; len(s) < 2 {
		return lossSource{}, fmt.Errorf("nodes: output %q has shape %v, want [batch, ..., values] for a loss", out.Name, s)
	}
	end := c.net.Producer(out)
	for end != nil && end.Op.Name() == (graph.FakeQuant{}).Name() {
		end = c.net.Producer(end.Inputs[0])
	}
	if end == nil || !loss.Kind.crossentropy() {
		return lossSource{out, loss.FromLogits}, nil
	}
	var linked bool // the loss has a form for the inputs of the operator
	switch end.Op.(type) {
	case graph.Softmax:
		linked = loss.Kind != BinaryCrossentropy
	case graph.Logistic:
		linked = loss.Kind == BinaryCrossentropy
	default:
		return lossSource{out, loss.FromLogits}, nil
	}
	if loss.FromLogits {
		return lossSource{}, fmt.Errorf("nodes: the loss takes logits, but the network ends in %s (node %q): set FromLogits to false or remove the node", end.Op.Name(), end.Name)
	}
	if !linked {
		return lossSource{out, false}, nil
	}
	return lossSource{end.Inputs[0], true}, nil
}

// lossFunction is a loss on rows of the last axis.
type lossFunction interface {
	// forward writes each row's loss.
	forward(loss, x, target []float32)
	// backward writes the gradient of sum(scale*loss). It may use what the last
	// forward left behind.
	backward(dx, x, target, scale []float32)
}

// newLoss returns the function of a loss over rows of the given size.
func newLoss(l *Loss, logits bool, rows, size int) lossFunction {
	switch {
	case l.Kind == BinaryCrossentropy && logits:
		return binaryLogits{size}
	case l.Kind == BinaryCrossentropy:
		return binaryProbabilities{size}
	case l.Kind == MeanSquaredError:
		return squaredError{size}
	case l.Kind == MeanAbsoluteError:
		return absoluteError{size}
	case l.Kind == Huber:
		return huber{size, l.Delta}
	case l.Kind == CategoricalHinge:
		return categoricalHinge{size}
	case l.Kind == Hinge:
		return hinge{size}
	case l.Kind == SquaredHinge:
		return squaredHinge{size}
	case logits:
		return &categoricalLogits{rows, size, make([]float32, rows*size)}
	}
	return &categoricalProbabilities{size, make([]float32, size)}
}

// addLoss adds the loss and, while training, its gradients.
func (c *compiler) addLoss(source lossSource) error {
	rows, size := c.rows(source.tensor)
	kind, s := c.config.Loss.Kind, c.step
	shape, weights := c.shapes[source.tensor], newValue([]int{c.config.Batch})
	if kind == SparseCategoricalCrossentropy {
		shape = []int{rows}
	}
	target, targets, err := c.feed("target", shape)
	if err != nil {
		return err
	}
	for i := range weights.data {
		weights.data[i] = 1
	}
	s.target, s.weights, s.loss = c.turns[target], weights.data, new(gorgonia.F32)
	l := &loss{
		rows: rows, size: size, per: rows / c.config.Batch,
		function: newLoss(c.config.Loss, source.logits, rows, size),
		labels:   kind == SparseCategoricalCrossentropy, smoothing: c.config.Loss.Smoothing, classes: float32(size),
		row: make([]float32, rows), scale: make([]float32, rows),
		mean: s.loss,
	}
	if kind == BinaryCrossentropy {
		l.classes = 2
	}
	if l.labels || l.smoothing > 0 {
		l.prepared = make([]float32, rows*size)
	}
	x, err := c.read(source.tensor, true)
	if err != nil {
		return err
	}
	cost, err := c.apply(&operator{
		label:          fmt.Sprintf("loss (%v)", kind),
		out:            &value{boxed: s.loss},
		run:            l.forward,
		differentiable: []bool{c.trained[source.tensor], false, false},
		derive: func() derivative {
			dx := c.gradient(source.tensor)
			return derivative{grads: []*value{dx, nil, nil}, run: func(in [][]float32) error {
				l.backward(dx.data, in)
				return nil
			}}
		},
	}, x, targets, c.variable("weights", weights))
	if err != nil || !c.config.Training {
		return err
	}
	return c.differentiate(cost)
}

// differentiate adds the gradients of the parameters.
func (c *compiler) differentiate(cost *gorgonia.Node) error {
	parameters := c.net.Parameters()
	c.step.gradients = make([][]float32, len(parameters))
	var wrt gorgonia.Nodes
	var position []int
	for i, p := range parameters {
		if c.live[p] {
			wrt, position = append(wrt, c.nodes[p]), append(position, i)
		} else {
			c.step.gradients[i] = make([]float32, p.Elements())
		}
	}
	if len(wrt) == 0 {
		return nil
	}
	grads, err := gorgonia.Grad(cost, wrt...)
	if err != nil {
		return fmt.Errorf("nodes: gradient: %w", err)
	}
	for i, g := range grads {
		c.step.gradients[position[i]] = g.Op().(*operator).out.data
	}
	return nil
}

// loss is a loss operator's state during a step.
type loss struct {
	rows, size int
	per        int // rows of one sample
	function   lossFunction

	labels     bool // the target holds labels
	smoothing  float32
	classes    float32   // among which smoothing divides
	prepared   []float32 // the target as the function takes it; nil for as it is
	row, scale []float32
	mean       *gorgonia.F32
}

// forward takes predictions, target and sample weights.
func (l *loss) forward(in [][]float32) error {
	if err := l.prepare(in[1]); err != nil {
		return err
	}
	l.function.forward(l.row, in[0], l.target(in))
	for r := range l.row {
		l.row[r] *= in[2][r/l.per]
	}
	*l.mean = gorgonia.F32(f32.Sum(l.row) / float32(l.rows))
	return nil
}

// backward takes the same, the loss and the gradient of the loss.
func (l *loss) backward(dx []float32, in [][]float32) {
	for r := range l.scale {
		l.scale[r] = in[4][0] * in[2][r/l.per] / float32(l.rows)
	}
	l.function.backward(dx, in[0], l.target(in), l.scale)
}

// target returns the target as the function takes it.
func (l *loss) target(in [][]float32) []float32 {
	if l.prepared != nil {
		return l.prepared
	}
	return in[1]
}

// prepare writes labels as one-hot rows and smooths targets.
func (l *loss) prepare(target []float32) error {
	switch {
	case l.labels:
		if err := l.encode(target); err != nil {
			return err
		}
	case l.prepared != nil:
		copy(l.prepared, target)
	}
	if l.smoothing > 0 {
		keep, share := 1-l.smoothing, l.smoothing/l.classes
		for i, t := range l.prepared {
			l.prepared[i] = float32(t*keep) + share
		}
	}
	return nil
}

// encode writes labels as one-hot rows.
func (l *loss) encode(labels []float32) error {
	clear(l.prepared)
	for r, v := range labels {
		if !(v >= 0 && v < float32(l.size)) || v != float32(int(v)) {
			return fmt.Errorf("row %d has label %v, want an integer from 0 to %d", r, v, l.size-1)
		}
		l.prepared[r*l.size+int(v)] = 1
	}
	return nil
}
