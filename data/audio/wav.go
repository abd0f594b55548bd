package audio

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

// Clip is a piece of sound with one channel.
type Clip struct {
	Rate    int       // samples per second
	Samples []float32 // -1 to 1
}

// ReadWAV reads a WAV file: integers of 8, 16, 24 or 32 bits or float32 numbers, mono or stereo. Integers of n bits
// are divided by 2^(n-1); those of 8 bits have 128 subtracted before. The two channels of stereo are averaged.
// Chunks may come in any order; those that are not needed are skipped. A data chunk of unknown length (2^32-1) goes
// to the end of the file.
//
// Errors, with the byte where they were found: a malformed file, one of another format, data that ends early or is
// no whole number of samples, more than 2^30 bytes of them, a sample that is NaN or Inf.
//
// Source: Microsoft and IBM, "Multimedia Programming Interface and Data Specifications 1.0", 1991; Microsoft,
// "Multiple Channel Audio Data and WAVE Files" (WAVEFORMATEXTENSIBLE).
func ReadWAV(r io.Reader) (Clip, error) {
	c, err := readWAV(r)
	if err != nil {
		return Clip{}, fmt.Errorf("audio: wav: %w", err)
	}
	return c, nil
}

// ReadWAVFile reads a file; see [ReadWAV].
func ReadWAVFile(path string) (Clip, error) {
	var c Clip
	err := withFile(path, func(r io.Reader) (err error) {
		c, err = readWAV(r)
		return err
	})
	return c, err
}

// withFile reads the file at path and puts it into the error.
func withFile(path string, read func(io.Reader) error) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("audio: wav: %w", err)
	}
	defer file.Close()
	if err := read(bufio.NewReader(file)); err != nil {
		return fmt.Errorf("audio: wav: %s: %w", path, err)
	}
	return nil
}

func readWAV(r io.Reader) (Clip, error) {
	w := &wavReader{r: r}
	if err := w.read(true); err != nil {
		return Clip{}, err
	}
	samples, err := w.decode()
	return Clip{w.rate, samples}, err
}

// wavReader collects what a file says. at is the byte to be read next.
type wavReader struct {
	r  io.Reader
	at int64

	tag      uint16 // tagPCM or tagFloat; 0 before the format is known
	channels int
	bits     int
	rate     int

	found bool  // the data chunk
	start int64 // its first byte
	size  int64 // its length in bytes
	data  []byte
}

const (
	tagPCM        = 1
	tagFloat      = 3
	tagExtensible = 0xfffe
	unknownSize   = math.MaxUint32
	maxData       = 1 << 30 // bytes: nine hours of 16 bits at 16 kHz
)

// guidTail is what follows the tag in the subformat of an extensible format.
const guidTail = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"

// read goes through the chunks until both format and data are known. Without content the data are skipped.
func (w *wavReader) read(content bool) error {
	var head [12]byte
	if err := w.fill(head[:], "RIFF header"); err != nil {
		return err
	}
	if string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		return fmt.Errorf("starts with %q, not a WAV file", head)
	}
	for w.tag == 0 || !w.found {
		if err := w.chunk(content); err != nil {
			return err
		}
	}
	if frame := int64(w.frame()); w.size%frame != 0 {
		return fmt.Errorf("data chunk at byte %d has %d bytes, not a multiple of %d, the bytes of a sample in all channels", w.start, w.size, frame)
	}
	return nil
}

// frame is the number of bytes of one sample in all channels.
func (w *wavReader) frame() int { return w.channels * w.bits / 8 }

