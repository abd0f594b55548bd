package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/goqat/goqat/cmd/goqat/internal/advice"
	"github.com/goqat/goqat/cmd/goqat/internal/ptq"
	"github.com/goqat/goqat/cmd/goqat/internal/samples"
	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/tflite"
)

// adviseCommand is `goqat advise`.
type adviseCommand struct {
	Model     string   `arg:"" optional:"" name:"IN.tflite" help:"Float network."`
	Problem   string   `placeholder:"WHAT" enum:"none,size,speed,both," default:"" help:"What is to be better: none, size, speed or both. Asked for if it is not given, as are the next two."`
	Target    string   `placeholder:"WHERE" enum:"cpu,gpu,microcontroller,edgetpu," default:"" help:"Where the model will run: cpu, gpu, microcontroller or edgetpu."`
	HasData   *bool    `negatable:"" help:"There are, or are no, representative rows. Given by -data, too."`
	Loss      *float64 `placeholder:"POINTS" help:"What post-training quantization to int8 has cost, in points of accuracy, if you know."`
	Tolerance float64  `placeholder:"POINTS" default:"0.5" help:"Loss of accuracy that does not matter. Default: 0.5."`
	Data      rowData  `embed:""`
	Samples   int      `placeholder:"N" default:"500" help:"Training rows to calibrate with. Default: 500."`
	JSON      bool     `name:"json" help:"Print JSON."`
}

// Help is shown below the flags.
func (adviseCommand) Help() string {
	return `With a network and labelled rows (IDX directory, NPZ file, images or sounds in a folder for each label, digits) the ways that the target allows are measured on the test rows, and the advice follows the figures.

Examples:
  goqat advise
  goqat advise net.tflite -problem size -target microcontroller -data fashion-mnist
  goqat advise net.tflite -problem speed -target cpu -no-has-data`
}

// advised is what `goqat advise` prints.
type advised struct {
	advice.Advice
	Command  string             `json:"command,omitempty"`
	Bytes    int                `json:"bytes,omitempty"` // expected, or measured
	Before   int                `json:"bytes_before,omitempty"`
	Float    *ptq.Measured      `json:"float,omitempty"`
	Measured []advice.Candidate `json:"measured,omitempty"`
}

// Run asks, measures and prints.
func (c *adviseCommand) Run(s *session) error {
	situation, err := c.situation(s)
	if err != nil {
		return err
	}
	out := advised{Advice: advice.Decide(situation)}
	if c.Model != "" && c.Data.Data != "" && situation.Problem != advice.None {
		err = c.measure(s, situation, &out)
	} else if c.Model != "" {
		err = c.expect(s, &out)
	}
	if err != nil {
		return err
	}
	out.Command = c.command(out.Advice)
	if c.JSON {
		return writeJSON(s.stdout, out)
	}
	return out.writeText(s.stdout)
}

// situation is what the flags say and the answers to what they do not.
func (c *adviseCommand) situation(s *session) (advice.Situation, error) {
	in := bufio.NewReader(s.stdin)
	a := advice.Situation{Problem: c.Problem, Target: c.Target, Loss: c.Loss, Tolerance: c.Tolerance}
	var err error
	if a.Problem == "" {
		if a.Problem, err = ask(s.stderr, in, "Is size or speed a problem?", "problem", advice.Problems); err != nil {
			return a, err
		}
	}
	if a.Problem == advice.None {
		return a, nil
	}
	if a.Target == "" {
		if a.Target, err = ask(s.stderr, in, "Where will the model run?", "target", advice.Targets); err != nil {
			return a, err
		}
	}
	switch {
	case c.HasData != nil:
		a.Data = *c.HasData
	case c.Data.Data != "":
		a.Data = true
	default:
		answer, err := ask(s.stderr, in, "Are there representative rows to calibrate with?", "has-data", []string{"yes", "no"})
		if err != nil {
			return a, err
		}
		if a.Data = answer == "yes"; a.Data && a.Loss == nil && a.Target != advice.GPU {
			a.Loss, err = askLoss(s.stderr, in)
		}
		return a, err
	}
	return a, nil
}

// askLoss asks what quantization has cost; nil stands for nothing known.
func askLoss(w io.Writer, r *bufio.Reader) (*float64, error) {
	for {
		fmt.Fprint(w, "How many points of accuracy did int8 lose after training? (a number, or nothing if you have not tried) ")
		line, err := r.ReadString('\n')
		line = strings.TrimSpace(line)
		if line == "" || err != nil && !errors.Is(err, io.EOF) {
			return nil, nil
		}
		if loss, err := strconv.ParseFloat(line, 64); err == nil && !math.IsNaN(loss) && !math.IsInf(loss, 0) {
			return &loss, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%q is no number: give -loss", line)
		}
	}
}

// ask puts a question until the answer is one of the given ones.
func ask(w io.Writer, r *bufio.Reader, question, flag string, answers []string) (string, error) {
	for {
		fmt.Fprintf(w, "%s (%s) ", question, strings.Join(answers, ", "))
		line, err := r.ReadString('\n')
		answer := strings.ToLower(strings.TrimSpace(line))
		if slices.Contains(answers, answer) {
			return answer, nil
		}
		if err != nil {
			fmt.Fprintln(w)
			return "", fmt.Errorf("no answer: give -%s", flag)
		}
	}
}

