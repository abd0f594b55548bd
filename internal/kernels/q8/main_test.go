package q8

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"pgregory.net/rapid"
)

// TestMain runs every test and benchmark once at each level of dispatch. Fuzz
// targets change levels themselves, and are run once.
func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.fuzz").Value.String() != "" {
		os.Exit(m.Run())
	}
	code := 0
	for _, level = range levels {
		fmt.Println("level", Level())
		code = max(code, m.Run())
	}
	os.Exit(code)
}

// atEveryLevel fuzzes a property: the input decides what the property draws, and
// where it ends a sequence that follows from it does.
func atEveryLevel(f *testing.F, property func(*rapid.T)) {
	for seed := range byte(8) {
		f.Add([]byte{seed})
	}
	check := rapid.MakeFuzz(property)
	f.Fuzz(func(t *testing.T, input []byte) {
		const most = 1 << 16 // bytes that a property draws
		var key [32]byte
		for i, b := range input {
			key[i%len(key)] = 31*key[i%len(key)] + b
		}
		drawn := append([]byte(nil), input...)
		for source := rand.NewChaCha8(key); len(drawn) < most; {
			var word [512]byte
			source.Read(word[:])
			drawn = append(drawn, word[:]...)
		}
		defer func(l *dispatch) { level = l }(level)
		for _, level = range levels {
			check(t, drawn)
		}
	})
}

// AtEveryLevel is atEveryLevel for the tests outside the package.
var AtEveryLevel = atEveryLevel
