package endtoend

import (
	"slices"
	"sync"
	"testing"

	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/fakequant"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
)

// fourBits is r with weights of 4 bits, small ones too.
func fourBits(r quant.Recipe) quant.Recipe {
	r.Name, r.Weights.Bits, r.MinElements = r.Name+" of 4-bit weights", 4, 0
	return r
}

// int4Networks between them have every kind of anchor.
func int4Networks() (list []*network) {
	for _, n := range networks {
		switch n.name {
		case "batchnorm", "dilated", "gammas", "depthwise", "enlarging":
			list = append(list, n)
		}
	}
	return list
}

// int4Files are integer models with weights of 4 bits.
func int4Files() (list []*file) {
	for _, n := range int4Networks() {
		for _, r := range []quant.Recipe{fourBits(quant.Int8()), fourBits(quant.Int8PerTensor()), fourBits(quant.Int16x8())} {
			s := source{n, r.Name, sync.OnceValues(func() (*graph.Graph, error) { return n.calibrated(r) })}
			list = append(list, integerFilesOf([]source{s}, graph.Float32)...)
		}
	}
	return list
}

// int4FloatFiles are models with weights of 4 bits that compute in float32.
func int4FloatFiles() (list []*file) {
	for _, n := range int4Networks() {
		for _, r := range []quant.Recipe{fourBits(quant.DynamicRange()), fourBits(quant.Int8Weights())} {
			f := export.DynamicRange
			if r.FloatCompute {
				f = export.WeightOnly
			}
			list = append(list, newFile(source{n, r.Name, sync.OnceValues(func() (*graph.Graph, error) {
				folded, err := n.folded()
				if err != nil {
					return nil, err
				}
				return fakequant.Insert(folded, r)
			})}, "", f))
		}
	}
	return list
}

// Weights of 4 bits in every kind of model are what LiteRT's reference kernels take
// them for.
func TestInt4FilesEqualLiteRT(t *testing.T) {
	for _, f := range int4Files() {
		int4 := func(x *graph.Tensor) bool { return x.Int4 }
		if g := f.must(t).graph; !slices.ContainsFunc(g.Tensors(), int4) {
			t.Errorf("%v has no weights of 4 bits", f)
		}
	}
	equalLiteRT(t, int4Files())
}

// As [TestFloatFilesFollowLiteRT], for weights of 4 bits.
func TestInt4FloatFilesFollowLiteRT(t *testing.T) { followLiteRT(t, int4FloatFiles()) }
