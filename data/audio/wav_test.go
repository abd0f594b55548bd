package audio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/goqat/goqat/data"
	"pgregory.net/rapid"
)

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one with %q", parts)
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}

// riff is a file of chunks given as name, content, name, content.
func riff(chunks ...string) []byte {
	body := "WAVE"
	for i := 0; i < len(chunks); i += 2 {
		body += chunks[i] + le32(len(chunks[i+1])) + chunks[i+1]
		if len(body)%2 == 1 {
			body += "\x00"
		}
	}
	return []byte("RIFF" + le32(len(body)) + body)
}

func le16(v int) string { return string(binary.LittleEndian.AppendUint16(nil, uint16(v))) }
func le32(v int) string { return string(binary.LittleEndian.AppendUint32(nil, uint32(v))) }

// format is a fmt chunk of 16 bytes.
func format(tag, channels, rate, bits int) string {
	align := channels * bits / 8
	return le16(tag) + le16(channels) + le32(rate) + le32(rate*align) + le16(align) + le16(bits)
}

// extensible is a fmt chunk of 40 bytes.
func extensible(tag, channels, rate, bits, valid int) string {
	return le16(tagExtensible) + format(0, channels, rate, bits)[2:] + le16(22) + le16(valid) + le32(3) + le16(tag) + guidTail
}

