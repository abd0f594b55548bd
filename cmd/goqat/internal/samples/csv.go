package samples

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/goqat/goqat/data"
)

// openCSV reads rows of so many columns, or one more, the last, which is no input.
// A first line that is not of numbers is a header.
func openCSV(name string, columns, rows int) (data.Dataset, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("samples: %w", err)
	}
	defer file.Close()
	lines := csv.NewReader(file)
	lines.ReuseRecord = true
	var x []float32
	n := 0
	for line := 1; rows == 0 || n < rows; line++ {
		record, err := lines.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("samples: %s: %w", name, err)
		}
		if len(record) != columns && len(record) != columns+1 {
			return nil, fmt.Errorf("samples: %s has %d columns, the input of the model %d elements", name, len(record), columns)
		}
		if x, err = appendNumbers(x, record[:columns]); err != nil {
			if line == 1 {
				x = x[:0]
				continue // a header
			}
			return nil, fmt.Errorf("samples: %s: line %d: %w", name, line, err)
		}
		n++
	}
	return named(name)(data.NewMemory(data.Arrays{InputShape: []int{columns}, X: x, Y: make([]float32, n)}))
}

func appendNumbers(x []float32, fields []string) ([]float32, error) {
	for i, f := range fields {
		v, err := strconv.ParseFloat(strings.TrimSpace(f), 32)
		if err != nil {
			return x, fmt.Errorf("column %d: %q is no number", i+1, f)
		}
		x = append(x, float32(v))
	}
	return x, nil
}
