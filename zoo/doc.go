// Package zoo builds well-known tiny networks out of package layers: the four of
// the MLPerf Tiny benchmark, LeNet-5, and a network of one-dimensional layers
// for windows of accelerometer samples.
//
// The functions you want are [ByName] and [Network.Build]:
//
//	n, err := zoo.ByName("ds-cnn")
//	net, err := n.Build(n.Input, n.Outputs, seed)
//
// Classifiers end in logits, so that training takes the loss from them
// (FromLogits) and a file needs no softmax to be compared; append
// layers.Softmax{} where probabilities are wanted. Weights are fresh: the package
// has none that are trained.
//
// Numbers of parameters count BatchNorm's moving statistics, as Keras' summaries
// do, and are those that the sources publish; tests hold them.
package zoo
