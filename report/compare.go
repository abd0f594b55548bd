package report

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Entry is one model file and what it predicts for the test set.
type Entry struct {
	// Name of the kind of model: "int8 (QAT)".
	Name string
	// Path of the file.
	Path string
	// Bytes of the file.
	Bytes int64
	// Predictions are class indices, one for each test example.
	Predictions []int
}

// Row is one line of a comparison. Fractions, not per cent.
type Row struct {
	Name     string  `json:"name"`
	Path     string  `json:"path"`
	Accuracy float64 `json:"accuracy"`
	// ToFloat is the accuracy minus that of the reference; zero in its own row.
	ToFloat Difference `json:"difference_to_float"`
	Bytes   int64      `json:"bytes"`
	// Ratio is the reference's bytes divided by this file's.
	Ratio float64 `json:"float_bytes_per_byte"`
	// Agreement is the share of examples with the reference's prediction.
	Agreement float64 `json:"agreement_with_float"`
}

// Compare measures entries against labels and against the entry named
// reference.
//
// Errors: no labels; an entry with another number of predictions, by name; no
// entry named reference.
func Compare(labels []int, entries []Entry, reference string) ([]Row, error) {
	var ref *Entry
	for i := range entries {
		if entries[i].Name == reference {
			ref = &entries[i]
		}
		if len(entries[i].Predictions) != len(labels) || len(labels) == 0 {
			return nil, fmt.Errorf("report: %q has %d predictions for %d labels", entries[i].Name, len(entries[i].Predictions), len(labels))
		}
	}
	if ref == nil {
		return nil, fmt.Errorf("report: no entry is named %q", reference)
	}
	base := Right(labels, ref.Predictions)
	var rows []Row
	for _, e := range entries {
		right := Right(labels, e.Predictions)
		d, err := PairedDifference(base, right)
		if err != nil {
			return nil, err
		}
		if e.Name == reference {
			d = Difference{}
		}
		rows = append(rows, Row{
			Name: e.Name, Path: e.Path, Accuracy: share(right), ToFloat: d, Bytes: e.Bytes,
			Ratio:     float64(ref.Bytes) / float64(e.Bytes),
			Agreement: share(Right(ref.Predictions, e.Predictions)),
		})
	}
	return rows, nil
}

// Right tells, example by example, whether the prediction is the label.
func Right(labels, predictions []int) []bool {
	right := make([]bool, len(labels))
	for i, l := range labels {
		right[i] = predictions[i] == l
	}
	return right
}

// share returns the fraction of true values.
func share(b []bool) float64 {
	n := 0
	for _, v := range b {
		if v {
			n++
		}
	}
	return float64(n) / float64(len(b))
}

// WriteTable prints rows as an aligned text table. Accuracies are per cent,
// differences percentage points with their 95 % interval.
func WriteTable(w io.Writer, rows []Row) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "model\taccuracy\tto float [95 %]\tbytes\tsmaller\tagrees\t\n")
	for _, r := range rows {
		diff := "-"
		if r.ToFloat != (Difference{}) || r.Agreement < 1 {
			diff = r.ToFloat.String()
		}
		fmt.Fprintf(t, "%s\t%.2f %%\t%s\t%d\t%.2fx\t%.2f %%\t\n", r.Name, 100*r.Accuracy, diff, r.Bytes, r.Ratio, 100*r.Agreement)
	}
	return t.Flush()
}
