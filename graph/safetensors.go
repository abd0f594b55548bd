package graph

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"unicode/utf8"
)

// The safetensors layout: the header's length (8 bytes, little-endian), the
// header (JSON: a map of strings under __metadata__, and for each tensor its
// type, shape and place in the data), the data without gaps.
//
// Source: github.com/huggingface/safetensors, README.

const (
	metadataKey = "__metadata__"
	// maxHeader bounds what a damaged length can make us read; the safetensors
	// library has the same limit.
	maxHeader = 100_000_000
	// maxElements bounds a tensor, so that no size computed from a shape
	// overflows.
	maxElements = 1 << 40
)

// storedTypes are the safetensors names of the number types.
var storedTypes = [...]string{"F32", "F16", "I8", "U8", "I16", "I32", "I64"}

// entry is a tensor in the header. Offsets count from the end of the header.
type entry struct {
	name    string
	Type    string   `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// sortStored puts tensors in the order of their data: wide elements first, so
// that all are aligned to their size without gaps, then by name.
func sortStored(tensors []*Tensor) {
	slices.SortFunc(tensors, func(a, b *Tensor) int {
		return cmp.Or(cmp.Compare(b.Type.Size(), a.Type.Size()), cmp.Compare(a.Name, b.Name))
	})
}

// writeSafetensors writes tensors, sorted by sortStored, and metadata. Equal
// arguments give equal bytes.
func writeSafetensors(w io.Writer, metadata map[string]string, tensors []*Tensor) error {
	header := map[string]any{metadataKey: metadata}
	var end int64
	for _, t := range tensors {
		if _, clash := header[t.Name]; clash || !utf8.ValidString(t.Name) {
			return fmt.Errorf("two tensors are named %q, or the name is reserved or not UTF-8", t.Name)
		}
		begin := end
		end += int64(t.Elements()) * int64(t.Type.Size())
		header[t.Name] = entry{Type: storedTypes[t.Type], Shape: append([]int{}, t.Shape...), Offsets: [2]int64{begin, end}}
	}
	text, err := json.Marshal(header) // sorts the keys
	if err != nil {
		return err
	}
	for len(text)%8 != 0 {
		text = append(text, ' ') // so that the data is aligned to 8 bytes
	}
	if len(text) > maxHeader {
		return fmt.Errorf("the header has %d bytes, at most %d are allowed", len(text), maxHeader)
	}
	if _, err := w.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(text)))); err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	for _, t := range tensors {
		if err := binary.Write(w, binary.LittleEndian, t.Data); err != nil {
			return fmt.Errorf("tensor %q: %w", t.Name, err)
		}
	}
	return nil
}

// readSafetensors reads a whole file. The tensors, constants in the order of
// their data, have memory of their own; no more is allocated than the file is
// long, times a small factor.
func readSafetensors(r io.Reader) (map[string]string, []*Tensor, error) {
	prefix, err := readExactly(r, 0, 8)
	if err != nil {
		return nil, nil, fmt.Errorf("header length: %w", err)
	}
	length := binary.LittleEndian.Uint64(prefix)
	if length > maxHeader {
		return nil, nil, fmt.Errorf("byte 0: a header of %d bytes; at most %d are allowed: not a safetensors file?", length, maxHeader)
	}
	text, err := readExactly(r, 8, int64(length))
	if err != nil {
		return nil, nil, fmt.Errorf("header: %w", err)
	}
	metadata, entries, err := parseHeader(text)
	if err != nil {
		return nil, nil, err
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return cmp.Compare(a.Offsets[0], b.Offsets[0]) })
	var tensors []*Tensor
	data := 8 + int64(length)
	at := data
	for _, e := range entries {
		t, size, err := e.tensor()
		if err == nil && (e.Offsets[0] != at-data || e.Offsets[1] != at-data+size) {
			err = fmt.Errorf("data at %v, want %d bytes right after the tensor before: [%d %d]", e.Offsets, size, at-data, at-data+size)
		}
		if err == nil {
			err = readData(r, t, at, size)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", e.name, err)
		}
		at += size
		tensors = append(tensors, t)
	}
	switch _, err := io.ReadFull(r, make([]byte, 1)); {
	case err == nil:
		return nil, nil, fmt.Errorf("byte %d: the file goes on after its last tensor", at)
	case err != io.EOF:
		return nil, nil, fmt.Errorf("byte %d: %w", at, err)
	}
	return metadata, tensors, nil
}

// readExactly reads n bytes at offset at, allocating as they arrive.
func readExactly(r io.Reader, at, n int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, n))
	if err == nil && int64(len(b)) < n {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("byte %d: %d of %d bytes: %w", at+int64(len(b)), len(b), n, err)
	}
	return b, nil
}

// parseHeader reads the JSON header, which begins at byte 8 of the file.
func parseHeader(text []byte) (metadata map[string]string, entries []entry, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	fail := func(err error) error { return fmt.Errorf("byte %d: header: %w", 8+d.InputOffset(), err) }
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return nil, nil, fail(cmp.Or(err, errors.New("not a JSON object")))
	}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, nil, fail(err)
		}
		name := token.(string) // a token before a value is a key, or an error
		if seen[name] {
			return nil, nil, fail(fmt.Errorf("%q is listed twice", name))
		}
		seen[name] = true
		if name == metadataKey {
			err = d.Decode(&metadata)
		} else {
			e := entry{name: name}
			err = d.Decode(&e)
			entries = append(entries, e)
		}
		if err != nil {
			return nil, nil, fail(fmt.Errorf("%q: %w", name, err))
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, nil, fail(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, nil, fail(errors.New("more than one value"))
	}
	return metadata, entries, nil
}

// tensor returns the tensor an entry describes, without data, and the size of
// its data in bytes.
func (e entry) tensor() (t *Tensor, size int64, err error) {
	typ := slices.Index(storedTypes[:], e.Type)
	if typ < 0 {
		return nil, 0, fmt.Errorf("unknown number type %q", e.Type)
	}
	t = &Tensor{Name: e.name, Type: Type(typ), Role: Constant, Shape: append([]int{}, e.Shape...)}
	if err := checkSize(e.Shape); err != nil {
		return nil, 0, err
	}
	return t, int64(t.Elements()) * int64(t.Type.Size()), nil
}

// checkSize refuses shapes with sizes that are not positive or too many
// elements.
func checkSize(shape []int) error {
	n := int64(1)
	for _, d := range shape {
		if d < 1 || int64(d) > maxElements/n {
			return fmt.Errorf("shape %v has a size that is not positive, or more than %d elements", shape, int64(maxElements))
		}
		n *= int64(d)
	}
	return nil
}

// readData reads the tensor's elements: size bytes at offset at.
func readData(r io.Reader, t *Tensor, at, size int64) error {
	if size > math.MaxInt {
		return fmt.Errorf("%d bytes do not fit this machine", size)
	}
	raw, err := readExactly(r, at, size)
	if err != nil {
		return err
	}
	t.Data = newData(t.Type, t.Elements())
	_, err = binary.Decode(raw, binary.LittleEndian, t.Data)
	return err
}

// newData returns a slice of n elements of type t.
func newData(t Type, n int) any {
	switch t {
	case Float32:
		return make([]float32, n)
	case Float16:
		return make([]uint16, n)
	case Int8:
		return make([]int8, n)
	case UInt8:
		return make([]uint8, n)
	case Int16:
		return make([]int16, n)
	case Int32:
		return make([]int32, n)
	}
	return make([]int64, n)
}
