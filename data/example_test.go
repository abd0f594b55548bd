package data_test

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/goqat/goqat/data"
)

// Reads every row once, in shuffled order, two at a time.
func ExampleBatches() {
	ds, err := data.NewMemory(data.Arrays{
		InputShape: []int{1}, X: []float32{-1, 0, 1, 2, 3},
		Y: []float32{-3, -1, 1, 3, 5},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	x, y := make([]float32, 2), make([]float32, 2)
	for batch := range data.Batches(data.Shuffle(ds.Len(), 1, 0), 2) {
		n := len(batch)
		if err := ds.Read(batch, x[:n], y[:n]); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(batch, x[:n], y[:n])
	}
	// Output:
	// [0 3] [-1 2] [-3 3]
	// [2 1] [1 0] [1 -1]
	// [4] [3] [5]
}

func ExampleReadCSV() {
	file := "length,width,species\n5.1,3.5,setosa\n7.0,3.2,versicolor\n6.3,3.3,virginica\n"
	flowers, err := data.ReadCSV(strings.NewReader(file), data.CSV{
		Header:     true,
		LabelName:  "species",
		ClassNames: []string{"setosa", "versicolor", "virginica"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	labels, err := data.Labels(flowers)
	fmt.Println(flowers.Len(), flowers.InputShape(), labels, err)
	// Output: 3 [2] [0 1 2] <nil>
}

// Errors say where.
func ExampleReadCSV_error() {
	_, err := data.ReadCSV(strings.NewReader("a,b,label\n1,2,0\n1,?,1\n"), data.CSV{Header: true, Classes: 2})
	fmt.Println(err)
	// Output: data: csv: line 3, column 2 (b): "?" is not a number
}

func ExampleWriteNPY() {
	var file bytes.Buffer
	if err := data.WriteNPY(&file, &data.Array{Shape: []int{2, 2}, Data: []int8{1, -2, 3, -4}}); err != nil {
		fmt.Println(err)
		return
	}
	a, err := data.ReadNPY(&file)
	if err != nil {
		fmt.Println(err)
		return
	}
	switch values := a.Data.(type) {
	case []int8:
		fmt.Println(a.Shape, values)
	default:
		fmt.Printf("unexpected %T\n", values)
	}
	// Output: [2 2] [1 -2 3 -4]
}

func ExampleSplitStratified() {
	ds, err := data.NewMemory(data.Arrays{
		InputShape: []int{1}, X: make([]float32, 10),
		Y: []float32{0, 0, 0, 0, 0, 1, 1, 1, 1, 1}, Classes: 2,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	train, test, err := data.SplitStratified(ds, 0.6, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, part := range []data.Dataset{train, test} {
		labels, err := data.Labels(part)
		fmt.Println(labels, err)
	}
	// Output:
	// [1 0 0 1 1 0] <nil>
	// [1 1 0 0] <nil>
}
