package interp_test

import (
	"fmt"
	"math/bits"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/zoo"
)

// randomGraph returns a graph of nodes that read any tensors before them.
func randomGraph(t *rapid.T, b builder) *graph.Graph {
	known := []*graph.Tensor{b.input("x", graph.Float32, nil, 1, 4, 6, 2)}
	if rapid.Bool().Draw(t, "second input") {
		known = append(known, b.input("z", graph.Float32, nil, 1, 6))
	}
	for range rapid.IntRange(1, 14).Draw(t, "nodes") {
		x := rapid.SampledFrom(known).Draw(t, "x")
		var y *graph.Tensor
		switch rapid.IntRange(0, 4).Draw(t, "operator") {
		case 0:
			y = b.float(graph.Relu{}, x)
		case 1:
			same := slices.DeleteFunc(slices.Clone(known), func(o *graph.Tensor) bool { return !slices.Equal(o.Shape, x.Shape) })
			y = b.float(graph.Add{}, x, rapid.SampledFrom(same).Draw(t, "y"))
		case 2:
			y = b.float(graph.Reshape{Shape: []int{-1, 1, x.Elements()}}, x)
		case 3:
			y = b.float(graph.Concat{Axis: len(x.Shape) - 1}, x, x)
		case 4:
			y = b.float(graph.Pad{Paddings: append(make([][2]int, len(x.Shape)-1), [2]int{1, 0})}, x)
		}
		known = append(known, y)
	}
	outputs := []*graph.Tensor{known[len(known)-1]}
	if rapid.Bool().Draw(t, "second output") {
		if y := rapid.SampledFrom(known).Draw(t, "output"); y != outputs[0] {
			outputs = append(outputs, y)
		}
	}
	return b.done(outputs...)
}

// No two tensors that exist at one time share memory, but for those that are the
// same elements in another shape; and what runs in it computes what runs with
// memory for each.
func TestRandomGraphsShareMemoryInTime(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		g := randomGraph(r, newBuilder(t, 1))
		rows := rapid.IntRange(1, 3).Draw(r, "rows")
		m, err := interp.PlanMemory(g, interp.Options{Batch: rows})
		if err != nil {
			r.Fatal(err)
		}
		checkPlan(r, g, m)
		kept, shared := start(t, g, interp.Options{Batch: rows, KeepAll: true}), start(t, g, interp.Options{Batch: rows})
		var inputs []any
		for i, x := range g.Inputs {
			inputs = append(inputs, newBuilder(t, uint64(i)).data(x, rows))
		}
		run(t, kept, inputs...)
		run(t, shared, inputs...)
		for i := range g.Outputs {
			equal(t, "output", shared.Output(i), kept.Output(i))
		}
		checkPlan(r, g, kept.MemoryPlan())
	})
}

// checkPlan holds a plan to the lives of tensors, found here once more.
func checkPlan(t rapid.TB, g *graph.Graph, m *interp.MemoryPlan) {
	end := len(g.Nodes)
	alive := map[string][2]int{}
	same := map[string]string{} // what a tensor is a copy of, in the same place
	origin := func(x string) string {
		for same[x] != "" {
			x = same[x]
		}
		return x
	}
	for _, x := range g.Inputs {
		alive[x.Name] = [2]int{-1, -1}
	}
	for i, n := range g.Nodes {
		alive[n.Output.Name] = [2]int{i, i}
		for _, x := range n.Inputs {
			if life, ok := alive[x.Name]; ok {
				alive[x.Name] = [2]int{life[0], i}
			}
		}
		if m.Steps[i].Note == "in place" {
			same[n.Output.Name] = n.Inputs[0].Name
		}
	}
	for _, y := range g.Outputs {
		alive[y.Name] = [2]int{alive[y.Name][0], end}
	}
	for i, a := range m.Tensors {
		life := alive[a.Name]
		if a.First > life[0] || a.Last < life[1] || a.Offset < 0 || a.Offset+a.Bytes > m.ArenaBytes {
			t.Fatalf("%+v lives from %d to %d, in %d bytes", a, life[0], life[1], m.ArenaBytes)
		}
		for _, b := range m.Tensors[:i] {
			together := alive[b.Name][0] <= life[1] && life[0] <= alive[b.Name][1]
			apart := a.Offset+a.Bytes <= b.Offset || b.Offset+b.Bytes <= a.Offset
			if together && !apart && origin(a.Name) != origin(b.Name) {
				t.Fatalf("%+v and %+v share bytes", a, b)
			}
		}
	}
	for i, s := range m.Steps {
		live := 0
		counted := map[int]bool{}
		for _, x := range m.Tensors {
			if x.First <= i && i <= x.Last && !counted[x.Offset] {
				counted[x.Offset] = true
				live += (x.Bytes + 63) / 64 * 64
			}
		}
		if s.LiveBytes < live { // a tensor in place of another may be larger: no
			t.Fatalf("step %d: %d bytes are alive, the plan says %d", i, live, s.LiveBytes)
		}
	}
	if m.PeakBytes > m.ArenaBytes || m.PeakBytes != m.Steps[m.Peak].LiveBytes {
		t.Fatalf("%d bytes alive of %d", m.PeakBytes, m.ArenaBytes)
	}
}

