package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/rng"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/posttrain"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite"
	"github.com/goqat/goqat/zoo"
)

// Latency is how fast a file runs.
type Latency struct {
	Model   string `json:"model"`
	Threads int    `json:"threads"`
	Profile string `json:"profile"`
	// Micros is the median time of a run, Load that from the bytes of the file to
	// the end of the first run, both in microseconds.
	Micros     float64 `json:"us"`
	Load       float64 `json:"load_us"`
	ArenaBytes int     `json:"arena_bytes"`
}

// Run measures a file on one row of noise for about the given time, with as many
// threads as the program has.
//
// Errors: files that cannot be read or run, by name; an ended context.
func Run(ctx context.Context, path string, p interp.Profile, d time.Duration) (Latency, error) {
	l := Latency{Model: path, Threads: runtime.GOMAXPROCS(0), Profile: strings.ToLower(p.String())}
	content, err := os.ReadFile(path)
	if err != nil {
		return l, err
	}
	begin := time.Now()
	g, err := tflite.Unmarshal(content)
	if err != nil {
		return l, fmt.Errorf("%s: %w", path, err)
	}
	ip, err := interp.New(g, interp.Options{Profile: p})
	if err != nil {
		return l, fmt.Errorf("%s: %w", path, err)
	}
	prepared := time.Since(begin)
	inputs := make([]any, len(g.Inputs))
	for i, x := range g.Inputs {
		if inputs[i], err = noisyRow(x); err != nil {
			return l, fmt.Errorf("%s: %w", path, err)
		}
	}
	var times []time.Duration
	for begin := time.Now(); len(times) < 2 || time.Since(begin) < d; {
		if err := ctx.Err(); err != nil {
			return l, err
		}
		start := time.Now()
		if err := ip.Run(inputs...); err != nil {
			return l, fmt.Errorf("%s: %w", path, err)
		}
		times = append(times, time.Since(start))
	}
	l.Load, l.ArenaBytes = micros(prepared+times[0]), ip.ArenaBytes()
	slices.Sort(times)
	l.Micros = micros(times[len(times)/2])
	return l, nil
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

// noisyRow returns one row for an input: any codes, or numbers from -1 to 1.
func noisyRow(x *graph.Tensor) (any, error) {
	r := rng.New(1)
	floats := make([]float32, x.Elements())
	for i := range floats {
		floats[i] = 2*r.Float32() - 1
	}
	if x.Type != graph.Float32 && x.Quant != nil && !x.Quant.PerChannel() {
		for i := range floats {
			floats[i] *= 128 * x.Quant.Scale[0]
		}
	}
	return interp.Encode(x, floats)
}

// WriteText writes the latency as a line of a table, which begins with a header
// if header is true.
func (l Latency) WriteText(w io.Writer, header bool) error {
	if header {
		if _, err := fmt.Fprintf(w, "%9s  %9s  %9s  %7s  %-7s  %s\n", "us", "load us", "arena B", "threads", "profile", "model"); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "%9.1f  %9.0f  %9d  %7d  %-7s  %s\n", l.Micros, l.Load, l.ArenaBytes, l.Threads, l.Profile, l.Model)
	return err
}

// recipes are those of the files that [WriteModels] writes, by the end of their names.
var recipes = []struct {
	name   string
	recipe quant.Recipe
	export export.Options
}{
	{"int8", quant.Int8(), export.Options{Input: graph.Int8, Output: graph.Int8}},
	{"int16x8", quant.Int16x8(), export.Options{Input: graph.Int16, Output: graph.Int16}},
	{"dynamic-range", quant.DynamicRange(), export.Options{}},
}

// WriteModels writes every network of the zoo to a directory, untrained: quantized
// by each of the recipes, with noise to calibrate on, and in float32.
func WriteModels(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	const rows = 16
	for _, n := range zoo.Networks() {
		net, err := n.Build(n.Input, n.Outputs, 1)
		if err != nil {
			return err
		}
		r := rng.New(1)
		x := make([]float32, rows*net.Inputs[0].Elements())
		for i := range x {
			x[i] = 2*r.Float32() - 1
		}
		samples, err := data.NewMemory(data.Arrays{X: x, InputShape: n.Input, Y: make([]float32, rows)})
		if err != nil {
			return err
		}
		floats, err := export.Float32(net)
		if err != nil {
			return err
		}
		models := map[string]*graph.Graph{"float32": floats}
		for _, q := range recipes {
			if models[q.name], err = posttrain.Quantize(ctx, net, q.recipe, samples, posttrain.Options{Export: q.export}); err != nil {
				return err
			}
		}
		for name, g := range models {
			if err := tflite.WriteFile(filepath.Join(dir, n.Name+"-"+name+".tflite"), g); err != nil {
				return err
			}
		}
	}
	return nil
}
