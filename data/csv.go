package data

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// CSV says how to read a CSV file. The zero value is a file without a header whose last column is a number to
// predict and whose other columns are the input.
type CSV struct {
	Header bool // the first line holds the names of the columns
	Comma  rune // separator; 0 means ','

	// The column of targets is the one with the name LabelName, which needs Header, or else column number
	// LabelColumn, counted from 1, or else the last one.
	LabelName   string
	LabelColumn int

	// Classes says that targets are class labels 0..Classes-1; 0 that they are numbers to predict. With
	// ClassNames instead, targets are these names, and the label is the position in the list.
	Classes    int
	ClassNames []string

	InputShape []int   // shape of one input; nil means [number of input columns]
	Divisor    float32 // inputs are divided by it, for example by 255 for pixels; 0 means 1
}

// ReadCSV reads a CSV file (RFC 4180). Fields may be quoted and padded with spaces; a byte order mark and empty
// lines are skipped.
//
// Errors, with line and column (both counted from 1): lines with different numbers of fields, a field that is
// no number, NaN, Inf or beyond float32, a label out of range, no rows, options that contradict the file.
func ReadCSV(r io.Reader, options CSV) (*Memory, error) {
	m, err := readCSV(r, options)
	if err != nil {
		return nil, fmt.Errorf("data: csv: %w", err)
	}
	return m, nil
}

func readCSV(r io.Reader, options CSV) (*Memory, error) {
	if err := options.normalize(); err != nil {
		return nil, err
	}
	buffered := bufio.NewReader(r)
	if mark, _ := buffered.Peek(3); string(mark) == "\xef\xbb\xbf" {
		_, _ = buffered.Discard(3) // peeked, so it cannot fail
	}
	lines := csv.NewReader(buffered)
	lines.Comma = options.Comma
	lines.ReuseRecord = true

	p := csvParser{CSV: options, lines: lines}
	for {
		record, err := lines.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, p.readError(record, err)
		}
		if err := p.line(record); err != nil {
			return nil, err
		}
	}
	if len(p.y) == 0 {
		return nil, errors.New("no rows")
	}
	shape := options.InputShape
	if shape == nil {
		shape = []int{p.fields - 1}
	}
	if n, err := elements(shape); err != nil || n != p.fields-1 {
		return nil, fmt.Errorf("%d input columns do not fill an input of shape %v", p.fields-1, shape)
	}
	return NewMemory(Arrays{InputShape: shape, X: p.x, Y: p.y, Classes: options.Classes})
}

// normalize fills in defaults and refuses contradictions.
func (o *CSV) normalize() error {
	if o.Comma == 0 {
		o.Comma = ','
	}
	if o.Divisor == 0 {
		o.Divisor = 1
	}
	switch {
	case !(o.Divisor > 0) || notFinite(o.Divisor) != "":
		return fmt.Errorf("divisor %v is not positive and finite", o.Divisor)
	case o.LabelName != "" && !o.Header:
		return fmt.Errorf("label column %q is given by name, but Header is not set", o.LabelName)
	case o.LabelName != "" && o.LabelColumn != 0:
		return errors.New("label column is given by name and by number")
	case o.LabelColumn < 0:
		return fmt.Errorf("label column %d; the first is 1", o.LabelColumn)
	case o.Classes < 0 || o.Classes > maxClasses:
		return fmt.Errorf("%d classes, want 0 to %d", o.Classes, maxClasses)
	case o.Classes != 0 && len(o.ClassNames) != 0 && o.Classes != len(o.ClassNames):
		return fmt.Errorf("%d classes but %d class names", o.Classes, len(o.ClassNames))
	}
	for i, name := range o.ClassNames {
		if slices.Contains(o.ClassNames[:i], name) {
			return fmt.Errorf("class name %q appears twice", name)
		}
	}
	if len(o.ClassNames) != 0 {
		o.Classes = len(o.ClassNames)
	}
	return nil
}

