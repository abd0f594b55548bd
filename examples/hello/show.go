package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/tflite"
)

// show prints sizes, then outputs.
func show(w io.Writer, models []model, saved int) error {
	fmt.Fprintf(w, "One dense unit learned y = 2x - 1. The saved training model has %d bytes.\n\n", saved)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "file\tbytes\tof float32\tof saved model\t\n")
	for _, m := range models {
		fmt.Fprintf(t, "%s\t%d\t%.0f %%\t%.0f %%\t\n", m.name, len(m.file), percent(m.file, len(models[0].file)), percent(m.file, saved))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprint(w, explanation)
	return showOutputs(w, models)
}

// explanation says why the table looks as it does.
const explanation = `
On one neuron the file does not shrink four times. The network is one weight and
one bias, 8 bytes in float32; all the rest is what every file has (names, shapes,
operators), and quantized files have scales and zero points besides. The more
weights there are, the closer the ratio comes to four. The dynamic-range file was
made with MinElements 0: by default a weight tensor this small stays float32.

`

// percent returns the size of a file in hundredths of another size.
func percent(file []byte, size int) float64 { return 100 * float64(len(file)) / float64(size) }

// showOutputs runs every file on the points.
func showOutputs(w io.Writer, models []model) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "x\ttrue y\t")
	outputs := make([][]float32, len(models))
	var step float32
	for i, m := range models {
		fmt.Fprintf(t, "%s\t", m.name)
		g, err := tflite.Unmarshal(m.file)
		if err != nil {
			return err
		}
		ip, err := interp.New(g, interp.Options{})
		if err != nil {
			return err
		}
		if outputs[i], err = ip.RunFloat(xs); err != nil {
			return err
		}
		if p := g.Outputs[0].Quant; p != nil {
			step = p.Scale[0]
		}
	}
	fmt.Fprintln(t)
	for i, x := range xs {
		fmt.Fprintf(t, "%g\t%g\t", x, ys[i])
		for _, y := range outputs {
			fmt.Fprintf(t, "%.4f\t", y[i])
		}
		fmt.Fprintln(t)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nThe int8 outputs are multiples of the quantization step, %.4f: the range of y, divided by 255.\n", step)
	return err
}
