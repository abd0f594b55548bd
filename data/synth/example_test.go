package synth_test

import (
	"fmt"

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
