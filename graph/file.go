package graph

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goqat/goqat/internal/atomicfile"
)

// File is what one file holds: a graph and, for training checkpoints, whatever
// else has to be remembered.
type File struct {
	Graph *Graph
	// Metadata are strings by key. Keys that begin with "goqat." and the key
	// "format" belong to the format.
	Metadata map[string]string
	// Tensors are extra tensors; their names differ from those of the graph.
	// Their Role and Quant are not stored; they are read as constants.
	Tensors []*Tensor
}

// Metadata keys of the format.
const (
	reservedPrefix = "goqat."
	formatKey      = "format"
	formatName     = "goqat"
	graphKey       = reservedPrefix + "graph"
	checksumKey    = reservedPrefix + "sha256"
)

// Save writes g to path as a safetensors file: the tensors under their names,
// the rest of the graph as JSON in the metadata. The file is complete or the
// old one stays. Equal graphs give equal bytes.
func Save(path string, g *Graph) error { return SaveFile(path, &File{Graph: g}) }

// Load reads the graph of a file that [Save] or [SaveFile] wrote. The operators
// come from a table; no code that built the network is needed.
func Load(path string) (*Graph, error) {
	f, err := LoadFile(path)
	if err != nil {
		return nil, err
	}
	return f.Graph, nil
}

// Encode writes g as [Save] does.
func Encode(w io.Writer, g *Graph) error { return EncodeFile(w, &File{Graph: g}) }

// Decode reads a graph as [Load] does.
func Decode(r io.Reader) (*Graph, error) {
	f, err := DecodeFile(r)
	if err != nil {
		return nil, err
	}
	return f.Graph, nil
}

// SaveFile writes f to path; see [Save].
func SaveFile(path string, f *File) error {
	return atomicfile.Write(path, func(w io.Writer) error { return EncodeFile(w, f) })
}

// LoadFile reads path; see [DecodeFile].
func LoadFile(path string) (*File, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	defer r.Close()
	f, err := DecodeFile(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// EncodeFile writes f; see [Save].
//
// Errors: a graph that does not pass Check; operators outside the table; clashing
// or reserved names; names and metadata that are not UTF-8.
func EncodeFile(w io.Writer, f *File) error {
	if err := f.Graph.Check(); err != nil {
		return err
	}
	metadata, err := f.metadata()
	if err != nil {
		return fmt.Errorf("graph: save: %w", err)
	}
	var tensors []*Tensor
	for _, t := range f.Graph.allTensors() {
		if t.Role != Activation {
			tensors = append(tensors, t)
		}
	}
	for _, t := range f.Tensors {
		t = &Tensor{Name: t.Name, Type: t.Type, Role: Constant, Shape: t.Shape, Data: t.Data}
		if err := t.check(); err != nil {
			return err
		}
		tensors = append(tensors, t)
	}
	sortStored(tensors)
	metadata[checksumKey] = checksum(metadata, tensors)
	if err := writeSafetensors(w, metadata, tensors); err != nil {
		return fmt.Errorf("graph: save: %w", err)
	}
	return nil
}

// metadata returns the strings to store, all but the checksum.
func (f *File) metadata() (map[string]string, error) {
	d, err := newDocument(f.Graph)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	metadata := map[string]string{formatKey: formatName, graphKey: string(text)}
	for _, key := range slices.Sorted(maps.Keys(f.Metadata)) {
		value := f.Metadata[key]
		switch {
		case reserved(key):
			return nil, fmt.Errorf("metadata key %q is reserved", key)
		case !utf8.ValidString(key) || !utf8.ValidString(value):
			return nil, fmt.Errorf("metadata %q is not UTF-8", key)
		}
		metadata[key] = value
	}
	return metadata, nil
}

func reserved(key string) bool {
	return key == formatKey || strings.HasPrefix(key, reservedPrefix)
}

// DecodeFile reads what EncodeFile wrote, up to the end of r.
//
// Errors: files that are damaged, truncated, of another format or of a newer
// version, with the byte offset, tensor or node; a checksum that does not match;
// unknown operators, by name.
func DecodeFile(r io.Reader) (*File, error) {
	f, err := decodeFile(r)
	if err != nil {
		return nil, fmt.Errorf("graph: load: %w", err)
	}
	return f, nil
}

func decodeFile(r io.Reader) (*File, error) {
	metadata, tensors, err := readSafetensors(r)
	if err != nil {
		return nil, err
	}
	if metadata[formatKey] != formatName || metadata[graphKey] == "" {
		return nil, fmt.Errorf("byte 8: a safetensors file without a goqat graph (format %q)", metadata[formatKey])
	}
	want := metadata[checksumKey]
	delete(metadata, checksumKey)
	sortStored(tensors)
	if got := checksum(metadata, tensors); got != want {
		return nil, fmt.Errorf("byte 8 to the end: checksum is %s, but the file says %q: the file is damaged or was edited", got, want)
	}
	d, err := parseDocument([]byte(metadata[graphKey]))
	if err != nil {
		return nil, err
	}
	stored := map[string]*Tensor{}
	for _, t := range tensors {
		stored[t.Name] = t
	}
	f := &File{Metadata: map[string]string{}}
	if f.Graph, err = d.graph(stored); err != nil {
		return nil, err
	}
	for _, t := range tensors {
		if stored[t.Name] != nil { // not taken by the graph
			f.Tensors = append(f.Tensors, t)
		}
	}
	for key, value := range metadata {
		if !reserved(key) {
			f.Metadata[key] = value
		}
	}
	return f, nil
}

// checksum is the SHA-256 of everything a file says, in hexadecimal: metadata in
// the order of their keys, tensors in the given order, every part preceded by
// its length.
func checksum(metadata map[string]string, tensors []*Tensor) string {
	h := sha256.New()
	part := func(s string) {
		h.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(s))))
		h.Write([]byte(s))
	}
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		part(key)
		part(metadata[key])
	}
	for _, t := range tensors {
		part(t.Name)
		part(fmt.Sprint(t.Type, t.Shape))
		binary.Write(h, binary.LittleEndian, t.Data) // a hash takes every byte
	}
	return hex.EncodeToString(h.Sum(nil))
}
