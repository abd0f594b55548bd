package interp

import "github.com/goqat/goqat/graph"

// reshape prepares operators that copy their input, whatever its type.
func reshape(s site) (kernel, error) {
	if sig := s.unary(); sig.x != sig.y {
		return nil, s.unsupported()
	}
	if _, coded := grids[s.Output.Type]; coded {
		if _, err := s.sharedParams(); err != nil {
			return nil, err
		}
	}
	return func(in []*value, out *value) error {
		out.store(in[graph.InputX], 0)
		return nil
	}, nil
}

// copying reports whether the kernel of an operator is that of reshape.
func copying(op graph.Op) bool {
	switch op.(type) {
	case graph.Reshape, graph.Dropout:
		return true
	}
	return false
}
