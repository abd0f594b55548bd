package graph

import "fmt"

// ShapeError says which input of which node has a shape the operator cannot
// take.
type ShapeError struct {
	Node  string // name of the node
	Op    string // name of its operator
	Index int    // position of the input
	Got   []int
	Want  string // the shape the operator takes
}

func (e *ShapeError) Error() string {
	return fmt.Sprintf("graph: node %q (%s): input %d has shape %v, want %s", e.Node, e.Op, e.Index, e.Got, e.Want)
}

// arity checks the number of inputs and that the required ones are present.
func arity(in [][]int, required, most int) error {
	if len(in) < required || len(in) > most {
		return fmt.Errorf("%d inputs, want %d to %d", len(in), required, most)
	}
	for i, s := range in {
		if s == nil && i < required {
			return fmt.Errorf("input %d is missing", i)
		}
	}
	return nil
}
