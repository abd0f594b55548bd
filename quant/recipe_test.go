package quant

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPresets(t *testing.T) {
	for _, r := range []Recipe{Int8(), Int8PerTensor(), Int16x8(), DynamicRange(), Int8Weights(), Float16()} {
		want(t, r.Check(), "")
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var back Recipe
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, back); diff != "" {
			t.Errorf("%s (-written +read):\n%s", r.Name, diff)
		}
	}
	perTensor := Int8PerTensor()
	perTensor.Name, perTensor.Weights.PerChannel = "int8", true
	if diff := cmp.Diff(Int8(), perTensor); diff != "" {
		t.Errorf("Int8PerTensor differs in more than PerChannel:\n%s", diff)
	}
	if g := Int8().Weights.Grid(); g != (Grid{Min: -127, Max: 127}) {
		t.Errorf("weights have the codes %v", g)
	}
	if g := Int8().Activations.Grid(); g != (Grid{Min: -128, Max: 127}) {
		t.Errorf("activations have the codes %v", g)
	}
}

func TestRecipeFaults(t *testing.T) {
	for name, c := range map[string]struct {
		preset Recipe
		change func(*Recipe)
		want   string
	}{
		"no mode":                 {Int8(), func(r *Recipe) { r.Mode = 0 }, "unknown mode 0"},
		"unknown mode":            {Int8(), func(r *Recipe) { r.Mode = 9 }, "unknown mode 9"},
		"weight bits":             {Int8(), func(r *Recipe) { r.Weights.Bits = 2 }, "weights of 2 bits; only 4 and 8 are supported"},
		"weight bits, dynamic":    {DynamicRange(), func(r *Recipe) { r.Weights.Bits = 16 }, "weights of 16 bits"},
		"asymmetric weights":      {Int8(), func(r *Recipe) { r.Weights.Symmetric = false }, "weights must be symmetric and narrow"},
		"wide weights":            {Int8(), func(r *Recipe) { r.Weights.Narrow = false }, "weights must be symmetric and narrow"},
		"wide weights, dynamic":   {DynamicRange(), func(r *Recipe) { r.Weights.Narrow = false }, "weights must be symmetric and narrow"},
		"activation bits":         {Int8(), func(r *Recipe) { r.Activations.Bits = 4 }, "activations of 4 bits; only 8 and 16 are supported"},
		"asymmetric activations":  {Int8(), func(r *Recipe) { r.Activations.Bits = 16 }, "activations of 16 bits must be symmetric"},
		"activations per channel": {Int8(), func(r *Recipe) { r.Activations.PerChannel = true }, "activations must be per tensor"},
		"narrow activations":      {Int8(), func(r *Recipe) { r.Activations.Narrow = true }, "use the full range"},
		"decay of one":            {Int8(), func(r *Recipe) { r.Decay = 1 }, "decay 1 is outside [0, 1)"},
		"negative decay":          {Int8(), func(r *Recipe) { r.Decay = -0.5 }, "decay -0.5 is outside"},
		"decay NaN":               {Int8(), func(r *Recipe) { r.Decay = nan }, "decay NaN is outside"},
		"float integers":          {Int8(), func(r *Recipe) { r.FloatCompute = true }, "FloatCompute goes with mode weight_only, not integer"},
		"one scale of one":        {Int8PerTensor(), func(r *Recipe) { r.PerTensor = []string{"*"} }, "PerTensor goes with weights that have a scale for each channel"},
		"one scale of none":       {Float16(), func(r *Recipe) { r.PerTensor = []string{"*"} }, "PerTensor goes with"},
		"scales of scales":        {Int8(), func(r *Recipe) { r.PerChannel = []string{"*"} }, "PerChannel goes with weights that have one scale"},
		"int8 among int8":         {Int8(), func(r *Recipe) { r.KeepInt8 = []string{"*"} }, "KeepInt8 goes with weights of 4 bits, not 8"},
		"negative MinElements":    {DynamicRange(), func(r *Recipe) { r.MinElements = -1 }, "MinElements is negative: -1"},
		"MinElements, any mode":   {Float16(), func(r *Recipe) { r.MinElements = -1 }, "MinElements is negative"},
	} {
		t.Run(name, func(t *testing.T) {
			r := c.preset
			c.change(&r)
			want(t, r.Check(), `quant: recipe "`+r.Name+`": `)
			want(t, r.Check(), c.want)
		})
	}
	// What a mode does not use cannot be wrong.
	unused := Float16()
	unused.Decay, unused.Weights.Bits = 7, 3
	want(t, unused.Check(), "")
}

func TestRecipeReportsAll(t *testing.T) {
	r := Int8()
	r.Weights, r.Activations, r.Decay, r.MinElements = Scheme{}, Scheme{PerChannel: true}, 2, -1
	if err := r.Check(); err == nil || len(strings.Split(err.Error(), "\n")) != 6 {
		t.Errorf("want six faults, got:\n%v", err)
	}
}

func TestModeText(t *testing.T) {
	for m, text := range map[Mode]string{Integer: "integer", WeightOnly: "weight_only", HalfFloat: "float16"} {
		b, err := m.MarshalText()
		var back Mode
		if err != nil || string(b) != text || m.String() != text || back.UnmarshalText(b) != nil || back != m {
			t.Errorf("mode %d: %q, %v, read back as %d", m, b, err, back)
		}
	}
	if _, err := Mode(9).MarshalText(); err == nil {
		t.Error("an unknown mode is written")
	}
	var m Mode
	want(t, m.UnmarshalText([]byte("int")), `unknown mode "int"`)
	if got := Mode(9).String(); got != "mode 9" {
		t.Errorf("an unknown mode prints as %q", got)
	}
}
