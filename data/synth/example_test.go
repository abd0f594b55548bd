package synth_test

import (
	"fmt"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/data/audio"
	"github.com/goqat/goqat/data/synth"
)

// The zero value is the line y = 2x - 1 at six points.
func ExampleLine_Make() {
	ds, err := synth.Line{}.Make(1)
	if err != nil {
		fmt.Println(err)
		return
	}
	x, y := make([]float32, 6), make([]float32, 6)
	err = ds.Read([]int{0, 1, 2, 3, 4, 5}, x, y)
	fmt.Println(x, y, err)
	// Output: [-1 0 1 2 3 4] [-3 -1 1 3 5 7] <nil>
}

func ExampleImages_Make() {
	ds, err := synth.Images{Rows: 8, Height: 8, Width: 8, Classes: 8}.Make(2)
	if err != nil {
		fmt.Println(err)
		return
	}
	x, y := make([]float32, 64), make([]float32, 1)
	if err := ds.Read([]int{5}, x, y); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("class", y[0])
	for row := range 8 {
		for _, v := range x[row*8 : row*8+8] {
			fmt.Printf("%c", ".#"[min(1, int(v/0.4))])
		}
		fmt.Println()
	}
	// Output:
	// class 5
	// ....#...
	// ....#...
	// ....#...
	// ....#...
	// ########
	// ....#...
	// ....#...
	// ....#...
}

// Words become coefficients, and speakers who are never trained on remain for testing.
func ExampleWords_Make() {
	words := synth.Words{Rows: 24, Classes: 2, Speakers: 4}
	clips, err := words.Make(1)
	if err != nil {
		fmt.Println(err)
		return
	}
	ds, err := audio.KeywordSpotting().Extract(clips)
	if err != nil {
		fmt.Println(err)
		return
	}
	speakers, err := words.Groups()
	if err != nil {
		fmt.Println(err)
		return
	}
	train, test, err := data.SplitGroups(ds, speakers, 0.75, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	labels, err := words.Labels()
	fmt.Println(labels, clips.InputShape(), ds.InputShape(), train.Len(), test.Len(), err)
	// Output: [yes no] [16000] [49 10 1] 18 6 <nil>
}

// A recording, cut into windows of 2.56 seconds.
func ExampleMotion_Make() {
	recordings, err := synth.Motion{Subjects: 3}.Make(1)
	if err != nil {
		fmt.Println(err)
		return
	}
	labels := synth.MotionLabels()
	windows, err := data.Windows{Length: 128, Stride: 64, Channels: synth.MotionChannels, Classes: len(labels)}.Cut(recordings)
	if err != nil {
		fmt.Println(err)
		return
	}
	weights, err := data.ClassWeights(windows)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(windows.Len(), "windows of shape", windows.InputShape())
	for c, name := range labels {
		fmt.Printf("%s %.2f\n", name, weights[c])
	}
	// Output:
	// 135 windows of shape [128 3]
	// idle 0.84
	// walk 0.84
	// run 1.35
	// fall 1.12
}
