package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/data/digits"
	"github.com/goqat/goqat/fakequant"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/posttrain"
	"github.com/goqat/goqat/quant"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"goqat": main, "failing": ending(failed), "misused": ending(misused)})
}

// ending is goqat as a command that must end with the given exit code and print
// nothing but messages.
func ending(want int) func() {
	return func() {
		var stdout strings.Builder
		if code := interruptible(os.Args[1:], &stdout, os.Stderr); code != want || stdout.Len() > 0 {
			fmt.Fprintf(os.Stderr, "exit code %d, want %d; standard output %q\n", code, want, &stdout)
			os.Exit(1)
		}
	}
}

// TestScripts runs testdata/script/*.txtar, in which goqat is a command, and so
// are the functions below.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			keras, err := filepath.Abs("../../tflite/testdata/keras")
			if err != nil {
				return err
			}
			e.Setenv("KERAS", keras) // files that TensorFlow's converter wrote
			e.Setenv("TMPDIR", e.WorkDir+"/tmp")
			return os.Mkdir(e.WorkDir+"/tmp", 0o755)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"json": checkJSON, "empty": checkEmpty, "cut": cut, "npy": writeNPY, "idx": writeIDX, "holds": checkNPY,
			"csv": writeCSV, "pictures": writePictures, "sounds": writeSounds, "graph": writeGraph,
		},
	})
}

// checkJSON is `json FILE KEY...`: FILE, or stdout, is one JSON object with
// these keys.
func checkJSON(ts *testscript.TestScript, _ bool, args []string) {
	var object map[string]any
	d := json.NewDecoder(strings.NewReader(ts.ReadFile(args[0])))
	ts.Check(d.Decode(&object))
	if _, err := d.Token(); err != io.EOF {
		ts.Fatalf("%s holds more than one JSON value", args[0])
	}
	for _, key := range args[1:] {
		if _, ok := object[key]; !ok {
			ts.Fatalf("%s has no key %q", args[0], key)
		}
	}
}

// checkEmpty is `empty DIR`: nothing is left in DIR.
func checkEmpty(ts *testscript.TestScript, _ bool, args []string) {
	left, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(left) > 0 {
		ts.Fatalf("%s holds %v", args[0], left)
	}
}

// cut is `cut FROM TO BYTES`: TO becomes the first BYTES of FROM.
func cut(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(ts.ReadFile(args[0])[:n]), 0o644))
}

// writeNPY is `npy FILE TYPE SIZE...`: an array of that shape that counts from 0, in
// NPZ format if FILE is named so.
func writeNPY(ts *testscript.TestScript, _ bool, args []string) {
	shape, n := sizes(ts, args[2:])
	a := &data.Array{Shape: shape}
	switch args[1] {
	case "int8":
		a.Data = counting[int8](n)
	case "float32":
		a.Data = counting[float32](n)
	case "float64":
		a.Data = counting[float64](n)
	default:
		ts.Fatalf("npy: unknown type %s", args[1])
	}
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	if strings.HasSuffix(args[0], ".npz") {
		ts.Check(data.WriteNPZ(f, map[string]*data.Array{"arr_0": a}))
	} else {
		ts.Check(data.WriteNPY(f, a))
	}
	ts.Check(f.Close())
}

// checkNPY is `holds FILE TYPE SIZE...`: FILE is an array of that type and shape.
func checkNPY(ts *testscript.TestScript, _ bool, args []string) {
	a, err := data.ReadNPYFile(ts.MkAbs(args[0]))
	ts.Check(err)
	shape, _ := sizes(ts, args[2:])
	if typ := strings.TrimPrefix(fmt.Sprintf("%T", a.Data), "[]"); typ != args[1] || !slices.Equal(a.Shape, shape) {
		ts.Fatalf("%s holds %s of shape %v", args[0], typ, a.Shape)
	}
}