// The arena of every network of the zoo is as small as can be: what is alive at
// the worst time.
func TestZooArenasAreLeast(t *testing.T) {
	for _, n := range zoo.Networks() {
		net, err := n.Build(n.Input, n.Outputs, 1)
		if err != nil {
			t.Fatal(err)
		}
		float, err := export.Float32(net)
		if err != nil {
			t.Fatal(err)
		}
		for kind, g := range map[string]*graph.Graph{"int8": zooModel(t, n), "float32": float, "training": net} {
			for _, rows := range []int{1, 5} {
				m, err := interp.PlanMemory(g, interp.Options{Batch: rows})
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%s %s, %d rows: arena %d bytes, alive %d at %s %q", n.Name, kind, rows, m.ArenaBytes, m.PeakBytes, m.Steps[m.Peak].Operator, m.Steps[m.Peak].Node)
				if m.ArenaBytes != m.PeakBytes {
					t.Errorf("%s %s, %d rows: arena %d bytes, alive at most %d", n.Name, kind, rows, m.ArenaBytes, m.PeakBytes)
				}
			}
		}
	}
}

func TestPlanOfAnInterpreter(t *testing.T) {
	forEach(t, func(t *testing.T, g *graph.Graph, _, _ any) {
		for _, o := range []interp.Options{{}, {Batch: 3}, {Batch: 4, Threads: 3}, {KeepAll: true}} {
			m, err := interp.PlanMemory(g, o)
			if err != nil {
				t.Fatal(err)
			}
			ip := start(t, g, o)
			equal(t, "plan", ip.MemoryPlan(), m)
			if got := m.Arenas * m.ArenaBytes; got != ip.ArenaBytes() {
				t.Errorf("%d bytes in the plan, %d of the interpreter", got, ip.ArenaBytes())
			}
		}
	})
}

// hostile are graphs whose file would be small and whose memory is not.
func hostile(t *testing.T) map[string]*graph.Graph {
	one := func(typ graph.Type, shape []int, op graph.Op, weights ...int) *graph.Graph {
		b := newBuilder(t, 1)
		p := ptr(0.02, -13)
		if typ == graph.Float32 {
			p = nil
		}
		inputs := []*graph.Tensor{b.input("x", typ, p, shape...)}
		if len(weights) > 0 {
			w := b.floats("w", weights...)
			if typ == graph.Int8 {
				w = b.weights("w", false, weights...)
			}
			inputs = append(inputs, w)
		}
		return b.done(b.op("y", op, typ, p, inputs...))
	}
	list := map[string]*graph.Graph{}
	for _, typ := range []graph.Type{graph.Int8, graph.Float32} {
		for name, g := range map[string]*graph.Graph{
			"a large input":      one(typ, []int{1, 1 << 20, 1 << 30, 1 << 14}, graph.Relu{}),
			"dilation":           one(typ, []int{1, 1, 1, 1}, graph.Conv2D{Padding: graph.Same, StrideH: 1, StrideW: 1, DilationH: 1 << 15, DilationW: 1 << 15}, 1, 3, 3, 1),
			"depthwise dilation": one(typ, []int{1, 1, 1, 2}, graph.DepthwiseConv2D{Padding: graph.Same, StrideH: 1, StrideW: 1, DilationH: 1 << 15, DilationW: 1 << 15, DepthMultiplier: 1}, 1, 3, 3, 2),
			"stride up":          one(typ, []int{1, 2, 2, 1}, graph.TransposeConv{StrideH: 1 << 15, StrideW: 1 << 15}, 1, 1, 1, 1),
			"phases":             one(typ, []int{1, 1, 1, 1}, graph.TransposeConv{StrideH: 500, StrideW: 500}, 1, 1, 1, 1),
			"padding":            one(typ, []int{1, 1, 1, 1}, graph.Pad{Paddings: [][2]int{{}, {1 << 15, 1 << 15}, {1 << 15, 1 << 15}, {}}}),
			"new size":           one(typ, []int{1, 1, 1, 1}, graph.ResizeNearestNeighbor{Height: 1 << 30, Width: 1 << 30}),
			"long":               one(typ, []int{1, 1, 1, 1}, graph.ResizeNearestNeighbor{Height: 1, Width: 1 << 18}),
			"pool":               one(typ, []int{1, 400, 400, 1}, graph.MaxPool2D{Pool: graph.Pool{Padding: graph.Same, FilterH: 1 << 15, FilterW: 1 << 15, StrideH: 399, StrideW: 399}}),
		} {
			list[typ.String()+" "+name] = g
		}
	}
	b := newBuilder(t, 1)
	x := b.input("x", graph.Float32, nil, 1, 2, 2)
	for range bits.UintSize - 4 {
		x = b.float(graph.Concat{Axis: 2}, x, x)
	}
	list["doubled again and again"] = b.done(x)
	b = newBuilder(t, 1)
	c := b.floats("c", 1, 1, 1, 1)
	for i := range 3 {
		c = b.float(graph.Add{}, c, b.floats("c"+string(rune('1'+i)), slices.Insert([]int{1, 1, 1}, i, 1<<9)...))
	}
	list["constants of constants"] = b.done(b.float(graph.Add{}, b.input("x", graph.Float32, nil, 1, 1, 1, 1), b.float(graph.Reshape{Shape: []int{1, 1 << 9, 1 << 9, 1 << 9}}, c)))
	return list
}

