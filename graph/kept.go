package graph

import "fmt"

// Kept is what a tensor of a file has beyond what graphs compute with. Only
// [Foreign] operators read and make such tensors; it can be shown and written back.
// A tensor that holds data or state, and is not computed, has the role [Constant].
type Kept struct {
	// Type is the number type in TensorFlow Lite's spelling, such as "BOOL", of a
	// tensor whose Type is [Other].
	Type string
	// Bytes are constant data of such a type as a file holds them.
	Bytes []byte
	// Signature is the shape with -1 for sizes that are known only at run time; the
	// tensor's Shape says 1 there. Nil where all are known.
	Signature []int
	// State says that the tensor keeps its value from run to run.
	State bool
	// Unwritable names what cannot be written back: sparse storage, data in another
	// file, another kind of quantization.
	Unwritable string
}

// Refusal is why nothing computes with the tensor.
func (k *Kept) Refusal() string {
	switch {
	case k.Unwritable != "":
		return k.Unwritable + " is not supported"
	case k.Type != "":
		return fmt.Sprintf("type %s is not supported", k.Type)
	case k.State:
		return "state kept between runs is not supported"
	}
	return fmt.Sprintf("shape signature %v: sizes known only at run time are not supported, except the batch", k.Signature)
}

// text is the type and shape for people.
func (k *Kept) text(t *Tensor) string {
	typ, shape := t.Type.String(), t.Shape
	if k.Type != "" {
		typ = k.Type
	}
	if k.Signature != nil {
		shape = k.Signature
	}
	s := fmt.Sprintf("%s%v", typ, shape)
	if k.State {
		s += " state"
	}
	if k.Unwritable != "" {
		s += " " + k.Unwritable
	}
	return s
}
