package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/goqat/goqat/data/audio"
)

func accuracies(t *testing.T, text string) (float, integer float64) {
	t.Helper()
	m := regexp.MustCompile(`float32 ([0-9.]+) %, int8 ([0-9.]+) % right`).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("output %q", text)
	}
	float, _ = strconv.ParseFloat(m[1], 64)
	integer, _ = strconv.ParseFloat(m[2], 64)
	return float, integer
}

// TestSynthetic: speakers that were never heard are understood, by the int8 file
// too.
func TestSynthetic(t *testing.T) {
	var w strings.Builder
	path := filepath.Join(t.TempDir(), "words.tflite")
	if err := run(context.Background(), &w, io.Discard, options{out: path, epochs: 12}); err != nil {
		t.Fatal(err)
	}
	if float, integer := accuracies(t, w.String()); float < 60 || integer < 60 { // by chance 25
		t.Error(w.String())
	}
	if !strings.Contains(w.String(), "yes") {
		t.Errorf("no table of words:\n%s", w.String())
	}
}

// TestFolders: words come from folders of WAV files, too.
func TestFolders(t *testing.T) {
	dir := t.TempDir()
	for word, pitch := range map[string]float64{"low": 200, "high": 900} {
		if err := os.Mkdir(filepath.Join(dir, word), 0o755); err != nil {
			t.Fatal(err)
		}
		for i := range 16 {
			samples := make([]float32, 15000)
			for k := range samples {
				samples[k] = float32(0.3 * math.Sin(2*math.Pi*(pitch+float64(5*i))*float64(k)/16000))
			}
			var b bytes.Buffer
			err := audio.WriteWAV(&b, audio.Clip{Rate: 16000, Samples: samples})
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, word, fmt.Sprintf("%d.wav", i)), b.Bytes(), 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	var w strings.Builder
	if err := run(context.Background(), &w, io.Discard, options{wav: dir, out: filepath.Join(dir, "w.tflite"), epochs: 2}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(w.String(), "24 training and 8 test rows") || !strings.Contains(w.String(), "high") {
		t.Error(w.String())
	}
	if err := run(context.Background(), &w, io.Discard, options{wav: filepath.Join(dir, "nowhere"), out: filepath.Join(dir, "w.tflite"), epochs: 1}); err == nil {
		t.Error("no error for a folder that is not there")
	}
}
