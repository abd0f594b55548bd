package q8

import (
	"fmt"
	"os"
	"testing"
)

// TestMain runs every test and benchmark once at each level of dispatch.
func TestMain(m *testing.M) {
	code := 0
	for _, level = range levels {
		fmt.Println("level", Level())
		code = max(code, m.Run())
	}
	os.Exit(code)
}
