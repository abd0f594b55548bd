package data

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"io"
	"math"
)

// Fingerprint is a hash of everything a network can see of a set: the row count, the shapes, the number of
// classes, the bits of every value in row order, and how epochs differ if they do (see [Epoched]). How the set is
// stored does not enter it. Checkpoints use it to notice that the data changed.
//
// It is 64 hexadecimal digits: SHA-256 of little-endian integers (8 bytes each), float32 values, and the text of
// the variation.
func Fingerprint(ds Dataset) (string, error) {
	h := sha256.New()
	writeInts(h, ds.Len(), Classes(ds))
	for _, shape := range [][]int{ds.InputShape(), ds.TargetShape()} {
		writeInts(h, len(shape))
		writeInts(h, shape...)
	}
	var buffer []byte
	err := eachRow(ds, func(x, y []float32) error {
		buffer = appendFloats(appendFloats(buffer[:0], x), y)
		_, err := h.Write(buffer)
		return err
	})
	if err != nil {
		return "", err
	}
	_, _ = io.WriteString(h, variation(ds)) // hashes do not fail
	return hex.EncodeToString(h.Sum(nil)), nil
}

func writeInts(h hash.Hash, values ...int) {
	for _, v := range values {
		h.Write(binary.LittleEndian.AppendUint64(nil, uint64(v)))
	}
}

func appendFloats(to []byte, values []float32) []byte {
	for _, v := range values {
		to = binary.LittleEndian.AppendUint32(to, math.Float32bits(v))
	}
	return to
}
