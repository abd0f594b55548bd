package endtoend

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/fakequant"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/posttrain"
	"github.com/goqat/goqat/quant"
)

// What fakequant.Insert takes, by any recipe and with layers in unusual places,
// can be calibrated, exported, written, read and run in the profiles: no fault is
// found later than there.
func TestWhatInsertTakesIsServed(t *testing.T) {
	conv := layers.Conv2D{Filters: 3, Kernel: [2]int{2, 2}, Padding: layers.Same}
	dense := layers.Dense{Units: 4}
	for name, net := range map[string]layers.Sequential{
		"activations first":         {layers.ReLU6{}, layers.ReLU{}, conv},
		"pools and reshapes only":   {layers.MaxPool2D{}, layers.AveragePool2D{Strides: [2]int{1, 1}, Padding: layers.Same}, layers.Flatten{}},
		"nothing but a softmax":     {layers.Softmax{}},
		"softmax inside":            {conv, layers.Softmax{}, conv, layers.ReLU{}},
		"softmax into everything":   {conv, layers.Softmax{}, layers.MaxPool2D{}, layers.BatchNorm{}, layers.Rescaling{Scale: -2}, layers.ReLU6{}},
		"normalization of softmax":  {layers.Flatten{}, dense, layers.Softmax{}, layers.BatchNorm{}, layers.Softmax{}},
		"activation of activations": {conv, layers.ReLU{}, layers.ReLU6{}, layers.ReLU{}, layers.ReLU6{}},
		"activations in a row":      {layers.ELU{}, layers.LeakyReLU{}, layers.HardSwish{}, layers.Swish{}, layers.PReLU{}, layers.Tanh{}, layers.ReLU6{}, layers.Sigmoid{}, layers.ReLU{}, layers.Softmax{}},
		"activations everywhere":    {conv, layers.BatchNorm{}, layers.LeakyReLU{}, layers.MaxPool2D{}, layers.PReLU{SharedAxes: []int{1, 2}}, layers.Dropout{Rate: 0.1}, layers.Sigmoid{}, layers.BatchNorm{}, layers.Swish{}, layers.Rescaling{Scale: 2}, layers.ELU{}, layers.GlobalAveragePool2D{}, layers.HardSwish{}, dense, layers.Tanh{}},
		"gated branches":            {layers.Multiply{Branches: []layers.Layer{layers.Identity{}, layers.Sequential{conv, layers.Sigmoid{}}}}, layers.Concat{Branches: []layers.Layer{layers.Tanh{}, layers.Sigmoid{}, layers.Swish{}}}, layers.PReLU{}},
		"series of activations":     {layers.Reshape{Shape: []int{12, 3}}, layers.Conv1D{Filters: 4, Kernel: 3, Activation: layers.ActSwish}, layers.PReLU{SharedAxes: []int{1}}, layers.Conv1D{Filters: 4, Kernel: 3, Activation: layers.ActLeakyReLU}, layers.PReLU{}, layers.Flatten{}, dense},
		"dropout everywhere":        {layers.Dropout{Rate: 0.1}, layers.Rescaling{Scale: 2}, layers.Dropout{Rate: 0.1}, conv, layers.Dropout{Rate: 0.1}, layers.BatchNorm{}, layers.Dropout{Rate: 0.1}, layers.ReLU{}, layers.Dropout{Rate: 0.1}},
		"dropout around standalone": {layers.Dropout{Rate: 0.1}, layers.BatchNorm{}, layers.Dropout{Rate: 0.1}, layers.ReLU{}, layers.Flatten{}, layers.Dropout{Rate: 0.1}, layers.BatchNorm{}, layers.Dropout{Rate: 0.1}, layers.ReLU{}},
		"rescaled branches":         {layers.Rescaling{Scale: 0.5}, layers.Residual{Body: layers.Sequential{conv, layers.BatchNorm{}}, Activation: layers.ActReLU}},
		"rescaled output":           {conv, layers.Rescaling{Scale: 0.5}},
		"nothing but a rescaling":   {layers.Rescaling{Scale: 0.5}},
		"affine in a row":           {layers.Rescaling{Scale: 2}, layers.Rescaling{Scale: 2, Offset: 1}, layers.BatchNorm{}, layers.Flatten{}, layers.Rescaling{Scale: 0.5}, layers.BatchNorm{}, dense},
		"rank 5":                    {layers.Reshape{Shape: []int{2, 2, 3, 3}}, layers.BatchNorm{}, layers.ReLU{}, layers.Rescaling{Scale: 2, Offset: 1}, layers.Flatten{}, dense},
		"one-dimensional":           {layers.Reshape{Shape: []int{12, 3}}, layers.Rescaling{Scale: 2}, layers.Conv1D{Filters: 4, Kernel: 3}, layers.BatchNorm{}, layers.ReLU{}, layers.BatchNorm{}, layers.MaxPool1D{}, layers.Flatten{}, dense},
		"depthwise":                 {layers.Rescaling{Scale: 2}, layers.DepthwiseConv2D{Kernel: [2]int{3, 3}, Padding: layers.Same, DepthMultiplier: 2}, layers.BatchNorm{}, layers.ReLU6{}, layers.SeparableConv2D{Filters: 3, Kernel: [2]int{2, 2}}, layers.BatchNorm{}, layers.GlobalAveragePool2D{}},
		"enlarged":                  {layers.Rescaling{Scale: 2}, layers.UpSampling2D{}, layers.Conv2DTranspose{Filters: 3, Kernel: [2]int{3, 3}, Strides: [2]int{2, 2}, Padding: layers.Same}, layers.BatchNorm{}, layers.ReLU{}, layers.UpSampling2D{}, layers.BatchNorm{}},
		"normalized and enlarged":   {layers.Normalization{Mean: []float32{0}, Variance: []float32{1, 2, 3}}, layers.Conv2DTranspose{Filters: 3, Kernel: [2]int{2, 2}}},
		"rescaled concatenation":    {layers.Rescaling{Scale: 2}, layers.Concat{Branches: []layers.Layer{layers.Identity{}, conv, layers.Softmax{}}}, layers.BatchNorm{}, layers.ReLU{}},
		"branches of the input":     {layers.Multiply{Branches: []layers.Layer{layers.Identity{}, layers.BatchNorm{}, layers.Rescaling{Scale: 3}}}, layers.BatchNorm{}, layers.Subtract{Branches: []layers.Layer{layers.ReLU{}, layers.Softmax{}}}},
		"moved":                     {layers.Rescaling{Scale: 2}, layers.ZeroPadding2D{Padding: [2][2]int{{1, 1}, {1, 1}}}, layers.Cropping2D{Cropping: [2][2]int{{1, 0}, {0, 1}}}, layers.Permute{Dims: []int{2, 1, 3}}, conv, layers.GlobalMaxPool2D{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			input := layers.Input{4, 3, 3}
			g, err := net.Build(input, 1)
			if err != nil {
				t.Fatal(err)
			}
			setBatchNorms(g)
			samples, x := pixels(t, input, -3, 3)
			serve := func(what string, g *graph.Graph, err error, profiles ...interp.Profile) {
				t.Helper()
				if err != nil {
					t.Errorf("%s: %v", what, err)
					return
				}
				m, err := readBack(g)
				for _, p := range profiles {
					var ip *interp.Interpreter
					if err == nil {
						ip, err = interp.New(m.graph, interp.Options{Batch: 7, Profile: p})
					}
					if err == nil {
						_, err = ip.RunFloat(x)
					}
				}
				if err != nil {
					t.Errorf("%s: %v\n%s", what, err, g)
				}
			}
			for _, r := range []quant.Recipe{quant.Int8(), quant.Int8PerTensor(), quant.Int16x8()} {
				borders := borders
				if r.Activations.Bits == 16 {
					if _, err := fakequant.Insert(g, r); err != nil && strings.Contains(err.Error(), "has no kernel for codes of 16 bits") {
						continue
					}
					borders = []graph.Type{graph.Float32, graph.Int16}
				}
				for _, border := range borders {
					model, err := posttrain.Quantize(context.Background(), g, r, samples, posttrain.Options{Export: export.Options{Input: border, Output: border}})
					serve(fmt.Sprint(r.Name, " after training, ", border), model, err, interp.LiteRT, interp.TFLM)
				}
				q, err := fakequant.Insert(g, r)
				if err == nil {
					err = posttrain.Calibrate(context.Background(), q, samples, posttrain.Calibration{})
				}
				if err != nil {
					t.Fatal(err)
				}
				model, err := export.Integer(q, export.Options{})
				serve(r.Name+" with BatchNorm", model, err, interp.LiteRT, interp.TFLM)
			}
			float, err := export.Float32(g)
			serve("float32", float, err, interp.LiteRT)
			if len(g.Parameters()) > 0 { // float16 stores parameters
				half, err := export.Float16(g)
				serve("float16", half, err, interp.LiteRT)
			}
			for _, perChannel := range []bool{true, false} {
				r := dynamic()
				r.Weights.PerChannel = perChannel
				q, err := fakequant.Insert(g, r)
				if err != nil {
					t.Fatal(err)
				}
				model, err := export.DynamicRange(q)
				serve("dynamic range", model, err, interp.LiteRT)
			}
		})
	}
}
