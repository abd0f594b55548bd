package atomicfile_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/goqat/goqat/internal/atomicfile"
)

func ExampleWrite() {
	directory, err := os.MkdirTemp("", "atomicfile")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(directory)
	path := filepath.Join(directory, "weights")

	_ = atomicfile.WriteBytes(path, []byte("good"))
	_ = atomicfile.Write(path, func(w io.Writer) error {
		fmt.Fprint(w, "half a f")
		return errors.New("the encoder gave up")
	})
	content, _ := os.ReadFile(path)
	fmt.Println(string(content))
	// Output: good
}
