package digits

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/goqat/goqat/data"
)

func TestEmbeddedFile(t *testing.T) {
	sum := sha256.Sum256(compressed)
	const want = "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22"
	if got := hex.EncodeToString(sum[:]); got != want {
		t.Errorf("SHA-256 is %s, want %s", got, want)
	}
}

// TestSplit pins the split: published accuracies refer to these rows.
func TestSplit(t *testing.T) {
	train, test := Load()
	for name, c := range map[string]struct {
		ds          data.Dataset
		counts      []int
		fingerprint string
	}{
		"train": {train, []int{142, 145, 142, 146, 145, 146, 145, 143, 139, 144},
			"f69fdb0dae9a96cf262f931fb0dbd8d9950f36519bc9d3c70ccfc33251c93269"},
		"test": {test, []int{36, 37, 35, 37, 36, 36, 36, 36, 35, 36},
			"f8de2ffd0a271396f039da2a7bcf3e0c5a20e54b08e1238c5d01606230fe705e"},
	} {
		if diff := cmp.Diff([]int{8, 8, 1}, c.ds.InputShape()); diff != "" {
			t.Errorf("%s: input shape (-want +got):\n%s", name, diff)
		}
		labels, err := data.Labels(c.ds)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		counts := make([]int, data.Classes(c.ds))
		for _, l := range labels {
			counts[l]++
		}
		if diff := cmp.Diff(c.counts, counts); diff != "" {
			t.Errorf("%s: rows per class (-want +got):\n%s", name, diff)
		}
		got, err := data.Fingerprint(c.ds)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got != c.fingerprint {
			t.Errorf("%s: fingerprint is %s, want %s", name, got, c.fingerprint)
		}
	}
	if train.Len() != 1437 || test.Len() != testRows || train.Len()+test.Len() != allRows {
		t.Errorf("%d training and %d test rows", train.Len(), test.Len())
	}
}

// TestPixels checks that every value is a sixteenth and that the parts use the whole range.
func TestPixels(t *testing.T) {
	train, test := Load()
	for name, ds := range map[string]data.Dataset{"train": train, "test": test} {
		x, y := make([]float32, 64), make([]float32, 1)
		var highest float32
		for i := range ds.Len() {
			if err := ds.Read([]int{i}, x, y); err != nil {
				t.Fatal(err)
			}
			for _, v := range x {
				if v < 0 || v > 1 || v*16 != float32(int(v*16)) {
					t.Fatalf("%s: row %d holds %v", name, i, v)
				}
				highest = max(highest, v)
			}
		}
		if highest != 1 {
			t.Errorf("%s: the largest value is %v", name, highest)
		}
	}
}

// TestPartsShareNoImage: of 1,797 images no two are equal, so an image on both sides would be a fault.
func TestPartsShareNoImage(t *testing.T) {
	train, test := Load()
	seen := map[[64]float32]string{}
	for name, ds := range map[string]data.Dataset{"train": train, "test": test} {
		x, y := make([]float32, 64), make([]float32, 1)
		for i := range ds.Len() {
			if err := ds.Read([]int{i}, x, y); err != nil {
				t.Fatal(err)
			}
			if other, ok := seen[[64]float32(x)]; ok {
				t.Errorf("row %d of %s is also in %s", i, name, other)
			}
			seen[[64]float32(x)] = name
		}
	}
}

func TestParseErrors(t *testing.T) {
	for name, b := range map[string][]byte{
		"empty":     nil,
		"no gzip":   []byte("1,2,3"),
		"truncated": compressed[:len(compressed)/2],
	} {
		if _, _, err := parse(b); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
