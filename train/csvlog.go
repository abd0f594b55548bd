package train

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"github.com/goqat/goqat/internal/atomicfile"
)

// CSVLog writes the history to a CSV file after each epoch: a header, then one
// line an epoch. The file is replaced as a whole, so that it is never half
// written and a resumed run continues it.
type CSVLog struct{ Path string }

// EpochEnd implements [Callback].
func (l CSVLog) EpochEnd(f *Fitting, _ Epoch) error {
	err := atomicfile.Write(l.Path, func(w io.Writer) error { return f.History.WriteCSV(w) })
	if err != nil {
		return fmt.Errorf("train: csv log: %w", err)
	}
	return nil
}

// WriteCSV writes one line for each epoch, after a header.
func (h *History) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	for i, e := range h.Epochs {
		header, line := []string{"epoch"}, []string{strconv.Itoa(e.Number)}
		add := func(prefix string, s *Scores) {
			if s == nil {
				return
			}
			header, line = append(header, prefix+"loss"), append(line, number(s.Loss))
			for _, m := range s.Metrics {
				header, line = append(header, prefix+m.Name), append(line, number(m.Value))
			}
		}
		add("", &e.Train)
		add("val_", e.Validation)
		header, line = append(header, "learning_rate"), append(line, number(e.LearningRate))
		if i == 0 {
			if err := c.Write(header); err != nil {
				return err
			}
		}
		if err := c.Write(line); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}
