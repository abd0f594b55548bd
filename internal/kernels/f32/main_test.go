package f32_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/goqat/goqat/internal/kernels/f32"
)

// TestMain runs every test and benchmark once at each level of dispatch.
func TestMain(m *testing.M) {
	code := 0
	f32.EachLevel(func() {
		fmt.Println("level", f32.Level())
		code = max(code, m.Run())
	})
	os.Exit(code)
}
