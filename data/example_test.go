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

// Each epoch sees the image in another place; what measures accuracy sees it as it is.
func ExampleAugment() {
	ds, err := data.NewMemory(data.Arrays{
		InputShape: []int{3, 4, 1}, Y: []float32{1},
		X: []float32{
			0, 0, 0, 0,
			0, 1, 1, 0,
			0, 0, 0, 0,
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	varied, err := data.Augment(ds, 1, data.RandomTranslation{Height: 0.3, Width: 0.3})
	if err != nil {
		fmt.Println(err)
		return
	}
	x, y := make([]float32, 12), make([]float32, 1)
	for _, ds := range []data.Dataset{varied, varied.Epoch(0), varied.Epoch(1)} {
		if err := ds.Read([]int{0}, x, y); err != nil {
			fmt.Println(err)
			return
		}
		for row := range 3 {
			fmt.Printf("%4.1f\n", x[row*4:row*4+4])
		}
	}
	// Output:
	// [ 0.0  0.0  0.0  0.0]
	// [ 0.0  1.0  1.0  0.0]
	// [ 0.0  0.0  0.0  0.0]
	// [ 0.0  0.0  0.0  0.0]
	// [ 0.0  0.2  0.9  0.7]
	// [ 0.0  0.0  0.1  0.1]
	// [ 0.0  0.0  0.0  0.0]
	// [ 0.1  0.6  0.5  0.0]
	// [ 0.1  0.4  0.3  0.0]
}

func ExampleClassWeights() {
	ds, err := data.NewMemory(data.Arrays{
		InputShape: []int{1}, X: make([]float32, 8),
		Y: []float32{0, 0, 0, 0, 0, 0, 1, 1}, Classes: 2,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	weights, err := data.ClassWeights(ds)
	fmt.Printf("%.3f %.3f %v\n", weights[0], weights[1], err)
	balanced, err := data.Oversample(ds, 1)
	fmt.Println(balanced.Len(), "rows", err)
	// Output:
	// 0.667 2.000 <nil>
	// 12 rows <nil>
}

// A CSV file with one line for each step, cut into windows; the later third is for testing.
func ExampleWindows_Cut() {
	file := "x,y,z,activity\n1,0,9,0\n2,0,9,0\n3,0,9,0\n4,0,9,0\n5,7,2,1\n6,7,2,1\n7,7,2,1\n8,7,2,1\n9,7,2,1\n"
	steps, err := data.ReadCSV(strings.NewReader(file), data.CSV{Header: true, Classes: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	recording, err := data.NewSeries(steps)
	if err != nil {
		fmt.Println(err)
		return
	}
	train, test, err := data.SplitTime([]data.Series{recording}, 3, 2./3)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, part := range [][]data.Series{train, test} {
		windows, err := data.Windows{Length: 3, Stride: 1, Channels: 3, Classes: 2}.Cut(part)
		if err != nil {
			fmt.Println(err)
			return
		}
		labels, err := data.Labels(windows)
		fmt.Println(windows.Len(), "windows of shape", windows.InputShape(), labels, err)
	}
	// Output:
	// 4 windows of shape [3 3] [0 0 0 1] <nil>
	// 1 windows of shape [3 3] [1] <nil>
}

func ExampleWriteNPZ() {
	var file bytes.Buffer
	err := data.WriteNPZ(&file, map[string]*data.Array{
		"x": {Shape: []int{2, 1}, Data: []float32{0.5, 1.5}},
		"y": {Shape: []int{2}, Data: []uint8{0, 1}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	arrays, err := data.ReadNPZ(bytes.NewReader(file.Bytes()), int64(file.Len()))
	fmt.Println(arrays["x"].Shape, arrays["y"].Data, err)
	// Output:
	// [2 1] [0 1] <nil>
}
