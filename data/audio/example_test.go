package audio_test

import (
	"bytes"
	"fmt"
	"math"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/data/audio"
)

// tone is a second of a sine.
func tone(hertz float64) audio.Clip {
	c := audio.Clip{Rate: 16000, Samples: make([]float32, 16000)}
	for i := range c.Samples {
		c.Samples[i] = float32(0.5 * math.Sin(2*math.Pi*hertz*float64(i)/16000))
	}
	return c
}

func ExampleReadWAV() {
	var file bytes.Buffer
	if err := audio.WriteWAV(&file, tone(1000)); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(file.Len(), "bytes")
	clip, err := audio.ReadWAV(&file)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d samples at %d Hz, the fifth is %.4f\n", len(clip.Samples), clip.Rate, clip.Samples[4])
	// Output:
	// 32044 bytes
	// 16000 samples at 16000 Hz, the fifth is 0.5000
}

// Errors say where.
func ExampleReadWAV_error() {
	_, err := audio.ReadWAV(bytes.NewReader([]byte("RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x07\x00\x01\x00")))
	fmt.Println(err)
	// Output: audio: wav: fmt chunk at byte 20 ends after 4 of 16 bytes: unexpected EOF
}

// The loudest band of a log-mel spectrogram follows the pitch.
func ExampleFeatures_Series() {
	f := audio.Features{Rate: 16000, Window: 512, Stride: 256, Bands: 32}
	for _, hertz := range []float64{250, 1000, 4000} {
		s, err := f.Series(tone(hertz).Samples)
		if err != nil {
			fmt.Println(err)
			return
		}
		frame, loudest := s.X[10*32:11*32], 0
		for band, v := range frame {
			if v > frame[loudest] {
				loudest = band
			}
		}
		fmt.Println(hertz, "Hz: band", loudest)
	}
	// Output:
	// 250 Hz: band 3
	// 1000 Hz: band 11
	// 4000 Hz: band 24
}

func ExampleFeatures_Extract() {
	yes, no := tone(300), tone(900) // for lack of words
	clips, err := data.NewMemory(data.Arrays{
		InputShape: []int{16000}, X: append(yes.Samples, no.Samples...), Y: []float32{1, 0}, Classes: 2,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ds, err := audio.KeywordSpotting().Extract(clips)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ds.Len(), "rows of shape", ds.InputShape())
	// Output: 2 rows of shape [49 10 1]
}
