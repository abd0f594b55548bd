package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"strings"
	"time"

	"github.com/goqat/goqat/cmd/goqat/internal/ptq"
	"github.com/goqat/goqat/cmd/goqat/internal/samples"
	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite"
)

// quantizeCommand is `goqat quantize`.
type quantizeCommand struct {
	Model      string    `arg:"" name:"IN.tflite" help:"Float network, from any program."`
	Out        string    `short:"o" required:"" placeholder:"OUT.tflite" help:"File to write. The recipe is saved beside it, as OUT.recipe.toml."`
	Data       rowData   `embed:""`
	Plan       planFlags `embed:""`
	AllowFloat bool      `help:"Let operators that an int8 model cannot have stay float32, and list them."`
	JSON       bool      `name:"json" help:"Print JSON."`
}

// planFlags are the flags that say how a network is quantized.
type planFlags struct {
	Mode         string  `placeholder:"MODE" enum:"int8,int16,dynamic,weights,float16," default:"" help:"int8: integers throughout. int16: int8 weights, int16 activations. dynamic: int8 weights, activations quantized as the model runs. weights: int8 weights, float computation. float16: float16 weights. Default: int8."`
	Samples      *int    `placeholder:"N" help:"Most rows to calibrate with. 0: all. Default: 500."`
	Input        string  `placeholder:"TYPE" enum:"int8,uint8,int16,float32," default:"" help:"Number type of the input of an integer model: int8, uint8 or float32; int16 or float32 in mode int16. Default: that of the mode."`
	Output       string  `placeholder:"TYPE" enum:"int8,uint8,int16,float32," default:"" help:"That of the output."`
	MinElements  *int    `placeholder:"N" help:"Least number of weights that the modes dynamic and weights quantize. Default: 1024, as in TensorFlow, and 128 in mode weights."`
	WeightBits   int     `placeholder:"4|8" help:"Bits of a weight. With 4, depthwise and transposed convolutions keep 8 where no kernel takes less. Default: 8."`
	KeepInt8     string  `name:"keep-int8" placeholder:"LIST" help:"Patterns of names of operators whose weights keep 8 bits with -weight-bits 4."`
	PerTensor    bool    `help:"One scale for each weight tensor instead of one for each output channel."`
	PerTensorOf  string  `placeholder:"LIST" help:"Patterns of names of operators whose weights have one scale without -per-tensor."`
	PerChannelOf string  `placeholder:"LIST" help:"Patterns of names of operators whose weights have a scale for each output channel with -per-tensor."`
	Range        string  `placeholder:"METHOD" help:"How ranges are found: min-max, moving-average, percentile, mse or entropy. Default: min-max."`
	Percent      float64 `placeholder:"P" help:"Of range percentile: so many of a hundred values lie below the bound. Default: 99.99."`
	Repair       string  `placeholder:"LIST" help:"Remedies, separated by commas: equalize, absorb, adaround, bias."`
	KeepFloat    string  `placeholder:"LIST" help:"Patterns of names of operators that stay float32, separated by commas."`
	Recipe       string  `placeholder:"FILE" help:"Recipe in TOML or JSON, such as was saved beside a model. Flags count for more."`
}

// rowData are the flags that say which rows a command reads.
type rowData struct {
	Data     string           `placeholder:"PATH" help:"Representative rows: directory of IDX files, .npy, .npz or .csv file, directory of PNG or JPEG images, folder of WAV files for each label, or the word digits."`
	Scale    float64          `placeholder:"F" help:"Rows are multiplied by it; bytes and pixels are 0 to 1 before. Default: 1."`
	Offset   float64          `placeholder:"F" help:"Added to rows after that. Default: 0."`
	Features samples.Features `placeholder:"NAME" default:"raw" help:"What is computed of sounds: raw, keywords or anomalies. Default: raw."`
}

// open reads at most so many rows for a model.
func (d rowData) open(g *graph.Graph, rows int) (data.Dataset, error) {
	if len(g.Inputs) != 1 {
		return nil, fmt.Errorf("the model has %d inputs, want one", len(g.Inputs))
	}
	return samples.Open(d.Data, g.Inputs[0], samples.Options{Rows: rows, Scale: d.Scale, Offset: d.Offset, Features: d.Features})
}

// rows reads what a plan needs; nil for nothing.
func (d rowData) rows(g *graph.Graph, p ptq.Plan) (data.Dataset, error) {
	switch {
	case d.Data != "":
		return d.open(g, p.Samples)
	case ptq.Calibrated(p.Mode):
		return nil, fmt.Errorf("mode %s needs representative rows: -data PATH, or -mode dynamic, which needs none", p.Mode)
	case p.Sampled():
		return nil, fmt.Errorf("remedies other than equalize need representative rows: -data PATH")
	}
	return nil, nil
}

// Help is shown below the flags.
func (quantizeCommand) Help() string {
	return `The modes int8 and int16 need representative rows: some hundred that look like what the model will meet, scaled as in training, and not test data. Keras networks with a Rescaling layer inside take pixels up to 255: -scale 255.

Examples:
  goqat quantize net.tflite -o net-int8.tflite -data photos
  goqat quantize net.tflite -o net-int8.tflite -data fashion-mnist -range mse -repair equalize,bias
  goqat quantize net.tflite -o net-dynamic.tflite -mode dynamic
  goqat quantize net.tflite -o again.tflite -data photos -recipe net-int8.recipe.toml`
}

