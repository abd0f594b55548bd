// Package memory tells how much memory this process has used.
//
// The functions you want are [Peak] and [Reset].
package memory
