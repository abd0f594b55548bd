package main

import (
	"fmt"
	"os"

	"github.com/goqat/goqat/cmd/goqat/internal/compare"
	"github.com/goqat/goqat/quant"
)

// compareCommand is `goqat compare`.
type compareCommand struct {
	Data      string        `placeholder:"DIR|FILE.npz" help:"Directory of four IDX files, plain or .gz, named as those of MNIST and Fashion-MNIST are, or NPZ file with x_train, y_train, x_test and y_test. Without it: 8x8 handwritten digits that are part of this program."`
	Model     compare.Model `default:"cnn" placeholder:"cnn|mlp" help:"Network: two convolutions and a dense layer, or two dense layers. Default: cnn."`
	Recipe    string        `enum:"int8,int8-per-tensor" default:"int8" placeholder:"int8|int8-per-tensor" help:"The int8 files have a weight scale for each output channel, or one for each tensor. Default: int8."`
	Epochs    *int          `placeholder:"N" help:"Epochs of the float network, at a learning rate of 1e-3. Default: 30 on the digits, 5 on other data."`
	QATEpochs *int          `name:"qat-epochs" placeholder:"N" help:"Further epochs, at 1e-4, of quantization-aware training and of its control. Default: 10 on the digits, 2 on other data."`
	Batch     *int          `placeholder:"N" help:"Rows in a training batch. Default: 32 on the digits, 128 on other data."`
	Seed      uint64        `placeholder:"N" default:"1" help:"Seed of everything random. Equal seeds give equal files. Default: 1."`
	Out       string        `placeholder:"DIR" help:"Where to keep the .tflite files. Without it they are temporary."`
	JSON      bool          `name:"json" help:"Print one JSON object with all figures, times and memory included."`
}

// Help is shown below the flags.
func (compareCommand) Help() string {
	return `The rows "control" are the float network trained on for as long as QAT, without quantizers: QAT's gain counts against their post-training int8 file. Training and calibration see training rows only.

Examples:
  goqat compare
  goqat compare -out models -json > result.json
  goqat compare -data /usr/share/datasets/fashion-mnist -epochs 5 -qat-epochs 2`
}

// Validate is called before Run.
func (c *compareCommand) Validate() error {
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
	source, err := compare.Open(c.Data)
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