// plan returns the recipe file with the flags that were given.
func (c planFlags) plan() (ptq.Plan, error) {
	p := ptq.Plan{Samples: ptq.DefaultSamples}
	if c.Recipe != "" {
		var err error
		if p, err = ptq.ReadPlan(c.Recipe); err != nil {
			return p, err
		}
	}
	set := func(to *string, value string) {
		if value != "" {
			*to = value
		}
	}
	set(&p.Mode, c.Mode)
	set(&p.Input, c.Input)
	set(&p.Output, c.Output)
	set(&p.Range.Method, c.Range)
	if p.Mode == "" {
		p.Mode = ptq.Modes[0]
	}
	if c.Percent != 0 {
		p.Range.Percent = c.Percent
	}
	if c.Samples != nil {
		p.Samples = *c.Samples
	}
	if c.MinElements != nil {
		p.MinElements = c.MinElements
	}
	if c.Repair != "" {
		p.Repair = strings.Split(c.Repair, ",")
	}
	if c.WeightBits != 0 {
		p.WeightBits = c.WeightBits
	}
	if c.KeepInt8 != "" {
		p.KeepInt8 = strings.Split(c.KeepInt8, ",")
	}
	if c.KeepFloat != "" {
		p.KeepFloat = strings.Split(c.KeepFloat, ",")
	}
	if c.PerTensorOf != "" {
		p.PerTensorOf = strings.Split(c.PerTensorOf, ",")
	}
	if c.PerChannelOf != "" {
		p.PerChannelOf = strings.Split(c.PerChannelOf, ",")
	}
	p.PerTensor = p.PerTensor || c.PerTensor
	return p, p.Check()
}

// relaxed is how much garbage a short command may make before it is collected, in
// percent of what is in use.
const relaxed = 400

// quantized is what `goqat quantize` prints.
type quantized struct {
	Model       string      `json:"model"`
	Out         string      `json:"out"`
	Recipe      string      `json:"recipe"`
	Mode        string      `json:"mode"`
	Samples     int         `json:"samples,omitempty"`
	Bytes       int64       `json:"bytes"`
	BytesBefore int64       `json:"bytes_before"`
	Seconds     float64     `json:"seconds"`
	Float       []ptq.Float `json:"float,omitempty"`
}

// Run reads, quantizes and writes.
func (c *quantizeCommand) Run(s *session) error {
	began := time.Now()
	defer debug.SetGCPercent(debug.SetGCPercent(relaxed))
	p, err := c.Plan.plan()
	if err != nil {
		return err
	}
	net, err := tflite.ReadFile(c.Model)
	if err != nil {
		return err
	}
	if same(c.Model, c.Out) {
		return fmt.Errorf("%s would be overwritten, which cannot be undone: choose another name", c.Model)
	}
	recipe := strings.TrimSuffix(c.Out, filepath.Ext(c.Out)) + ".recipe.toml"
	own := same(c.Plan.Recipe, recipe) // it stays as it is, comments included
	if own {
		said, err := ptq.ReadPlan(recipe)
		if err != nil {
			return err
		}
		if said.Mode = cmp.Or(said.Mode, p.Mode); !reflect.DeepEqual(said, p) {
			return fmt.Errorf("%s would be overwritten, because flags say something else than it does: choose another name than %s", recipe, c.Out)
		}
	}
	rows, err := c.Data.rows(net, p)
	if err != nil {
		return err
	}
	result, err := ptq.Quantize(s.ctx, net, p, rows, ptq.Options{AllowFloat: c.AllowFloat, Progress: s.stderr, Logger: warnings(s.stderr)})
	if err != nil {
		return fmt.Errorf("%s: %w", c.Model, err)
	}
	if err := tflite.WriteFile(c.Out, result.Model); err != nil {
		return err
	}
	out := quantized{
		Model: c.Model, Out: c.Out, Recipe: recipe, Mode: p.Mode, Float: result.Float,
	}
	if !own {
		if err := p.Write(recipe); err != nil {
			return err
		}
	}
	if rows != nil && ptq.Calibrated(p.Mode) {
		out.Samples = rows.Len()
	}
	if out.BytesBefore, err = size(c.Model); err != nil {
		return err
	}
	if out.Bytes, err = size(c.Out); err != nil {
		return err
	}
	out.Seconds = time.Since(began).Seconds()
	if c.JSON {
		return writeJSON(s.stdout, out)
	}
	return out.writeText(s.stdout)
}

// writeText prints the result for people.
func (q quantized) writeText(w io.Writer) error {
	how := q.Mode
	if q.Samples > 0 {
		how += fmt.Sprintf(", %d samples", q.Samples)
	}
	_, err := fmt.Fprintf(w, "%s: %d bytes, %.2f times smaller than %d (%s, %.2f s)\n",
		q.Out, q.Bytes, float64(q.BytesBefore)/float64(q.Bytes), q.BytesBefore, how, q.Seconds)
	if len(q.Float) > 0 && err == nil {
		_, err = fmt.Fprintln(w, "in float32:")
	}
	for _, f := range q.Float {
		if err == nil {
			_, err = fmt.Fprintln(w, " ", f)
		}
	}
	return err
}

// size returns the bytes of a file.
func size(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// same reports whether two names are those of one file.
func same(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}
