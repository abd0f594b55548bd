package graph

// InputChannels returns the number of channels that an anchor reads, and how many
// weights in a row belong to one of them: weight i reads channel i/each%channels.
func InputChannels(a *Node) (channels, each int) {
	w := a.Inputs[InputWeights].Shape
	last := w[len(w)-1]
	if op, ok := a.Op.(DepthwiseConv2D); ok {
		return last / op.DepthMultiplier, op.DepthMultiplier
	}
	return last, 1
}

// PadsInput reports whether windows of an anchor may reach outside of their image.
func PadsInput(a *Node) bool {
	w := a.Inputs[InputWeights].Shape
	switch op := a.Op.(type) {
	case FullyConnected:
		return false
	case Conv2D:
		return op.Padding != Valid && w[1]*w[2] > 1
	case DepthwiseConv2D:
		return op.Padding != Valid && w[1]*w[2] > 1
	}
	return true
}