// expect finds out what the file of the advised mode will have in bytes. That
// hardly depends on ranges: rows of one value and another will do for int8.
func (c *adviseCommand) expect(s *session, out *advised) error {
	net, err := tflite.ReadFile(c.Model)
	if err != nil {
		return err
	}
	before, err := size(c.Model)
	if err != nil {
		return err
	}
	if out.Before, out.Bytes = int(before), int(before); out.Mode == "float32" {
		return nil
	}
	p := ptq.Plan{Mode: out.Mode}
	var rows data.Dataset
	if out.Mode == "int8" && len(net.Inputs) == 1 {
		n := net.Inputs[0].Elements()
		x := make([]float32, 2*n)
		for i := range n {
			x[n+i] = 1
		}
		if rows, err = data.NewMemory(data.Arrays{InputShape: net.Inputs[0].Shape[1:], X: x, Y: make([]float32, 2)}); err != nil {
			return err
		}
	}
	result, err := ptq.Quantize(s.ctx, net, p, rows, ptq.Options{AllowFloat: true})
	if err != nil {
		return fmt.Errorf("%s: %w", c.Model, err)
	}
	content, err := tflite.Marshal(result.Model)
	out.Bytes = len(content)
	return err
}

// measure quantizes in every way that is worth it and lets the figures decide.
func (c *adviseCommand) measure(s *session, a advice.Situation, out *advised) error {
	net, train, test, err := c.Data.labelled(c.Model)
	if err != nil {
		return err
	}
	before, err := size(c.Model)
	if err != nil {
		return err
	}
	float, err := ptq.Measure(s.ctx, net, test, "float", s.stderr)
	if err != nil {
		return err
	}
	out.Before, out.Float = int(before), &float
	for _, candidate := range a.Candidates() {
		p := plan(candidate)
		p.Samples = c.Samples
		result, err := ptq.Quantize(s.ctx, net, p, train, ptq.Options{})
		if err != nil {
			return fmt.Errorf("%s: %w", c.Model, err)
		}
		m, err := ptq.Measure(s.ctx, result.Model, test, strings.Join(append([]string{candidate.Mode}, candidate.Flags...), " "), s.stderr)
		if err != nil {
			return err
		}
		candidate.Bytes, candidate.Accuracy, candidate.Loss = m.Bytes, m.Accuracy, math.Round(1e8*(float.Accuracy-m.Accuracy))/1e6
		out.Measured = append(out.Measured, candidate)
	}
	out.Advice = a.Choose(out.Measured)
	for _, m := range out.Measured {
		if m.Mode == out.Mode && slices.Equal(m.Flags, out.Flags) {
			out.Bytes = m.Bytes
		}
	}
	return nil
}

// plan is what the flags of a candidate mean.
func plan(c advice.Candidate) ptq.Plan {
	p := ptq.Plan{Mode: c.Mode}
	for i := 0; i+1 < len(c.Flags); i += 2 {
		switch c.Flags[i] {
		case "-range":
			p.Range.Method = c.Flags[i+1]
		case "-repair":
			p.Repair = strings.Split(c.Flags[i+1], ",")
		}
	}
	return p
}

// command is the command line to run.
func (c *adviseCommand) command(a advice.Advice) string {
	if a.Mode == "float32" {
		return ""
	}
	model := c.Model
	if model == "" {
		model = "net.tflite"
	}
	words := []string{"goqat quantize", model, "-o", strings.TrimSuffix(model, filepath.Ext(model)) + "-" + a.Mode + ".tflite", "-mode", a.Mode}
	if a.Mode == "int8" {
		rows := c.Data.Data
		if rows == "" {
			rows = "ROWS"
		}
		words = append(words, "-data", rows)
		if c.Data.Scale != 0 {
			words = append(words, "-scale", fmt.Sprint(c.Data.Scale))
		}
		if c.Data.Offset != 0 {
			words = append(words, "-offset", fmt.Sprint(c.Data.Offset))
		}
		if f := c.Data.Features; f != samples.Raw {
			words = append(words, "-features", f.String())
		}
		if c.Samples != ptq.DefaultSamples {
			words = append(words, "-samples", fmt.Sprint(c.Samples))
		}
	}
	return strings.Join(append(words, a.Flags...), " ")
}

// writeText prints the advice for people.
func (a advised) writeText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if a.Float != nil {
		fmt.Fprintf(t, "mode\tbytes\taccuracy\tloss\n")
		fmt.Fprintf(t, "float32\t%d\t%.2f %%\t\n", a.Before, 100*a.Float.Accuracy)
		for _, m := range a.Measured {
			fmt.Fprintf(t, "%s\t%d\t%.2f %%\t%.2f points\n", strings.Join(append([]string{m.Mode}, m.Flags...), " "), m.Bytes, 100*m.Accuracy, m.Loss)
		}
		fmt.Fprintln(t)
	}
	fmt.Fprintf(t, "advice:\t%s\nreason:\t%s\n", a.Mode, a.Reason)
	switch {
	case a.Bytes == 0 && a.Smaller() != 1:
		fmt.Fprintf(t, "size:\tabout %.0f times smaller, for large networks\n", a.Smaller())
	case a.Bytes > 0 && a.Bytes != a.Before:
		fmt.Fprintf(t, "size:\t%d bytes, %.2f times smaller than %d\n", a.Bytes, float64(a.Before)/float64(a.Bytes), a.Before)
	}
	if a.Command != "" {
		fmt.Fprintf(t, "run:\t%s\n", a.Command)
	}
	if a.QAT {
		fmt.Fprintf(t, "train:\tfakequant.Insert and train.Fit on the network's layers; goqat compare shows on your data what that wins\n")
	}
	return t.Flush()
}