// What a graph wants is an error by name, before any memory is asked for.
func TestHostileSizes(t *testing.T) {
	for name, g := range hostile(t) {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := interp.New(g, interp.Options{MaxBytes: 1 << 18})
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), "MaxBytes") || !strings.Contains(err.Error(), `"`) {
				t.Errorf("got %v", err)
			}
			t.Log(err)
			if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
				t.Errorf("%d bytes were allocated", used)
			}
		})
	}
}

// Windows far larger than their image cost no more than the image.
func TestWindowsLargerThanTheImage(t *testing.T) {
	for _, typ := range []graph.Type{graph.Int8, graph.Float32} {
		for _, op := range []func(graph.Pool) graph.Op{
			func(p graph.Pool) graph.Op { return graph.MaxPool2D{Pool: p} },
			func(p graph.Pool) graph.Op { return graph.AveragePool2D{Pool: p} },
		} {
			b := newBuilder(t, 1)
			p := ptr(0.02, -13)
			if typ == graph.Float32 {
				p = nil
			}
			x := b.input("x", typ, p, 1, 3, 4, 2)
			g := b.done(b.op("y", op(graph.Pool{Padding: graph.Same, FilterH: 1 << 15, FilterW: 1 << 15, StrideH: 1, StrideW: 2}), typ, p, x))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got := run(t, start(t, g, interp.Options{MaxBytes: 1 << 12}), b.data(x, 1))
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
				t.Errorf("%v: %d bytes were allocated", g.Nodes[0].Op, used)
			}
			y := fmt.Sprint(got)
			equal(t, "every window holds the image", y, fmt.Sprint(run(t, start(t, g, interp.Options{Reference: true}), newBuilder(t, 1).data(x, 1))))
		}
	}
}

// The limit counts every row, and every goroutine that rows are divided among.
func TestMaxBytes(t *testing.T) {
	g := imageNet(t, graph.Int8)
	one := start(t, g, interp.Options{}).ArenaBytes()
	for _, c := range []struct {
		o    interp.Options
		want string
	}{
		{interp.Options{Batch: 4, Threads: 1, MaxBytes: 4*one - 64}, `interp: a batch of 4 on 1 goroutines needs more than`},
		{interp.Options{Batch: 2, Threads: 2, MaxBytes: 2*one - 1}, `the most is alive at node "`},
		{interp.Options{MaxBytes: one - 1}, "the limit MaxBytes"},
		{interp.Options{MaxBytes: 999}, `interp: tensor "CONV_2D" (int8[1 28 28 16]) alone needs more than 999 bytes`},
		{interp.Options{MaxBytes: -1}, "negative"},
		{interp.Options{Threads: -1}, "negative"},
	} {
		if _, err := interp.New(g, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want %q", c.o, err, c.want)
		}
	}
}
