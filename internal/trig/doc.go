// Package trig computes sines and cosines whose bits are the same on every architecture.
//
// The function you want is [Sincos], whose angle is in turns: 1 is the full circle.
//
//	sin, cos := trig.Sincos(1.0 / 12) // 30 degrees
//
// math.Sin and math.Cos may differ in the last bit between architectures, because compilers may fuse a product
// with a sum. Data sets and augmentation need values that do not.
package trig
