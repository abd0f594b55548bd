package train

import (
	"fmt"
	"math"
	"strings"
)

// ConfusionMatrix counts the rows of each class by the class predicted for them;
// classes are those of [Accuracy]. The counts are in [NamedScore.Confusion]; the
// value is the share of rows on the diagonal, the accuracy.
type ConfusionMatrix struct {
	As string // the metric's name; empty means "confusion_matrix"
}

// Name implements [Metric].
func (m ConfusionMatrix) Name() string { return nameOr(m.As, "confusion_matrix") }

// Score implements [Metric].
func (ConfusionMatrix) Score(output, target []float32, loss Loss) float64 {
	return Accuracy{}.Score(output, target, loss)
}

// Accumulate implements [Accumulator]. Of C classes, count right*C + predicted
// is that of a pair.
func (ConfusionMatrix) Accumulate(counts []float64, output, target []float32, loss Loss) []float64 {
	n := max(len(output), 2)
	if counts == nil {
		counts = make([]float64, n*n)
	}
	right, predicted := classes(output, target, loss)
	counts[right*n+predicted]++
	return counts
}

// Value implements [Accumulator].
func (m ConfusionMatrix) Value(counts []float64) float64 { return m.matrix(counts).Accuracy() }

// Confusion holds numbers of rows: [class][class predicted].
type Confusion [][]int

// matrix makes a square of counts.
func (ConfusionMatrix) matrix(counts []float64) Confusion {
	n := int(math.Sqrt(float64(len(counts))))
	c := make(Confusion, n)
	for i, v := range counts {
		c[i/n] = append(c[i/n], int(v))
	}
	return c
}

// Accuracy is the share of rows predicted right, 0 for none.
func (c Confusion) Accuracy() float64 {
	right, all := 0, 0
	for class := range c {
		right += c[class][class]
		for _, n := range c[class] {
			all += n
		}
	}
	return ratio(float64(right), float64(all-right))
}

// Recall is the share of the rows of a class that were predicted right, 0 for
// none.
func (c Confusion) Recall(class int) float64 {
	right, all := c[class][class], 0
	for _, n := range c[class] {
		all += n
	}
	return ratio(float64(right), float64(all-right))
}

// Precision is the share of the rows of a class among those predicted to be, 0
// for none.
func (c Confusion) Precision(class int) float64 {
	right, all := c[class][class], 0
	for _, row := range c {
		all += row[class]
	}
	return ratio(float64(right), float64(all-right))
}

// String returns a table: a row for each class with its counts and its recall,
// and a last row with the precision of each; the accuracy is in the corner.
func (c Confusion) String() string { return c.Table(nil) }

// Table is String with names for the classes instead of their numbers.
func (c Confusion) Table(names []string) string {
	name := func(class int) string {
		if class < len(names) {
			return names[class]
		}
		return fmt.Sprint(class)
	}
	head, last := []string{"class"}, []string{"precision"}
	rows := [][]string{nil}
	for class := range c {
		head, last = append(head, name(class)), append(last, fmt.Sprintf("%.3f", c.Precision(class)))
		row := []string{name(class)}
		for _, n := range c[class] {
			row = append(row, fmt.Sprint(n))
		}
		rows = append(rows, append(row, fmt.Sprintf("%.3f", c.Recall(class))))
	}
	rows[0] = append(head, "recall")
	rows = append(rows, append(last, fmt.Sprintf("%.3f", c.Accuracy())))
	return aligned(rows)
}

// aligned writes rows of cells in columns, the first to the left and the others
// to the right.
func aligned(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, cell := range r {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	var s strings.Builder
	for _, r := range rows {
		for i, cell := range r {
			if i == 0 {
				fmt.Fprintf(&s, "%-*s", widths[i], cell)
			} else {
				fmt.Fprintf(&s, "  %*s", widths[i], cell)
			}
		}
		s.WriteByte('\n')
	}
	return s.String()
}
