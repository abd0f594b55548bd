package layers_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/layers"
)

// branched has every layer with branches, nested in each other.
func branched() layers.Sequential {
	conv := func(filters int) layers.Layer {
		return layers.Conv2D{Filters: filters, Kernel: [2]int{3, 3}, Padding: layers.Same}
	}
	return layers.Sequential{
		conv(4),
		layers.Residual{
			Body:       layers.Sequential{conv(4), layers.BatchNorm{}, layers.ReLU{}, conv(4), layers.BatchNorm{}},
			Activation: layers.ActReLU,
		},
		layers.Concat{Branches: []layers.Layer{
			layers.Residual{
				Body: layers.Sequential{
					layers.Sequential{layers.Conv2D{Filters: 8, Kernel: [2]int{3, 3}, Strides: [2]int{2, 1}, Padding: layers.Same}, layers.Sequential{layers.ReLU{}}},
					layers.Concat{Branches: []layers.Layer{conv(3), layers.Identity{}, conv(5)}, Name: "inner"},
				},
				Shortcut: layers.Conv2D{Filters: 16, Kernel: [2]int{1, 1}, Strides: [2]int{2, 1}, Padding: layers.Same},
			},
			layers.MaxPool2D{Pool: [2]int{2, 1}},
		}},
		layers.Multiply{Branches: []layers.Layer{
			layers.Identity{},
			layers.Sequential{layers.AveragePool2D{Pool: [2]int{2, 4}}, layers.Conv2D{Filters: 20, Kernel: [2]int{1, 1}, Activation: layers.ActReLU6}},
		}},
		layers.Add{Branches: []layers.Layer{conv(2), conv(2), conv(1)}},
		layers.Subtract{Branches: []layers.Layer{layers.Identity{}, conv(2)}, Name: "difference"},
	}
}

func TestBranchedGraph(t *testing.T) {
	in := layers.Input{4, 4, 1}
	golden(t, "branched.graph", build(t, branched(), in, 1).String())
	golden(t, "branched.txt", summary(t, branched(), in))
	g := build(t, branched(), in, 1)
	shapes, err := g.Shapes(7)
	if err != nil {
		t.Fatal(err)
	}
	if y := shapes[g.Outputs[0]]; !slices.Equal(y, []int{7, 2, 4, 2}) {
		t.Errorf("seven rows give shape %v", y)
	}
}

// TestBranchWeights: branches have weights of their own, which do not change with
// what comes in other branches or later.
func TestBranchWeights(t *testing.T) {
	dense := layers.Dense{Units: 4}
	net := func(second layers.Layer) map[string]any {
		return variables(build(t, layers.Sequential{layers.Add{Branches: []layers.Layer{dense, second}}, dense}, layers.Input{4}, 1))
	}
	a, b := net(dense), net(layers.Sequential{layers.Dropout{}, dense})
	if cmp.Equal(a["dense/kernel"], a["dense_1/kernel"]) {
		t.Error("two branches have the same weights")
	}
	for _, name := range []string{"dense/kernel", "dense_2/kernel"} {
		if !cmp.Equal(a[name], b[name]) {
			t.Errorf("%s depends on another branch", name)
		}
	}
}

