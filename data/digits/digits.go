package digits

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"sync"

	"github.com/goqat/goqat/data"
)

// compressed is sklearn/datasets/data/digits.csv.gz, byte for byte: 64 pixels and the digit on each line.
//
//go:embed digits.csv.gz
var compressed []byte

const (
	testRows  = 360
	allRows   = 1797
	splitSeed = 1 // part of the definition of the split
)

// Load returns the training set of 1,437 rows and the test set of 360. Inputs are images of shape [8, 8, 1],
// the pixels divided by 16; targets are the digits as class labels, 10 classes. The rows are shuffled, and
// every call returns the same sets.
func Load() (train, test data.Dataset) {
	sets := load()
	return sets[0], sets[1]
}

// load can only fail if the embedded file is not the one whose SHA-256 the test pins.
var load = sync.OnceValue(func() [2]data.Dataset {
	train, test, err := parse(compressed)
	if err != nil {
		panic(fmt.Sprintf("digits: embedded file: %v", err)) // unreachable: a test pins the SHA-256 of the file
	}
	return [2]data.Dataset{train, test}
})

func parse(compressed []byte) (train, test data.Dataset, err error) {
	text, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, nil, err
	}
	all, err := data.ReadCSV(text, data.CSV{Classes: 10, InputShape: []int{8, 8, 1}, Divisor: 16})
	if err != nil {
		return nil, nil, err
	}
	test, train, err = data.SplitStratified(all, float64(testRows)/allRows, splitSeed)
	return train, test, err
}
