// Package diagnose tells where a quantized network loses what the float network
// knows: tensor by tensor and layer by layer, for networks quantized after or in
// training alike.
//
// The functions you want are [Tensors], which compares the values of two graphs,
// and [Layers], which quantizes one layer alone and all layers but one:
//
//	tensors, err := diagnose.Tensors(ctx, net, model, samples, diagnose.Options{})
//	layers, all, err := diagnose.Layers(ctx, net, model, samples, diagnose.Options{})
//	diagnose.WriteLayers(os.Stdout, layers, all)
//
// The model is a graph with FakeQuant nodes, or what a file of any mode holds; net is
// the float network that it was made from, or nil.
//
// A tensor with little signal to noise of its own, where its inputs have much, is
// where to look; a layer whose output is worth more in float than those of others
// is the one to leave out, to give more bits or to repair (package posttrain).
//
// The package changes nothing; package parity compares fake quantization with
// integers instead.
package diagnose
