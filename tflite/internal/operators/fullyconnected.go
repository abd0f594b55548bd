package operators

import (
	"fmt"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/schema"
)

var fullyConnected = Row{
	Code:     schema.BuiltinOperatorFULLY_CONNECTED,
	Options:  schema.BuiltinOptionsFullyConnectedOptions,
	Kinds:    anchorKinds(1, 3, 4, 1),
	version:  fullyConnectedVersion,
	int4:     10,
	Runtimes: []string{"1.5.0", "1.10.0", "1.14.0", "1.14.0", "2.0.0", "2.1.0", "2.3.0", "2.3.0", "2.3.0", "2.11.0", "2.15.0", "2.17.0", "2.18.0", "2.21.0"},
	Bias:     graph.InputBias,
	Write: func(b *flatbuffers.Builder, op graph.Op) flatbuffers.UOffsetT {
		o := op.(graph.FullyConnected)
		schema.FullyConnectedOptionsStart(b)
		schema.FullyConnectedOptionsAddFusedActivationFunction(b, activationCodes[o.Activate])
		schema.FullyConnectedOptionsAddKeepNumDims(b, o.KeepDims)
		schema.FullyConnectedOptionsAddAsymmetricQuantizeInputs(b, o.AsymmetricInputs)
		return schema.FullyConnectedOptionsEnd(b)
	},
	Read: func(s Source) (graph.Op, []*graph.Tensor, error) {
		if err := s.Require(schema.BuiltinOptionsFullyConnectedOptions); err != nil {
			return nil, nil, err
		}
		var o schema.FullyConnectedOptions
		o.Init(s.Table.Bytes, s.Table.Pos)
		if f := o.WeightsFormat(); f != schema.FullyConnectedOptionsWeightsFormatDEFAULT {
			return nil, nil, fmt.Errorf("weights format %v is not supported", f)
		}
		if t := o.QuantizedBiasType(); t != schema.TensorTypeFLOAT32 {
			return nil, nil, fmt.Errorf("quantized_bias_type %v is not supported", t)
		}
		activation, err := activationOf(o.FusedActivationFunction())
		return graph.FullyConnected{
			Activate: activation, KeepDims: o.KeepNumDims(), AsymmetricInputs: o.AsymmetricQuantizeInputs(),
		}, s.Inputs, err
	},
}

// fullyConnectedVersion applies the official converter's tests in its order.
func fullyConnectedVersion(n *graph.Node, k Kind) int {
	o, hybrid := n.Op.(graph.FullyConnected), k.version == 3
	switch {
	case hybrid && PerChannel(n.Input(graph.InputWeights)):
		return 12
	case n.Input(graph.InputBias) == nil:
		return 6
	case o.KeepDims:
		return 5
	case hybrid && o.AsymmetricInputs:
		return 9
	}
	return k.version
}
