package layers

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// Summary writes a table of the layers, their output shapes and the numbers of
// their parameters, as Keras' model.summary() does. Layers inside a nested
// Sequential are listed one by one; None stands for the batch.
//
// Errors: those of [Sequential.Build], and those of w.
func (s Sequential) Summary(w io.Writer, in Input) error {
	b, err := s.build(in, 0)
	if err != nil {
		return err
	}
	table := [][3]string{{"Layer (type)", "Output Shape", "Param #"}}
	trainable, statistics := 0, 0
	for _, r := range b.rows {
		trainable += r.parameters
		statistics += r.statistics
		table = append(table, [3]string{r.name + " (" + r.class + ")", shapeText(r.shape), grouped(r.parameters + r.statistics)})
	}
	var text strings.Builder
	fmt.Fprintf(&text, "Model: %q\n", b.graph.Name)
	writeTable(&text, table)
	for _, total := range []struct {
		name     string
		elements int
	}{
		{"Total", trainable + statistics}, {"Trainable", trainable}, {"Non-trainable", statistics},
	} {
		fmt.Fprintf(&text, " %s params: %s (%s)\n", total.name, grouped(total.elements), bytesText(total.elements*4))
	}
	_, err = io.WriteString(w, text.String())
	return err
}

// writeTable writes rows under a heading, the last column to the right.
func writeTable(w io.Writer, rows [][3]string) {
	var widths [3]int
	for _, r := range rows {
		for i, cell := range r {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	line := func(left, fill, cross, right string) {
		var cells []string
		for _, n := range widths {
			cells = append(cells, strings.Repeat(fill, n+2))
		}
		fmt.Fprintln(w, left+strings.Join(cells, cross)+right)
	}
	line("┏", "━", "┳", "┓")
	for i, r := range rows {
		side := "│"
		switch i {
		case 0:
			side = "┃"
		case 1:
			line("┡", "━", "╇", "┩")
		default:
			line("├", "─", "┼", "┤")
		}
		fmt.Fprintf(w, "%s %-*s %s %-*s %s %*s %s\n", side, widths[0], r[0], side, widths[1], r[1], side, widths[2], r[2], side)
	}
	line("└", "─", "┴", "┘")
}

// shapeText is Keras' way to write a shape: "(None, 28, 28, 16)".
func shapeText(shape []int) string {
	parts := []string{"None"}
	for _, d := range shape[1:] {
		parts = append(parts, fmt.Sprint(d))
	}
	if len(parts) == 1 {
		return "(None,)"
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// grouped writes a count with commas between the thousands.
func grouped(n int) string {
	digits := []byte(fmt.Sprint(n))
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = slices.Insert(digits, i, ',')
	}
	return string(digits)
}

// bytesText writes a size of memory in the unit that suits it.
func bytesText(n int) string {
	units := []string{"B", "KB", "MB", "GB"}
	size := float64(n)
	for size >= 1024 && len(units) > 1 {
		size /= 1024
		units = units[1:]
	}
	return fmt.Sprintf("%.2f %s", size, units[0])
}
