package diagnose

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"
)

// WriteTensors prints an aligned text table, a line for each tensor.
func WriteTensors(w io.Writer, list []Tensor) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "tensor\tof\tSQNR\tcosine\tlargest error\tscale\tclipped\t\n")
	for _, r := range list {
		op := r.Op
		if r.Weights {
			op += " weights"
		}
		grid := "-\t-" // none, or one that changes
		if r.Scale != 0 {
			grid = fmt.Sprintf("%.4g\t%.3f %%", r.Scale, 100*r.Clipped)
		}
		fmt.Fprintf(t, "%s\t%s\t%v\t%.6f\t%.4g\t%s\t\n", r.Name, op, r.SQNR, r.Cosine, r.Largest, grid)
	}
	return t.Flush()
}

// WriteLayers prints an aligned text table: a line for each layer, that of all
// layers last.
func WriteLayers(w io.Writer, layers []Layer, all Effect) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "quantized\toperator\talone: SQNR\tagrees\tall others: SQNR\tagrees\t\n")
	for _, l := range layers {
		fmt.Fprintf(t, "%s\t%s\t%v\t%.2f %%\t%v\t%.2f %%\t\n", l.Name, l.Op, l.Alone.SQNR, 100*l.Alone.Agreement, l.Without.SQNR, 100*l.Without.Agreement)
	}
	fmt.Fprintf(t, "all\t\t%v\t%.2f %%\t\t\t\n", all.SQNR, 100*all.Agreement)
	return t.Flush()
}

func (d Decibels) String() string {
	if math.IsInf(float64(d), 1) {
		return "exact"
	}
	return fmt.Sprintf("%.1f dB", float64(d))
}