// writeIDX is `idx DIR ROWS SIZE`: a data set of square images whose two classes
// are a dark left and a dark right half. Beside it lies the same set as DIR.npz.
func writeIDX(ts *testscript.TestScript, _ bool, args []string) {
	of, _ := sizes(ts, args[1:])
	n, size := of[0], of[1]
	ts.Check(os.Mkdir(ts.MkAbs(args[0]), 0o755))
	arrays := map[string]*data.Array{}
	for part, keras := range map[string]string{"train": "train", "t10k": "test"} {
		images := []byte{0, 0, 8, 3, 0, 0, byte(n >> 8), byte(n), 0, 0, 0, byte(size), 0, 0, 0, byte(size)}
		labels := []byte{0, 0, 8, 1, 0, 0, byte(n >> 8), byte(n)}
		for row := range n {
			labels = append(labels, byte(row%2))
			for i := range size * size {
				dark := byte(0)
				if (i%size < size/2) == (row%2 == 0) {
					dark = byte(128 + (row*31+i*7)%128)
				}
				images = append(images, dark)
			}
		}
		for name, content := range map[string][]byte{part + "-images-idx3-ubyte": images, part + "-labels-idx1-ubyte": labels} {
			ts.Check(os.WriteFile(filepath.Join(ts.MkAbs(args[0]), name), content, 0o644))
		}
		arrays["x_"+keras] = &data.Array{Shape: []int{n, size, size}, Data: images[16:]}
		arrays["y_"+keras] = &data.Array{Shape: []int{n}, Data: labels[8:]}
	}
	f, err := os.Create(ts.MkAbs(args[0]) + ".npz")
	ts.Check(err)
	ts.Check(data.WriteNPZ(f, arrays))
	ts.Check(f.Close())
}

// writeGraph is `graph FILE`: a dense layer for the digits with FakeQuant nodes, as
// it is while it trains.
func writeGraph(ts *testscript.TestScript, _ bool, args []string) {
	net, err := layers.Sequential{layers.Flatten{}, layers.Dense{Units: 10}}.Build(layers.Input{8, 8, 1}, 1)
	ts.Check(err)
	q, err := fakequant.Insert(net, quant.Int8())
	ts.Check(err)
	rows, _ := digits.Load()
	ts.Check(posttrain.Calibrate(context.Background(), q, rows, posttrain.Calibration{Samples: 100}))
	ts.Check(graph.Save(ts.MkAbs(args[0]), q))
}

func counting[T int8 | float32 | float64](n int) []T {
	values := make([]T, n)
	for i := range values {
		values[i] = T(i % 100)
	}
	return values
}

func sizes(ts *testscript.TestScript, args []string) (shape []int, n int) {
	n = 1
	for _, a := range args {
		d, err := strconv.Atoi(a)
		ts.Check(err)
		shape, n = append(shape, d), n*d
	}
	return shape, n
}

// canceller cancels a context as soon as training has begun.
type canceller struct {
	strings.Builder
	cancel context.CancelFunc
}

func (c *canceller) Write(b []byte) (int, error) {
	if strings.Contains(string(b), "float32 1/") {
		c.cancel()
	}
	return c.Builder.Write(b)
}

func TestInterruptLeavesNothing(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	out := t.TempDir()
	for _, args := range [][]string{{"compare"}, {"compare", "-out", out}} {
		ctx, cancel := context.WithCancel(t.Context())
		stderr, stdout := &canceller{cancel: cancel}, &strings.Builder{}
		code := execute(&session{ctx, strings.NewReader(""), stdout, stderr}, args)
		if code != failed || !strings.HasSuffix(stderr.String(), "goqat: interrupted\n") || stdout.Len() > 0 {
			t.Errorf("%v: exit code %d, standard output %q, standard error %q", args, code, stdout, &stderr.Builder)
		}
		for _, dir := range []string{out, os.Getenv("TMPDIR")} {
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("%v: %s holds %v, error %v", args, dir, left, err)
			}
		}
	}
}

func TestLongFlags(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"compare -data x -qat-epochs=2 --seed 1", "compare --data x --qat-epochs=2 --seed 1"},
		{"run -h - -1 -x=1 a-b", "run -h - -1 -x=1 a-b"},
		{"quantize -offset -1 --scale -.5 -x -2", "quantize --offset=-1 --scale=-.5 -x -2"},
		{"eval -- -data", "eval -- -data"},
	} {
		if got := strings.Join(longFlags(strings.Fields(c.in)), " "); got != c.want {
			t.Errorf("%s becomes %s, want %s", c.in, got, c.want)
		}
	}
}
