package interp

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/axes"
)

func concat(s site) (kernel, error) {
	for i := range s.Inputs {
		if s.Inputs[i].Type != s.Output.Type {
			return nil, s.unsupported()
		}
		if _, coded := grids[s.Output.Type]; coded {
			if _, err := s.shares(s.Inputs[i]); err != nil {
				return nil, err
			}
		}
	}
	axis := s.Op.(graph.Concat).Axis
	switch s.Output.Type {
	case graph.Float32:
		return joined[float32](axis), nil
	case graph.Int8:
		return joined[int8](axis), nil
	case graph.UInt8:
		return joined[uint8](axis), nil
	case graph.Int16:
		return joined[int16](axis), nil
	}
	return nil, s.unsupported()
}

// joined is the kernel that copies elements of one type.
func joined[T float32 | int8 | uint8 | int16](axis int) kernel {
	return func(in []*value, out *value) error {
		blocks, at := graph.Elements(out.shape[:axis]), 0
		for _, v := range in {
			axes.Insert(elements[T](out), elements[T](v), blocks, at)
			at += v.n / blocks
		}
		return nil
	}
}
