package report_test

import (
	"fmt"

	"github.com/goqat/goqat/report"
)

func ExamplePairedDifference() {
	float32Right := []bool{true, true, true, false, true, true, true, true}
	int8Right := []bool{true, true, false, false, true, true, true, true}
	d, err := report.PairedDifference(float32Right, int8Right)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d)
	// Output: -12.50 [-37.02, +17.02]
}
