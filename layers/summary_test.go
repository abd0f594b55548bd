package layers_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/layers"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// golden compares text with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// fashion is the convolutional network of the Fashion-MNIST comparison.
func fashion() layers.Sequential {
	return layers.Sequential{
		layers.Conv2D{Filters: 16, Kernel: [2]int{3, 3}, Padding: layers.Same, Activation: layers.ActReLU},
		layers.MaxPool2D{},
		layers.Conv2D{Filters: 32, Kernel: [2]int{3, 3}, Padding: layers.Same, Activation: layers.ActReLU},
		layers.MaxPool2D{},
		layers.Flatten{},
		layers.Dense{Units: 10},
	}
}

// everything has each layer at least once, and nesting.
func everything() layers.Sequential {
	return layers.Sequential{
		layers.Conv2D{Filters: 8, Kernel: [2]int{3, 3}, Padding: layers.Same, NoBias: true, KernelInit: layers.HeNormal{}},
		layers.BatchNorm{},
		layers.ReLU{},
		layers.Sequential{
			layers.Conv2D{Filters: 4, Kernel: [2]int{3, 2}, Dilation: [2]int{2, 1}, Activation: layers.ActReLU6, Name: "dilated"},
			layers.AveragePool2D{Pool: [2]int{2, 2}, Strides: [2]int{1, 2}, Padding: layers.Same},
			layers.ReLU6{},
		},
		layers.MaxPool2D{},
		layers.Reshape{Shape: []int{4, -1}},
		layers.Dense{Units: 5},
		layers.Flatten{},
		layers.Dropout{Rate: 0.5},
		layers.Dense{Units: 3, BiasInit: layers.Constant{Value: 0.25}},
		layers.Softmax{},
	}
}

func summary(t *testing.T, s layers.Sequential, in layers.Input) string {
	t.Helper()
	var b strings.Builder
	if err := s.Summary(&b, in); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSummary(t *testing.T) {
	golden(t, "fashion.txt", summary(t, fashion(), layers.Input{28, 28, 1}))
	golden(t, "everything.txt", summary(t, everything(), layers.Input{12, 12, 1}))
}

// TestParameterCounts: the numbers that Keras prints for the same networks.
func TestParameterCounts(t *testing.T) {
	text := summary(t, fashion(), layers.Input{28, 28, 1})
	for _, want := range []string{
		"conv2d (Conv2D)                │ (None, 28, 28, 16) │     160 │",
		"conv2d_1 (Conv2D)              │ (None, 14, 14, 32) │   4,640 │",
		"flatten (Flatten)              │ (None, 1568)       │       0 │",
		"dense (Dense)                  │ (None, 10)         │  15,690 │",
		"Total params: 20,490 (80.04 KB)",
		"Trainable params: 20,490 (80.04 KB)",
		"Non-trainable params: 0 (0.00 B)",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	s := layers.Sequential{
		layers.Conv2D{Filters: 16, Kernel: [2]int{3, 3}, NoBias: true},
		layers.BatchNorm{}, // 4 a channel, of which 2 are trained
	}
	text = summary(t, s, layers.Input{28, 28, 1})
	for _, want := range []string{
		"│     144 │", "│      64 │",
		"Total params: 208 (832.00 B)", "Trainable params: 176 (704.00 B)", "Non-trainable params: 32 (128.00 B)",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestSummaryOfLargeNetworks(t *testing.T) {
	s := layers.Sequential{layers.Dense{Units: 1000, NoBias: true}}
	if text, want := summary(t, s, layers.Input{1250}), "Total params: 1,250,000 (4.77 MB)"; !strings.Contains(text, want) {
		t.Errorf("no %q in\n%s", want, text)
	}
}

type brokenWriter struct{}

var errBroken = errors.New("broken")

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestSummaryErrors(t *testing.T) {
	if err := fashion().Summary(brokenWriter{}, layers.Input{28, 28, 1}); !errors.Is(err, errBroken) {
		t.Errorf("error %v, want that of the writer", err)
	}
	if err := fashion().Summary(brokenWriter{}, layers.Input{28}); errors.Is(err, errBroken) || err == nil {
		t.Errorf("error %v, want that of the network", err)
	}
}

// wantError fails unless err has the substring.
func wantError(t *testing.T, err error, substring string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), substring) {
		t.Errorf("error %v, want one with %q", err, substring)
	}
}
