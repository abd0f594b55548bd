//go:build !linux

package nodes

// largePages is for systems that take advice.
func largePages([]float32) {}
