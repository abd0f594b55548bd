// Package fakequant puts quantizers into a network: where a recipe wants them,
// shared where the integer operators demand equal codes.
//
// The function you want is [Insert]:
//
//	qnet, err := fakequant.Insert(net, quant.Int8())
//
// The result is a copy of net with FakeQuant nodes. Training it is
// quantization-aware training; filling its ranges by posttrain.Calibrate is
// post-training quantization; the export package turns either into integers.
//
// The package computes nothing: what a FakeQuant node does is defined in
// package quant.
package fakequant
