package main

import (
	"context"
	"io"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestRun: subjects that were never seen are recognized, by the int8 file too.
func TestRun(t *testing.T) {
	var w strings.Builder
	path := filepath.Join(t.TempDir(), "motion.tflite")
	if err := run(context.Background(), &w, io.Discard, options{out: path, epochs: 6}); err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`float32 before QAT ([0-9.]+) %, int8 after QAT ([0-9.]+) % right`).FindStringSubmatch(w.String())
	if m == nil {
		t.Fatalf("output %q", w.String())
	}
	for _, text := range m[1:] {
		if share, err := strconv.ParseFloat(text, 64); err != nil || share < 60 { // by chance 25
			t.Errorf("%s %% right:\n%s", text, w.String())
		}
	}
	if !strings.Contains(w.String(), "walk") {
		t.Errorf("no table of classes:\n%s", w.String())
	}
}
