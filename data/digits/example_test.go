package digits_test

import (
	"fmt"

	"github.com/goqat/goqat/data/digits"
)

// Prints the first test image.
func ExampleLoad() {
	train, test := digits.Load()
	fmt.Println(train.Len(), test.Len(), test.InputShape())

	x, y := make([]float32, 64), make([]float32, 1)
	if err := test.Read([]int{0}, x, y); err != nil {
		fmt.Println(err)
		return
	}
	for row := range 8 {
		for _, v := range x[row*8 : row*8+8] {
			fmt.Printf("%c", ".+#"[min(2, int(v*3))])
		}
		fmt.Println()
	}
	fmt.Println("label", y[0])
	// Output:
	// 1437 360 [8 8 1]
	// ..#####.
	// .....+#.
	// .....##.
	// ..+####.
	// ...+#+..
	// ...+#...
	// ...#....
	// ..##....
	// label 7
}