func TestReadWAV(t *testing.T) {
	f32 := func(values ...float32) string {
		b := ""
		for _, v := range values {
			b += le32(int(math.Float32bits(v)))
		}
		return b
	}
	for name, c := range map[string]struct {
		file []byte
		want []float32
	}{
		"8 bits":           {riff("fmt ", format(1, 1, 8000, 8), "data", "\x00\x80\xc0\xff"), []float32{-1, 0, 0.5, 127. / 128}},
		"16 bits":          {riff("fmt ", format(1, 1, 8000, 16), "data", "\x00\x80\x00\x40\xff\x7f"), []float32{-1, 0.5, 32767. / 32768}},
		"24 bits":          {riff("fmt ", format(1, 1, 8000, 24), "data", "\x00\x00\x80\x00\x00\x40\x01\x00\x00\xff\xff\xff"), []float32{-1, 0.5, 0x1p-23, -0x1p-23}},
		"32 bits":          {riff("fmt ", format(1, 1, 8000, 32), "data", "\x00\x00\x00\x80\x00\x00\x00\x40\x01\x00\x00\x00"), []float32{-1, 0.5, 0x1p-31}},
		"float32":          {riff("fmt ", format(3, 1, 8000, 32), "data", f32(-1.5, 0.1, 1e-40)), []float32{-1.5, 0.1, 1e-40}},
		"stereo":           {riff("fmt ", format(1, 2, 8000, 16), "data", "\x00\x40\x00\x00\x00\x80\x00\x80"), []float32{0.25, -1}},
		"stereo, float":    {riff("fmt ", format(3, 2, 8000, 32), "data", f32(1, 0.5)), []float32{0.75}},
		"extensible":       {riff("fmt ", extensible(1, 1, 8000, 16, 16), "data", "\x00\x40"), []float32{0.5}},
		"extensible float": {riff("fmt ", extensible(3, 1, 8000, 32, 32), "data", f32(0.25)), []float32{0.25}},
		"18 bytes":         {riff("fmt ", format(1, 1, 8000, 16)+"\x00\x00", "data", "\x00\x40"), []float32{0.5}},
		"other chunks":     {riff("LIST", "INFO", "odd ", "123", "fmt ", format(1, 1, 8000, 16), "fact", "\x01\x00\x00\x00", "data", "\x00\x40", "id3 ", "x"), []float32{0.5}},
		"data first":       {riff("data", "\x00\x40", "fmt ", format(1, 1, 8000, 16)), []float32{0.5}},
		"odd data first":   {riff("data", "\x80\x00\x40", "fmt ", format(1, 1, 8000, 8)), []float32{0, -1, -0.5}},
		"no samples":       {riff("fmt ", format(1, 1, 8000, 16), "data", ""), []float32{}},
		"unknown length": {bytes.Replace(riff("fmt ", format(1, 1, 8000, 16), "data", "\x00\x40\x00\x20"), []byte("data\x04\x00\x00\x00"), []byte("data\xff\xff\xff\xff"), 1),
			[]float32{0.5, 0.25}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ReadWAV(bytes.NewReader(c.file))
			if diff := cmp.Diff(Clip{8000, c.want}, got); err != nil || diff != "" {
				t.Errorf("%v, clip (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestReadWAVErrors(t *testing.T) {
	good := riff("fmt ", format(1, 1, 8000, 16), "data", "\x00\x40\x00\x20")
	lying := bytes.Replace(good, []byte("data\x04\x00\x00\x00"), []byte("data\x00\x00\x00\x20"), 1)
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"empty":           {nil, "RIFF header at byte 0 ends after 0 of 12 bytes"},
		"foreign":         {[]byte("RIFF....AVI LIST"), `starts with "RIFF....AVI ", not a WAV file`},
		"RF64":            {append([]byte("RF64"), good[4:]...), "not a WAV file"},
		"nothing":         {good[:12], "file ends at byte 12 without a fmt chunk"},
		"no data":         {good[:36], "file ends at byte 36 without a data chunk"},
		"half a header":   {good[:40], "chunk header at byte 36"},
		"half a format":   {good[:30], "fmt chunk at byte 20 ends after 10 of 16 bytes"},
		"truncated":       {good[:47], "data chunk at byte 44 ends after 3 of 4 bytes"},
		"lying":           {lying, "data chunk at byte 44 ends after 4 of 536870912 bytes"},
		"cut elsewhere":   {riff("LIST", "abcd")[:22], `chunk "LIST" at byte 12 ends after 2 of 4 bytes`},
		"short format":    {riff("fmt ", "\x01\x00"), "fmt chunk at byte 12 has 2 bytes"},
		"long format":     {riff("fmt ", strings.Repeat("\x00", 2000)), "fmt chunk at byte 12 has 2000 bytes"},
		"two formats":     {riff("fmt ", format(1, 1, 8000, 16), "fmt ", format(1, 1, 8000, 16)), "second fmt chunk at byte 36"},
		"two data":        {riff("data", "", "data", ""), "second data chunk at byte 20"},
		"only data":       {riff("data", "abc")[:23], "file ends at byte 23 without a fmt chunk"},
		"mu-law":          {riff("fmt ", format(7, 1, 8000, 8)), "fmt chunk at byte 12: format 0x7 with 8 bits is not supported"},
		"12 bits":         {riff("fmt ", format(1, 1, 8000, 12)), "format 0x1 with 12 bits"},
		"float64":         {riff("fmt ", format(3, 1, 8000, 64)), "format 0x3 with 64 bits"},
		"surround":        {riff("fmt ", format(1, 6, 8000, 16)), "6 channels, want mono or stereo"},
		"rate":            {riff("fmt ", format(1, 1, 0, 16)), "0 samples per second"},
		"blocks":          {riff("fmt ", format(1, 1, 8000, 16)[:12]+le16(4)+le16(16)), "blocks of 4 bytes for 1 channels of 16 bits"},
		"short extension": {riff("fmt ", extensible(1, 1, 8000, 16, 16)[:38]), "extensible format of an unknown kind"},
		"other GUID":      {riff("fmt ", extensible(1, 1, 8000, 16, 16)[:39]+"x"), "extensible format of an unknown kind"},
		"half a sample":   {riff("fmt ", format(1, 2, 8000, 16), "data", "\x00\x40"), "data chunk at byte 44 has 2 bytes, not a multiple of 4"},
		"NaN":             {riff("fmt ", format(3, 1, 8000, 32), "data", "\x00\x00\x00\x00\x00\x00\xc0\x7f"), "sample 1 at byte 48 is NaN"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadWAV(bytes.NewReader(c.file))
			wantError(t, err, "audio: wav: ", c.want)
		})
	}
	broken := errors.New("disk on fire")
	for _, n := range []int{0, 12, 20, 36, 44} {
		if _, err := ReadWAV(io.MultiReader(bytes.NewReader(good[:n]), failing{broken})); !errors.Is(err, broken) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error)  { return 0, f.err }
func (f failing) Write([]byte) (int, error) { return 0, f.err }

// TestWAVRoundTrip: codes of 16 bits survive, other samples are rounded by at most half a step.
func TestWAVRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		codes := rapid.SliceOf(rapid.Int16()).Draw(t, "codes")
		c := Clip{Rate: rapid.IntRange(1, 1<<20).Draw(t, "rate"), Samples: make([]float32, len(codes))}
		for i, v := range codes {
			c.Samples[i] = float32(v) / (1 << 15)
		}
		var b bytes.Buffer
		if err := WriteWAV(&b, c); err != nil {
			t.Fatal(err)
		}
		got, err := ReadWAV(&b)
		if err != nil || !cmp.Equal(c, got) {
			t.Fatalf("%v:\n%s", err, cmp.Diff(c, got))
		}
	})
	var b bytes.Buffer
	if err := WriteWAV(&b, Clip{8000, []float32{2, -2, 0.1, float32(math.Inf(1))}}); err != nil {
		t.Fatal(err)
	}
	got, err := ReadWAV(&b)
	if diff := cmp.Diff([]float32{32767. / 32768, -1, 3277. / 32768, 32767. / 32768}, got.Samples); err != nil || diff != "" {
		t.Errorf("%v, limited (-want +got):\n%s", err, diff)
	}
	wantError(t, WriteWAV(io.Discard, Clip{0, nil}), "audio: wav: 0 samples at 0")
	wantError(t, WriteWAV(io.Discard, Clip{1, []float32{float32(math.NaN())}}), "sample 0 is NaN")
	if err := WriteWAV(failing{io.ErrShortWrite}, Clip{1, nil}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a full disk gives %v", err)
	}
}