// csvParser collects rows. fields is 0 before the first line, which sets it and the label's place.
type csvParser struct {
	CSV
	lines  *csv.Reader
	names  []string // of the columns; nil without a header
	fields int
	label  int // counted from 0
	x, y   []float32
}

func (p *csvParser) line(record []string) error {
	if p.fields == 0 {
		p.fields = len(record)
		if err := p.findLabel(record); err != nil {
			return err
		}
		if p.Header {
			p.names = slices.Clone(record)
			return nil
		}
	}
	for i, field := range record {
		field = strings.TrimSpace(field)
		if i == p.label {
			v, err := p.target(field)
			if err != nil {
				return p.fieldError(i, err)
			}
			p.y = append(p.y, v)
			continue
		}
		v, err := number(field)
		if err != nil {
			return p.fieldError(i, err)
		}
		if v /= p.Divisor; notFinite(v) != "" {
			return p.fieldError(i, fmt.Errorf("%s / %v is %s", field, p.Divisor, notFinite(v)))
		}
		p.x = append(p.x, v)
	}
	return nil
}

func (p *csvParser) findLabel(first []string) error {
	if len(first) < 2 {
		return errors.New("one column; want at least an input and a target")
	}
	if p.LabelColumn > len(first) {
		return fmt.Errorf("label column %d of %d", p.LabelColumn, len(first))
	}
	p.label = len(first) - 1
	if p.LabelColumn > 0 {
		p.label = p.LabelColumn - 1
	}
	if p.LabelName == "" {
		return nil
	}
	p.label = -1
	for i, name := range first {
		if strings.TrimSpace(name) != p.LabelName {
			continue
		}
		if p.label >= 0 {
			return fmt.Errorf("columns %d and %d both have the name %q", p.label+1, i+1, p.LabelName)
		}
		p.label = i
	}
	if p.label < 0 {
		return fmt.Errorf("no column has the name %q; there are %q", p.LabelName, first)
	}
	return nil
}

func (p *csvParser) target(field string) (float32, error) {
	if len(p.ClassNames) > 0 {
		class := slices.Index(p.ClassNames, field)
		if class < 0 {
			return 0, fmt.Errorf("%q is none of the classes %q", field, p.ClassNames)
		}
		return float32(class), nil
	}
	v, err := number(field)
	if err != nil || p.Classes == 0 {
		return v, err
	}
	return v, checkLabel(v, p.Classes)
}

func number(field string) (float32, error) {
	v, err := strconv.ParseFloat(field, 32)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, fmt.Errorf("%s is beyond float32", field)
	case err != nil:
		return 0, fmt.Errorf("%q is not a number", field)
	case math.IsNaN(v) || math.IsInf(v, 0):
		return 0, fmt.Errorf("%s is not a finite number", field)
	}
	return float32(v), nil
}

// fieldError names the line, the column and, where known, the column's name.
func (p *csvParser) fieldError(field int, err error) error {
	line, _ := p.lines.FieldPos(field)
	name := ""
	if p.names != nil {
		name = fmt.Sprintf(" (%s)", strings.TrimSpace(p.names[field]))
	} else if len(p.y) == 0 && line == 1 {
		err = fmt.Errorf("%w; set Header if the first line holds names", err)
	}
	return fmt.Errorf("line %d, column %d%s: %w", line, field+1, name, err)
}

// readError rephrases the errors of encoding/csv, whose columns are bytes.
func (p *csvParser) readError(record []string, err error) error {
	var parse *csv.ParseError
	if !errors.As(err, &parse) {
		return err
	}
	if errors.Is(err, csv.ErrFieldCount) {
		return fmt.Errorf("line %d: %d fields, want %d: %w", parse.Line, len(record), p.fields, csv.ErrFieldCount)
	}
	return fmt.Errorf("line %d, byte %d: %w", parse.Line, parse.Column, parse.Err)
}
