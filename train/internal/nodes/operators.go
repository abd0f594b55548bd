package nodes

import "github.com/goqat/goqat/graph"

// builders makes the operator of a network's node, by the operator's name. A
// builder returns the operator's output and functions; its inputs are the
// node's, without omitted ones. A nil operator is the identity.
//
// QUANTIZE and DEQUANTIZE are missing on purpose: integer networks are not
// trained.
var builders = map[string]func(*compiler, *graph.Node) (*operator, error){
	graph.FullyConnected{}.Name():  fullyConnected,
	graph.Conv2D{}.Name():          conv2D,
	graph.DepthwiseConv2D{}.Name(): depthwiseConv2D,
	graph.MaxPool2D{}.Name():       maxPool2D,
	graph.AveragePool2D{}.Name():   averagePool2D,
	graph.Reshape{}.Name():         reshape,
	graph.Add{}.Name():             add,
	graph.Sub{}.Name():             sub,
	graph.Mul{}.Name():             mul,
	graph.Concat{}.Name():          concat,
	graph.Pad{}.Name():             pad,
	graph.StridedSlice{}.Name():    stridedSlice,
	graph.Transpose{}.Name():       transpose,
	graph.Mean{}.Name():            reduceMean,
	graph.ReduceMax{}.Name():       reduceMax,
	graph.Relu{}.Name():            activation,
	graph.Relu6{}.Name():           activation,
	graph.LeakyRelu{}.Name():       leakyRelu,
	graph.Prelu{}.Name():           prelu,
	graph.Elu{}.Name():             elu,
	graph.HardSwish{}.Name():       hardSwish,
	graph.Logistic{}.Name():        logistic,
	graph.Tanh{}.Name():            tanh,
	graph.Softmax{}.Name():         softmax,
	graph.Affine{}.Name():          affine,
	graph.BatchNorm{}.Name():       batchNorm,
	graph.FoldWeights{}.Name():     foldWeights,
	graph.FoldBias{}.Name():        foldBias,
	graph.Dropout{}.Name():         dropout,
	graph.FakeQuant{}.Name():       fakeQuantize,
	graph.TransposeConv{}.Name():   transposeConv,

	graph.ResizeNearestNeighbor{}.Name(): resizeNearest,
}
