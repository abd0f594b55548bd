// Package arch holds the rules of this module's source that a compiler does not know, as tests: which package may
// import which, and how a file looks. It exports nothing; `go test ./internal/arch` is all there is to do with it.
//
// The table of imports is in imports_test.go. A new package needs a row there, and a new edge is a decision to argue
// for, not a line to add in passing: see docs/architecture.md. The rules of style are in style_test.go.
//
// It does not look at nested modules, testdata, or directories whose name begins with a dot or an underscore.
package arch
