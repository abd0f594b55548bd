// Package mutate damages files for the tests of their readers.
//
// The function you want is [Words].
//
// It draws nothing by itself: the same stream damages a file in the same way. It
// is no fuzzer and knows no format.
package mutate
