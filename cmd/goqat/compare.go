package main

import (
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/goqat/goqat/cmd/goqat/internal/compare"
	"github.com/goqat/goqat/quant"
)

// compareCommand is `goqat compare`.
type compareCommand struct {
	Data      string `placeholder:"DIR|FILE.npz" help:"Directory of four IDX files, plain or .gz, named as those of MNIST and Fashion-MNIST are, or NPZ file with x_train, y_train, x_test and y_test. Without it: the network's own, see below."`
	Model     string `default:"cnn" placeholder:"NAME" help:"Network, see below. Default: cnn."`
	Recipe    string `enum:"int8,int8-per-tensor" default:"int8" placeholder:"int8|int8-per-tensor" help:"The int8 files have a weight scale for each output channel, or one for each tensor. Default: int8."`
	Epochs    *int   `placeholder:"N" help:"Epochs of the float network, at a learning rate of 1e-3. Default: what suits the network's own data; 5 on others."`
	QATEpochs *int   `name:"qat-epochs" placeholder:"N" help:"Further epochs, at 1e-4, of quantization-aware training and of its control. Default: what suits the network's own data; 2 on others."`
	Batch     *int   `placeholder:"N" help:"Rows in a training batch. Default: 32 on the network's own data, 128 on others."`
	Seed      uint64 `placeholder:"N" default:"1" help:"Seed of everything random. Equal seeds give equal files. Default: 1."`
	Out       string `placeholder:"DIR" help:"Where to keep the .tflite files. Without it they are temporary."`
	JSON      bool   `name:"json" help:"Print one JSON object with all figures, times and memory included."`
}

// Help is shown below the flags.
func (compareCommand) Help() string {
	var list strings.Builder
	t := tabwriter.NewWriter(&list, 0, 0, 2, ' ', 0)
	for _, m := range compare.Models() {
		fmt.Fprintf(t, "  %s\t%s\t\n  \ton %s\t\n", m.Name, m.About, m.Own.About)
	}
	if err := t.Flush(); err != nil { // a strings.Builder takes everything
		return err.Error()
	}
	return `The rows "control" are the float network trained on for as long as QAT, without quantizers: QAT's gain counts against their post-training int8 file. Training and calibration see training rows only.

Networks, and the data that they learn from without -data. Other data may have other sizes, but not another number of axes. Synthetic data say nothing about real ones.

` + list.String() + `
The autoencoder learns to give normal rows back, those of class 0. It takes a row for an anomaly, class 1, if it gives it back with a larger error than 95 % of the training rows.

Examples:
  goqat compare
  goqat compare -out models -json > result.json
  goqat compare -model ds-cnn
  goqat compare -model autoencoder -recipe int8-per-tensor
  goqat compare -model resnet8 -data /usr/share/datasets/fashion-mnist -epochs 5 -qat-epochs 2`
}

// Validate is called before Run.
func (c *compareCommand) Validate() error {
	if _, err := compare.ByName(c.Model); err != nil {
		return err
	}
	for _, f := range []struct {
		name  string
		value *int
	}{{"epochs", c.Epochs}, {"qat-epochs", c.QATEpochs}, {"batch", c.Batch}} {
		if f.value != nil && *f.value < 1 {
			return fmt.Errorf("--%s: %d is not positive", f.name, *f.value)
		}
	}
	return nil
}

// Run trains, measures and prints.
func (c *compareCommand) Run(s *session) error {
	m, err := compare.ByName(c.Model)
	if err != nil {
		return err
	}
	source, err := compare.Open(m, c.Data)
	if err != nil {
		return err
	}
	dir, remove, err := directory(c.Out)
	if err != nil {
		return err
	}
	defer remove()
	result, err := compare.Run(s.ctx, source, compare.Config{
		Model: c.Model, Recipe: recipes[c.Recipe], Epochs: value(c.Epochs), QATEpochs: value(c.QATEpochs),
		BatchSize: value(c.Batch), Seed: c.Seed, Dir: dir, Progress: s.stderr,
	})
	if err != nil {
		return err
	}
	if c.Out == "" {
		result.ForgetFiles()
	}
	if c.JSON {
		return writeJSON(s.stdout, result)
	}
	if err := result.WriteTimes(s.stderr); err != nil {
		return err
	}
	if err := result.WriteText(s.stdout); err != nil {
		return err
	}
	where := "The files were temporary; -out DIR keeps them."
	if c.Out != "" {
		where = "The files are in " + c.Out + "."
	}
	_, err = fmt.Fprintln(s.stdout, where)
	return err
}

var recipes = map[string]quant.Recipe{"int8": quant.Int8(), "int8-per-tensor": quant.Int8PerTensor()}

// value returns 0 for a flag that was not given.
func value(flag *int) int {
	if flag == nil {
		return 0
	}
	return *flag
}

// directory makes the directory out, or a temporary one that remove removes.
func directory(out string) (dir string, remove func(), err error) {
	if out != "" {
		return out, func() {}, os.MkdirAll(out, 0o755)
	}
	if dir, err = os.MkdirTemp("", "goqat-compare-"); err != nil {
		return "", nil, err
	}
	return dir, func() { os.RemoveAll(dir) }, nil
}