func TestBranchErrors(t *testing.T) {
	conv := func(filters, stride int) layers.Layer {
		return layers.Conv2D{Filters: filters, Kernel: [2]int{3, 3}, Strides: [2]int{stride, stride}, Padding: layers.Same}
	}
	two := func(l ...layers.Layer) []layers.Layer { return l }
	body := func(l ...layers.Layer) layers.Sequential { return l }
	image, row := layers.Input{7, 6, 3}, layers.Input{6}
	for _, c := range []struct {
		name  string
		in    layers.Input
		layer layers.Layer
		want  string
	}{
		{"channels", image, layers.Residual{Body: body(conv(8, 1))},
			`layer 0 (Residual "residual"): the body, which ends in "conv2d", has shape (None, 7, 6, 8), but the shortcut, which ends in "input", has shape (None, 7, 6, 3): use Shortcut: Conv2D{Filters: 8, Kernel: [2]int{1, 1}}`},
		{"strides", image, layers.Residual{Body: body(conv(3, 2))},
			`has shape (None, 4, 3, 3), but the shortcut, which ends in "input", has shape (None, 7, 6, 3): use Shortcut: Conv2D{Filters: 3, Kernel: [2]int{1, 1}, Strides: [2]int{2, 2}, Padding: Same}`},
		{"wrong shortcut", image, layers.Residual{Body: body(conv(8, 2)), Shortcut: conv(8, 1)},
			`the shortcut, which ends in "conv2d_1", has shape (None, 7, 6, 8): use Shortcut: Conv2D{Filters: 8, Kernel: [2]int{1, 1}, Strides: [2]int{2, 2}, Padding: Same}`},
		{"valid padding", image, layers.Residual{Body: body(layers.Conv2D{Filters: 3, Kernel: [2]int{3, 3}})}, `give Body a shape that a Shortcut can reach`},
		{"units", row, layers.Residual{Body: body(layers.Dense{Units: 5})}, `use Shortcut: Dense{Units: 5}`},
		{"rank", image, layers.Residual{Body: body(layers.Flatten{})}, `give Body a shape`},
		{"units of rows", layers.Input{2, 6}, layers.Residual{Body: body(layers.Dense{Units: 5})}, `use Shortcut: Dense{Units: 5}`},
		{"empty body", row, layers.Residual{}, `layer 0.0 (Sequential "sequential"): a Sequential without layers`},
		{"fault in the shortcut", row, layers.Residual{Body: body(layers.ReLU{}), Shortcut: layers.Dense{}}, `layer 0.1 (Dense "dense"): units is 0`},
		{"unknown activation", row, layers.Residual{Body: body(layers.ReLU{}), Activation: 99}, `unknown activation 99`},
		{"one branch", row, layers.Add{Branches: two(layers.ReLU{})}, `layer 0 (Add "add"): 1 branches, want two or more`},
		{"no branches", row, layers.Concat{}, `layer 0 (Concatenate "concatenate"): 0 branches, want two or more`},
		{"three to subtract", row, layers.Subtract{Branches: two(layers.ReLU{}, layers.ReLU{}, layers.ReLU{})}, `3 branches, want two`},
		{"nil branch", row, layers.Add{Branches: two(layers.ReLU{}, nil)}, `layer 0.1 is nil`},
		{"sum of unequal shapes", image, layers.Add{Branches: two(conv(2, 1), conv(3, 1))},
			`layer 0 (Add "add"): branch 0 (Conv2D), which ends in "conv2d", has shape (None, 7, 6, 2), and branch 1 (Conv2D), which ends in "conv2d_1", has shape (None, 7, 6, 3): sizes must be equal or 1`},
		{"product of unequal ranks", image, layers.Multiply{Branches: two(layers.Identity{}, body(layers.Flatten{}, layers.Dense{Units: 3}))},
			`branch 1 (Sequential), which ends in "dense", has shape (None, 3): sizes must be equal or 1`},
		{"third of a sum", row, layers.Add{Branches: two(layers.ReLU{}, layers.ReLU{}, layers.Dense{Units: 5})},
			`what branches 0 to 1 give, which ends in "add/partial", has shape (None, 6), and branch 2 (Dense)`},
		{"concatenation of images", image, layers.Concat{Branches: two(conv(2, 1), conv(2, 2))},
			`branch 0 (Conv2D), which ends in "conv2d", has shape (None, 7, 6, 2) and branch 1 (Conv2D), which ends in "conv2d_1", has shape (None, 4, 3, 2): sizes may differ along axis 3 only`},
		{"axis of the batch", row, layers.Concat{Branches: two(layers.ReLU{}, layers.ReLU{}), Axis: -2}, `axis -2: outputs of shape (None, 6) have the axes 1 to 1`},
		{"axis beyond", row, layers.Concat{Branches: two(layers.ReLU{}, layers.ReLU{}), Axis: 2}, `axis 2: outputs of shape (None, 6)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := layers.Sequential{c.layer}.Build(c.in, 1)
			wantError(t, err, c.want)
		})
	}
	for _, axis := range []int{1, 2, 3, -3, -1} {
		if _, err := (layers.Sequential{layers.Concat{Branches: two(layers.ReLU{}, layers.ReLU{}), Axis: axis}}).Build(image, 1); err != nil {
			t.Errorf("axis %d: %v", axis, err)
		}
	}
}
