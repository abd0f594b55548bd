package mutate

import (
	"encoding/binary"

	"github.com/goqat/goqat/internal/rng"
)

// Words changes one to three words of a file of at least 4 bytes in place: a bit,
// a small number, any number, or a word from elsewhere in the file. Most of the
// fields of a FlatBuffer are words, so that this reaches deeper than random bytes.
func Words(file []byte, r *rng.Stream) {
	for range 1 + r.IntN(3) {
		word := file[r.IntN(len(file)/4)*4:][:4]
		switch r.IntN(4) {
		case 0:
			word[r.IntN(4)] ^= 1 << r.IntN(8)
		case 1:
			binary.LittleEndian.PutUint32(word, uint32(r.IntN(64)))
		case 2:
			binary.LittleEndian.PutUint32(word, uint32(r.Uint64()))
		case 3:
			copy(word, file[r.IntN(len(file)/4)*4:])
		}
	}
}