// folder writes files of integers of 16 bits; the name says the number of samples and the rate.
func folder(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i, name := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(filepath.FromSlash(name))), 0o755); err != nil {
			t.Fatal(err)
		}
		content := []byte("not a sound")
		if samples, rate, ok := strings.Cut(strings.TrimSuffix(strings.ToLower(filepath.Base(path)), ".wav"), "at"); ok {
			var b bytes.Buffer
			c := Clip{Rate: len(rate) * 8000, Samples: make([]float32, len(samples))}
			for j := range c.Samples {
				c.Samples[j] = float32(i+1) / 128
			}
			if err := WriteWAV(&b, c); err != nil {
				t.Fatal(err)
			}
			content = b.Bytes()
		}
		if strings.HasSuffix(name, "/") {
			continue
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestOpenFolder(t *testing.T) {
	dir := folder(t, "yes/xxatx.wav", "no/xxxatx.WAV", "no/xatx.wav", "no/readme.txt", "README", "_noise_/xatxxx.wav", ".git/config")
	ds, err := OpenFolder(dir, Folder{Length: 2})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"no", "yes"}, ds.Labels()) + cmp.Diff([]int{2}, ds.InputShape()); diff != "" || ds.Rate() != 8000 || data.Classes(ds) != 2 {
		t.Errorf("rate %d, labels and shape:\n%s", ds.Rate(), diff)
	}
	want := []string{filepath.Join(dir, "no", "xatx.wav"), filepath.Join(dir, "no", "xxxatx.WAV"), filepath.Join(dir, "yes", "xxatx.wav")}
	if diff := cmp.Diff(want, ds.Paths()); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
	x, y := make([]float32, 6), make([]float32, 3)
	if err := ds.Read([]int{2, 0, 1}, x, y); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float32{1. / 128, 1. / 128, 3. / 128, 0, 2. / 128, 2. / 128}, x) + cmp.Diff([]float32{1, 0, 0}, y); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if _, err := data.Fingerprint(ds); err != nil {
		t.Error(err)
	}
	wantError(t, ds.Read([]int{3}, x[:2], y[:1]), "row 3 of a set of 3")
	wantError(t, ds.Read([]int{0}, x, y), "buffers of 6 and 3 values for 1 rows of 2 samples")
	if err := os.Remove(want[0]); err != nil {
		t.Fatal(err)
	}
	if err := ds.Read([]int{0}, x[:2], y[:1]); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is gone: %v", err)
	}
	same, err := OpenFolder(folder(t, "a/xxatx.wav", "b/xxatx.wav"), Folder{})
	if err != nil || same.InputShape()[0] != 2 {
		t.Errorf("clips of one length: %v", err)
	}
}

