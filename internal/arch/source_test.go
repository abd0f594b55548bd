package arch

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"testing"
)

// source is one Go file of the module, whatever its build constraints.
type source struct {
	name      string // slash-separated, relative to the root of the module
	text      []byte
	fset      *token.FileSet
	syntax    *ast.File
	generated bool
}

func (s source) dir() string { return path.Dir(s.name) }
func (s source) test() bool  { return strings.HasSuffix(s.name, "_test.go") }
func (s source) main() bool  { return s.syntax.Name.Name == "main" }
func (s source) lines() int  { return bytes.Count(s.text, []byte("\n")) }
func (s source) at(n ast.Node) string {
	return fmt.Sprintf("%s:%d", s.name, s.fset.Position(n.Pos()).Line)
}

// imports returns the paths that the file imports.
func (s source) imports() []string {
	var paths []string
	for _, spec := range s.syntax.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			p = spec.Path.Value // the parser has checked the literal; a rule will name what this is
		}
		paths = append(paths, p)
	}
	return paths
}

// readModule parses every Go file of the module at root and returns them in the order of their names.
func readModule(root fs.FS) ([]source, error) {
	var files []source
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return enter(root, name)
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		syntax, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files = append(files, source{name, text, fset, syntax, ast.IsGenerated(syntax)})
		return nil
	})
	return files, err
}

// enter returns fs.SkipDir for a directory that is no part of the module.
func enter(root fs.FS, dir string) error {
	base := path.Base(dir)
	if dir == "." {
		return nil
	}
	if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" || base == "vendor" {
		return fs.SkipDir
	}
	if _, err := fs.Stat(root, path.Join(dir, "go.mod")); !errors.Is(err, fs.ErrNotExist) {
		return fs.SkipDir // a nested module, or a go.mod that cannot be read
	}
	return nil
}

// module reads the module that this package lies in.
func module(t *testing.T) []source {
	t.Helper()
	files, err := readModule(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("found no Go files: the rules would hold of nothing")
	}
	return files
}
