package data

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// npyHeader is the dictionary at the start of an NPY file.
type npyHeader struct {
	descr   string
	fortran bool
	shape   []int
}

// parseNPYHeader reads the subset of Python literals that NPY headers are made of: a dictionary with exactly
// the keys descr, fortran_order and shape, in any order, and only spaces after it.
func parseNPYHeader(text string) (npyHeader, error) {
	var h npyHeader
	p := &literal{text: text}
	seen := map[string]bool{}
	p.expect("{")
	for p.err == nil && !p.accept("}") {
		key := p.quoted()
		p.expect(":")
		if seen[key] {
			p.fail("key %q appears twice", key)
		}
		seen[key] = true
		switch key {
		case "descr":
			h.descr = p.quoted()
		case "fortran_order":
			h.fortran = p.boolean()
		case "shape":
			h.shape = p.tuple()
		default:
			p.fail("unknown key %q", key)
		}
		if !p.accept(",") {
			p.expect("}")
			break
		}
	}
	if p.space(); p.err == nil && p.at < len(text) {
		p.fail("text after the dictionary")
	}
	if p.err == nil && len(seen) != 3 {
		p.err = errors.New("header lacks descr, fortran_order or shape")
	}
	return h, p.err
}

// literal scans Python literals. The first error sticks and ends every loop; at is the position in the header.
type literal struct {
	text string
	at   int
	err  error
}

func (p *literal) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("header, character %d: %w", p.at, fmt.Errorf(format, args...))
	}
}

func (p *literal) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

func (p *literal) accept(token string) bool {
	p.space()
	if p.err != nil || !strings.HasPrefix(p.text[p.at:], token) {
		return false
	}
	p.at += len(token)
	return true
}

func (p *literal) expect(token string) {
	if !p.accept(token) {
		p.fail("want %q", token)
	}
}

func (p *literal) boolean() bool {
	if p.accept("True") {
		return true
	}
	p.expect("False")
	return false
}

// quoted reads a string. Escapes do not occur in the strings that are valid here, so a backslash is a plain
// character and leads to an unknown key or type.
func (p *literal) quoted() string {
	quote := "'"
	if !p.accept(quote) {
		if quote = `"`; !p.accept(quote) {
			p.fail("want a string (structured types are not supported)")
			return ""
		}
	}
	s, _, closed := strings.Cut(p.text[p.at:], quote)
	if !closed {
		p.fail("string is not closed")
		return ""
	}
	p.at += len(s) + 1
	return s
}

func (p *literal) tuple() []int {
	shape := []int{}
	p.expect("(")
	for p.err == nil && !p.accept(")") {
		shape = append(shape, p.integer())
		if !p.accept(",") {
			p.expect(")")
			break
		}
	}
	return shape
}

func (p *literal) integer() int {
	p.space()
	end := p.at
	for end < len(p.text) && p.text[end] >= '0' && p.text[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(p.text[p.at:end])
	if err != nil {
		p.fail("want an axis, a non-negative integer")
		return 0
	}
	p.at = end
	p.accept("L") // versions written by Python 2
	return n
}