func TestOpenFolderErrors(t *testing.T) {
	for name, c := range map[string]struct {
		files []string
		f     Folder
		want  []string
	}{
		"nothing":        {nil, Folder{}, []string{"holds no folders; each label needs one"}},
		"files only":     {[]string{"xatx.wav"}, Folder{}, []string{"holds no folders"}},
		"empty label":    {[]string{"a/xatx.wav", "b/readme.txt", "c/"}, Folder{}, []string{`label "b" has no WAV files in`, `label "c" has no WAV files`}},
		"mixed rates":    {[]string{"a/xatx.wav", "a/xatxx.wav", "b/xatxxx.wav"}, Folder{}, []string{"xatxx.wav has 16000 samples per second, want 8000 as ", "xatxxx.wav has 24000"}},
		"another rate":   {[]string{"a/xatx.wav"}, Folder{Rate: 16000}, []string{"xatx.wav has 8000 samples per second, want 16000"}},
		"mixed lengths":  {[]string{"a/xatx.wav", "a/xxatx.wav"}, Folder{}, []string{"xxatx.wav has 2 samples, want 1 as ", "set Folder.Length"}},
		"empty clips":    {[]string{"a/atx.wav"}, Folder{}, []string{"the clips are empty"}},
		"not a WAV file": {[]string{"a/broken.wav"}, Folder{}, []string{"audio: wav: ", "broken.wav", "RIFF header"}},
		"length":         {[]string{"a/xatx.wav"}, Folder{Length: -1}, []string{"length -1"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := OpenFolder(folder(t, c.files...), c.f)
			wantError(t, err, c.want...)
		})
	}
	if _, err := OpenFolder(filepath.Join(t.TempDir(), "none"), Folder{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing folder: %v", err)
	}
}

func FuzzReadWAV(f *testing.F) {
	f.Add(riff("fmt ", format(1, 1, 8000, 16), "data", "\x00\x40\x00\x20"))
	f.Add(riff("odd ", "123", "data", "\x80\x00\x40", "fmt ", format(1, 1, 8000, 8)))
	f.Add(riff("fmt ", extensible(3, 2, 44100, 32, 32), "fact", "1234", "data", "\x00\x00\x80\x3f\x00\x00\x00\x00"))
	f.Add(riff("fmt ", format(1, 2, 16000, 24), "data", "123456"))
	f.Fuzz(func(t *testing.T, file []byte) {
		c, err := ReadWAV(bytes.NewReader(file))
		header := &wavReader{r: bytes.NewReader(file)}
		if headerErr := header.read(false); err == nil && headerErr != nil {
			t.Fatalf("the file is read, but its header is refused: %v", headerErr)
		}
		if err != nil {
			return
		}
		if want := header.size / int64(header.frame()); int64(len(c.Samples)) != want || c.Rate != header.rate {
			t.Errorf("%d samples at %d, but the header says %d at %d", len(c.Samples), c.Rate, want, header.rate)
		}
		if c.Rate < 1 || len(c.Samples) > len(file) {
			t.Errorf("%d samples at %d from %d bytes", len(c.Samples), c.Rate, len(file))
		}
		for i, v := range c.Samples {
			if v-v != 0 {
				t.Errorf("sample %d is %v", i, v)
			}
		}
	})
}
