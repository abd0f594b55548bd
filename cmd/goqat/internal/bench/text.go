package bench

import (
	"fmt"
	"io"
)

// WriteHeader begins a table of results.
func WriteHeader(w io.Writer, rows Rows) error {
	_, err := fmt.Fprintf(w, "%s: epochs of %d rows\n%-9s %5s  %-5s  %7s  %8s  %9s  %12s  %11s  %8s\n",
		rows.Name, rows.Set.Len(), "net", "batch", "what", "threads", "epoch s", "samples/s", "first step s", "allocs/step", "peak MB")
	return err
}

// WriteText writes the result as a line of a table.
func (r Result) WriteText(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%-9s %5d  %-5s  %7d  %8.3f  %9.0f  %12.2f  %11.1f  %8.0f\n",
		r.Net, r.Batch, r.What, r.Threads, r.EpochSeconds, r.SamplesPerSecond, r.FirstStepSeconds, r.AllocsPerStep, float64(r.PeakBytes)/1e6)
	return err
}
