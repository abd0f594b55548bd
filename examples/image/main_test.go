package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestRun trains for a moment on a few rows: far better than chance, and a file.
func TestRun(t *testing.T) {
	dir := os.Getenv("GOQAT_FASHION_MNIST")
	if dir == "" {
		dir = "/usr/share/datasets/fashion-mnist"
	}
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("GOQAT_REQUIRE_FASHION") == "1" {
			t.Fatalf("Fashion-MNIST is required: %v", err)
		}
		t.Skipf("Fashion-MNIST is not here (Debian package dataset-fashion-mnist, or set GOQAT_FASHION_MNIST): %v", err)
	}
	var w strings.Builder
	path := filepath.Join(t.TempDir(), "fashion.tflite")
	if err := run(context.Background(), &w, io.Discard, options{data: dir, out: path, rows: 1500, epochs: 4}); err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`float32 before QAT ([0-9.]+) %, int8 after QAT ([0-9.]+) %`).FindStringSubmatch(w.String())
	if m == nil {
		t.Fatalf("output %q", w.String())
	}
	for _, text := range m[1:] {
		if share, err := strconv.ParseFloat(text, 64); err != nil || share < 30 { // by chance 10
			t.Errorf("accuracy %s %%: %v\n%s", text, err, w.String())
		}
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}
