package nodes

import "gorgonia.org/gorgonia"

// turn is a value that has two buffers: one is computed with while the other is
// filled.
type turn struct {
	now  *value
	next value
}

// turning gives v another buffer.
func (c *compiler) turning(v, next *value) {
	c.turns[v] = &turn{v, *next}
	c.step.turns = append(c.step.turns, c.turns[v])
}

// feed adds what the caller fills: an input node, and an operator that hands out
// the buffer whose turn it is.
func (c *compiler) feed(name string, shape []int) (*value, *gorgonia.Node, error) {
	v := newValue(shape)
	c.turning(v, newValue(shape))
	n, err := c.apply(&operator{label: "feed of " + name, out: v, run: handOut}, c.variable(name, v))
	return v, n, err
}

// viewOf returns the elements of v in another shape.
func (c *compiler) viewOf(v *value, shape []int) *value {
	w := view(v.data, shape)
	if t := c.turns[v]; t != nil {
		c.turning(w, view(t.next.data, shape))
	}
	return w
}
