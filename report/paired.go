package report

import (
	"fmt"
	"math"
)

// Difference is the difference of two accuracies measured on the same examples,
// with its 95 % confidence interval. Fractions, not per cent.
type Difference struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// z95 is the 97.5 % quantile of the standard normal distribution.
const z95 = 1.959963984540054

// PairedDifference returns the accuracy of b minus that of a, given which
// examples each got right. Only the examples on which they differ count: with x
// right in b alone and y right in a alone out of n,
//
//	value    = (x-y)/n
//	interval = (x-y)/m ± 1.96 * sqrt(x'+y' - (x-y)^2/m)/m,  m = n+2, x' = x+1/2, y' = y+1/2
//
// limited to [-1, 1]. The added halves keep the interval honest when x and y
// are small.
//
// Errors: unequal lengths, no examples.
//
// Source: Agresti and Min, "Simple improved confidence intervals for comparing
// matched proportions", Statistics in Medicine 24 (2005).
func PairedDifference(a, b []bool) (Difference, error) {
	if len(a) != len(b) || len(a) == 0 {
		return Difference{}, fmt.Errorf("report: cannot pair %d and %d examples", len(a), len(b))
	}
	var x, y float64
	for i := range a {
		switch {
		case b[i] && !a[i]:
			x++
		case a[i] && !b[i]:
			y++
		}
	}
	n := float64(len(a))
	m := n + 2
	center := (x - y) / m
	half := z95 * math.Sqrt(x+y+1-(x-y)*(x-y)/m) / m
	return Difference{Value: (x - y) / n, Low: max(center-half, -1), High: min(center+half, 1)}, nil
}

// String prints the difference in percentage points.
func (d Difference) String() string {
	return fmt.Sprintf("%+.2f [%+.2f, %+.2f]", 100*d.Value, 100*d.Low, 100*d.High)
}
