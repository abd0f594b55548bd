package main

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/goqat/goqat/data/audio"
)

// writeCSV is `csv FILE ROWS COLUMNS`: a header and a table that counts as that of
// npy does, with a column more.
func writeCSV(ts *testscript.TestScript, _ bool, args []string) {
	of, _ := sizes(ts, args[1:])
	var b strings.Builder
	for column := range of[1] {
		fmt.Fprintf(&b, "x%d,", column)
	}
	b.WriteString("label\n")
	for i := range of[0] * of[1] {
		fmt.Fprintf(&b, "%d,", i%100)
		if (i+1)%of[1] == 0 {
			b.WriteString("7\n")
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(b.String()), 0o644))
}

// writePictures is `pictures DIR ROWS HEIGHT WIDTH`: gray PNG files.
func writePictures(ts *testscript.TestScript, _ bool, args []string) {
	of, _ := sizes(ts, args[1:])
	dir := ts.MkAbs(args[0])
	ts.Check(os.Mkdir(dir, 0o755))
	for row := range of[0] {
		m := image.NewGray(image.Rect(0, 0, of[2], of[1]))
		for i := range of[1] * of[2] {
			m.SetGray(i%of[2], i/of[2], color.Gray{Y: uint8(row*31 + i*7)})
		}
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%03d.png", row)))
		ts.Check(err)
		ts.Check(png.Encode(f, m))
		ts.Check(f.Close())
	}
}

// writeSounds is `sounds DIR ROWS LENGTH`: WAV files of two labels.
func writeSounds(ts *testscript.TestScript, _ bool, args []string) {
	of, _ := sizes(ts, args[1:])
	for label := range 2 {
		dir := filepath.Join(ts.MkAbs(args[0]), fmt.Sprint("label", label))
		ts.Check(os.MkdirAll(dir, 0o755))
		for row := range of[0] {
			c := audio.Clip{Rate: 8000, Samples: make([]float32, of[1])}
			for i := range c.Samples {
				c.Samples[i] = float32(math.Sin(float64(i*(1+label+row)))) / 2
			}
			f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%03d.wav", row)))
			ts.Check(err)
			ts.Check(audio.WriteWAV(f, c))
			ts.Check(f.Close())
		}
	}
}