func (w *wavReader) chunk(content bool) error {
	start := w.at
	var head [8]byte
	switch n, err := io.ReadFull(w.r, head[:]); {
	case n == 0 && errors.Is(err, io.EOF):
		missing := "data"
		if w.tag == 0 {
			missing = "fmt"
		}
		return fmt.Errorf("file ends at byte %d without a %s chunk", start, missing)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("chunk header at byte %d: %w", start, err)
	case err != nil:
		return err
	}
	w.at += int64(len(head))
	id, size := string(head[:4]), int64(binary.LittleEndian.Uint32(head[4:]))
	var err error
	switch id {
	case "fmt ":
		err = w.format(start, size)
	case "data":
		err = w.content(start, size, content)
	default:
		err = w.skip(id, start, size)
	}
	if err != nil || size%2 == 0 || w.tag != 0 && w.found {
		return err
	}
	// Chunks start at even bytes. Where the file ends here, the next header says so.
	n, err := io.CopyN(io.Discard, w.r, 1)
	w.at += n
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// format reads the fmt chunk.
func (w *wavReader) format(start, size int64) error {
	if w.tag != 0 {
		return fmt.Errorf("second fmt chunk at byte %d", start)
	}
	if size < 16 || size > 1<<10 {
		return fmt.Errorf("fmt chunk at byte %d has %d bytes", start, size)
	}
	f := make([]byte, size)
	if err := w.fill(f, "fmt chunk"); err != nil {
		return err
	}
	u16 := func(at int) int { return int(binary.LittleEndian.Uint16(f[at:])) }
	tag, align := u16(0), u16(12)
	w.channels, w.bits = u16(2), u16(14)
	rate := binary.LittleEndian.Uint32(f[4:])
	if tag == tagExtensible {
		if size < 40 || string(f[26:40]) != guidTail {
			return fmt.Errorf("fmt chunk at byte %d: extensible format of an unknown kind", start)
		}
		tag = u16(24)
	}
	known := tag == tagPCM && (w.bits == 8 || w.bits == 16 || w.bits == 24 || w.bits == 32) || tag == tagFloat && w.bits == 32
	switch {
	case !known:
		return fmt.Errorf("fmt chunk at byte %d: format %#x with %d bits is not supported; want integers of 8, 16, 24 or 32 bits or float32", start, tag, w.bits)
	case w.channels != 1 && w.channels != 2:
		return fmt.Errorf("fmt chunk at byte %d: %d channels, want mono or stereo", start, w.channels)
	case align != w.frame():
		return fmt.Errorf("fmt chunk at byte %d: blocks of %d bytes for %d channels of %d bits", start, align, w.channels, w.bits)
	case rate == 0 || rate > math.MaxInt32:
		return fmt.Errorf("fmt chunk at byte %d: %d samples per second", start, rate)
	}
	w.tag, w.rate = uint16(tag), int(rate)
	return nil
}

// content reads or skips the data chunk.
func (w *wavReader) content(start, size int64, read bool) error {
	if w.found {
		return fmt.Errorf("second data chunk at byte %d", start)
	}
	w.found, w.start, w.size = true, w.at, size
	if !read && w.tag != 0 && size != unknownSize {
		return nil // nothing after it is needed
	}
	var to io.Writer = io.Discard
	var buffer bytes.Buffer // grows with the data that arrive, whatever the header claims
	if read {
		to = &buffer
	}
	n, err := io.CopyN(to, w.r, min(size, maxData+1))
	w.at += n
	if n > maxData {
		return fmt.Errorf("data chunk at byte %d has more than %d bytes", w.start, maxData)
	}
	if errors.Is(err, io.EOF) && size == unknownSize {
		w.size, err = n, nil
	}
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("data chunk at byte %d ends after %d of %d bytes: %w", w.start, n, size, io.ErrUnexpectedEOF)
	}
	w.data = buffer.Bytes()
	return err
}

func (w *wavReader) skip(what string, start, size int64) error {
	n, err := io.CopyN(io.Discard, w.r, size)
	w.at += n
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("chunk %q at byte %d ends after %d of %d bytes: %w", what, start, n, size, io.ErrUnexpectedEOF)
	}
	return err
}

func (w *wavReader) fill(to []byte, what string) error {
	n, err := io.ReadFull(w.r, to)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s at byte %d ends after %d of %d bytes: %w", what, w.at, n, len(to), io.ErrUnexpectedEOF)
	}
	w.at += int64(n)
	return err
}

// decode converts the data. Sums of channels are exact in float64, so every sample is rounded once.
func (w *wavReader) decode() ([]float32, error) {
	size := w.bits / 8
	samples := make([]float32, len(w.data)/w.frame())
	divisor := float64(w.channels)
	if w.tag == tagPCM {
		divisor *= float64(uint64(1) << (w.bits - 1))
	}
	for i := range samples {
		sum := 0.0
		for c := range w.channels {
			at := (i*w.channels + c) * size
			v := w.value(w.data[at : at+size])
			if v-v != 0 {
				return nil, fmt.Errorf("sample %d at byte %d is %v", i, w.start+int64(at), v)
			}
			sum += v
		}
		samples[i] = float32(sum / divisor)
	}
	return samples, nil
}

// value is one number as it is stored.
func (w *wavReader) value(b []byte) float64 {
	switch {
	case w.tag == tagFloat:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	case w.bits == 8:
		return float64(int(b[0]) - 128)
	case w.bits == 16:
		return float64(int16(binary.LittleEndian.Uint16(b)))
	case w.bits == 24:
		return float64(int32(uint32(b[0])<<8|uint32(b[1])<<16|uint32(b[2])<<24) >> 8)
	default:
		return float64(int32(binary.LittleEndian.Uint32(b)))
	}
}

// WriteWAV writes a clip as integers of 16 bits: samples times 2^15, rounded half away from zero and limited.
//
// Errors: a rate that is not positive; a sample that is NaN; more than 2^30 samples; errors of w.
func WriteWAV(w io.Writer, c Clip) error {
	if c.Rate < 1 || c.Rate > math.MaxInt32/2 || len(c.Samples) > math.MaxInt32/2-32 {
		return fmt.Errorf("audio: wav: %d samples at %d in a second cannot be written", len(c.Samples), c.Rate)
	}
	const format = 16
	size := 2 * len(c.Samples)
	out := append(make([]byte, 0, 44+size), "RIFF"...)
	u32 := func(v int) { out = binary.LittleEndian.AppendUint32(out, uint32(v)) }
	u16 := func(v int) { out = binary.LittleEndian.AppendUint16(out, uint16(v)) }
	u32(4 + 8 + format + 8 + size)
	out = append(out, "WAVEfmt "...)
	u32(format)
	u16(tagPCM)
	u16(1) // channels
	u32(c.Rate)
	u32(2 * c.Rate) // bytes per second
	u16(2)          // bytes of a sample
	u16(16)         // bits
	out = append(out, "data"...)
	u32(size)
	for i, v := range c.Samples {
		if v != v {
			return fmt.Errorf("audio: wav: sample %d is NaN", i)
		}
		u16(int(min(max(math.Round(float64(v)*(1<<15)), math.MinInt16), math.MaxInt16)))
	}
	if _, err := w.Write(out); err != nil {
		return fmt.Errorf("audio: wav: %w", err)
	}
	return nil
}
