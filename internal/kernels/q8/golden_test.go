package q8

import (
	"hash/crc32"
	"slices"
	"testing"

	"github.com/goqat/goqat/internal/kernels/window"
	"github.com/goqat/goqat/quant"
)

// The checksums in this file are CRC-32 of int8 outputs of the reference
// kernels of tflite-micro, compiled and run once on the inputs given here.

// crc returns the CRC-32 of codes as bytes.
func crc(codes []int8) uint32 {
	b := make([]byte, len(codes))
	for i, c := range codes {
		b[i] = byte(c)
	}
	return crc32.ChecksumIEEE(b)
}

// allCodes returns -128 ... 127.
func allCodes() []int8 {
	codes := make([]int8, 256)
	for i := range codes {
		codes[i] = int8(i - 128)
	}
	return codes
}

var softmaxOutput = quant.PerTensor(1.0/256, -128)

func TestSoftmaxInputGolden(t *testing.T) {
	for _, c := range []struct {
		scale float32
		want  quant.Multiplier
		reach int
	}{
		{.02, quant.Multiplier{Mantissa: 1374389504, Exponent: 21}, 992},
		{.047, quant.Multiplier{Mantissa: 1614907648, Exponent: 22}, 496},
		{.1, quant.Multiplier{Mantissa: 1717986944, Exponent: 23}, 248},
		{.5, quant.Multiplier{Mantissa: 1073741824, Exponent: 26}, 31},
	} {
		if m, reach := softmaxInput(c.scale, 1); m != c.want || reach != c.reach {
			t.Errorf("scale %v: %v, %d, want %v, %d", c.scale, m, reach, c.want, c.reach)
		}
	}
}

func TestSoftmaxGolden(t *testing.T) {
	row := []int8{-31, 68, 52, -88, 127, -128, 0, 14, 90, 101}
	for _, c := range []struct {
		scale float32
		want  []int8
	}{
		{.1, []int8{-128, -127, -128, -128, 104, -128, -128, -128, -122, -111}},
		{.05, []int8{-128, -119, -124, -128, 41, -128, -128, -127, -101, -82}},
	} {
		s, err := NewSoftmax(quant.PerTensor(c.scale, 0), softmaxOutput, 1, len(row), LiteRT)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]int8, len(row))
		s.Run(got, row, 1)
		if !slices.Equal(got, c.want) {
			t.Errorf("scale %v: %v, want %v", c.scale, got, c.want)
		}
	}

	matrix := make([]int8, 16*16)
	for i := range 16 {
		for j := range 16 {
			matrix[i*16+j] = int8((73*i+29*j*(i+1))%256 - 128)
		}
	}
	for _, c := range []struct {
		scale float32
		want  uint32
	}{{.02, 0xbe9aeb31}, {.047, 0x5242665d}, {.1, 0xda7e3c62}, {.5, 0x57a1fcc8}} {
		s, err := NewSoftmax(quant.PerTensor(c.scale, 0), softmaxOutput, 1, 16, LiteRT)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]int8, len(matrix))
		s.Run(got, matrix, 16)
		if crc(got) != c.want {
			t.Errorf("scale %v: checksum %08x, want %08x", c.scale, crc(got), c.want)
		}
	}
}

func TestAveragePoolGolden(t *testing.T) {
	image := make([]int8, 5*5*4)
	for i := range image {
		image[i] = int8((53*i+7)%256 - 128)
	}
	p, err := NewAveragePool2D(PoolSpec{
		Window:    Window{Window: window.Window{Input: [2]int{5, 5}, Output: [2]int{3, 3}, Kernel: [2]int{3, 3}, Stride: [2]int{2, 2}, Pad: [2]int{1, 1}}, Channels: 4},
		Quantized: quant.PerTensor(1, 0),
	})
	if err != nil {
		t.Fatal(err)
	}
	got := make([]int8, 3*3*4)
	p.Run(got, image, 1)
	if want := []int8{3, -72, -19, 34, 65, -10, -42, -32, -1, 52, 41, -34}; !slices.Equal(got[:12], want) {
		t.Errorf("%v, want %v", got[:12], want)
	}
	if crc(got) != 0x4a897bc2 {
		t.Errorf("checksum %08x, want 4a897bc2", crc(got))
	}
}

func TestRequantizeGolden(t *testing.T) {
	in, out := quant.PerTensor(.05, -3), quant.PerTensor(.07, -11)
	m := quant.QuantizeMultiplier(float64(in.Scale[0]) / float64(out.Scale[0]))
	if want := (quant.Multiplier{Mantissa: 1533916908}); m != want {
		t.Errorf("multiplier %v, want %v", m, want)
	}
	r, err := NewRequantize[int8, int8](in, out, LiteRT)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]int8, 256)
	r.Run(got, allCodes())
	if crc(got) != 0x7629af86 {
		t.Errorf("checksum %08x, want 7629af86", crc(got))
	}
}
