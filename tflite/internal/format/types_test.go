package format

import (
	"bytes"
	"slices"
	"testing"
)

// Two codes lie in a byte, the first in the lower half; of an odd number the last
// upper half is empty.
func TestPackInt4(t *testing.T) {
	codes := []int8{1, -1, 7, -8, 0, -7, 3}
	b := PackInt4(codes)
	if want := []byte{0xf1, 0x87, 0x90, 0x03}; !bytes.Equal(b, want) {
		t.Errorf("packed as % x, want % x", b, want)
	}
	if back := UnpackInt4(b, len(codes)); !slices.Equal(back, codes) {
		t.Errorf("unpacked as %v, want %v", back, codes)
	}
}
