package diagnose_test

import (
	"fmt"
	"os"

	"github.com/goqat/goqat/diagnose"
)

func ExampleWriteLayers() {
	effect := func(decibels diagnose.Decibels, agreement float64) diagnose.Effect {
		return diagnose.Effect{Error: diagnose.Error{SQNR: decibels}, Agreement: agreement}
	}
	err := diagnose.WriteLayers(os.Stdout, []diagnose.Layer{
		{Name: "conv2d", Op: "CONV_2D", Alone: effect(41.2, 1), Without: effect(17.5, 0.9)},
		{Name: "dense", Op: "FULLY_CONNECTED", Alone: effect(17.6, 0.9), Without: effect(40.8, 0.995)},
	}, effect(17.4, 0.9))
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// quantized         operator  alone: SQNR    agrees  all others: SQNR   agrees
	//      conv2d          CONV_2D      41.2 dB  100.00 %           17.5 dB  90.00 %
	//       dense  FULLY_CONNECTED      17.6 dB   90.00 %           40.8 dB  99.50 %
	//         all                       17.4 dB   90.00 %
}
