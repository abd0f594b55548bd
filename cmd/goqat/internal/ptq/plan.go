package ptq

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/atomicfile"
	"github.com/goqat/goqat/posttrain"
	"github.com/goqat/goqat/quant"
)

// Plan says how a network is quantized. The zero value is int8 with int8 borders,
// a weight scale for each output channel, and ranges that are the extremes of all
// samples.
type Plan struct {
	// Mode is one of [Modes]; empty means int8.
	Mode string `toml:"mode" json:"mode"`
	// WeightBits is 4 or 8; 0 means 8. Weights that no kernel takes with 4 bits keep
	// 8.
	WeightBits int `toml:"weight_bits,omitzero" json:"weight_bits,omitempty"`
	// PerTensor gives each weight tensor one scale.
	PerTensor bool `toml:"per_tensor,omitempty" json:"per_tensor,omitempty"`
	// Input and Output are the number types at the borders of an integer model:
	// "int8", "uint8", "int16" or "float32"; empty stands for that of the
	// activations.
	Input  string `toml:"input,omitempty" json:"input,omitempty"`
	Output string `toml:"output,omitempty" json:"output,omitempty"`
	// MinElements is the least size of weights that the modes dynamic and weights
	// quantize; nil means 1024 and 128.
	MinElements *int `toml:"min_elements,omitempty" json:"min_elements,omitempty"`
	// Samples is the most rows to calibrate with; 0 means all that are given. Files
	// that do not say so mean [DefaultSamples].
	Samples int `toml:"samples" json:"samples"`
	// Range says how ranges are found.
	Range Range `toml:"range,omitempty" json:"range,omitzero"`
	// Repair lists remedies, of [Repairs].
	Repair []string `toml:"repair,omitempty" json:"repair,omitempty"`
	// KeepFloat are patterns of the names of operators that stay float32; see
	// [quant.Match].
	KeepFloat []string `toml:"keep_float,omitempty" json:"keep_float,omitempty"`
	// KeepInt8 are such patterns of operators whose weights keep 8 bits where
	// WeightBits is 4.
	KeepInt8 []string `toml:"keep_int8,omitempty" json:"keep_int8,omitempty"`
	// PerTensorOf are such patterns of operators whose weights have one scale though
	// PerTensor does not say so of all, and PerChannelOf of those that have a scale
	// for each channel though it does.
	PerTensorOf  []string `toml:"per_tensor_of,omitempty" json:"per_tensor_of,omitempty"`
	PerChannelOf []string `toml:"per_channel_of,omitempty" json:"per_channel_of,omitempty"`
	// Overrides are other ranges for tensors by their names; the first that
	// matches counts.
	Overrides []Override `toml:"override,omitempty" json:"override,omitempty"`
}

// DefaultSamples is how many rows calibrate unless something else is said.
const DefaultSamples = 500

// Range is [quant.Estimator] in a file.
type Range struct {
	// Method is "min-max" (also if empty), "moving-average", "percentile", "mse" or
	// "entropy".
	Method  string  `toml:"method,omitempty" json:"method,omitempty"`
	Percent float64 `toml:"percent,omitzero" json:"percent,omitempty"`
	Decay   float32 `toml:"decay,omitzero" json:"decay,omitempty"`
}

// Override is another range for the tensors whose names match a pattern of
// [quant.Match].
type Override struct {
	Pattern string `toml:"pattern" json:"pattern"`
	Range
}

// Modes are the names of the modes: int8 weights and activations; int8 weights and
// int16 activations; int8 weights and activations that are quantized as the model
// runs; int8 weights alone; float16 weights.
var Modes = []string{"int8", "int16", "dynamic", "weights", "float16"}

// Repairs are the names of the remedies.
var Repairs = []string{"equalize", "absorb", "adaround", "bias"}

// ReadPlan reads a plan in TOML or, from a file whose name ends in .json, JSON.
//
// Errors: what is neither, keys that a plan does not have.
func ReadPlan(path string) (Plan, error) {
	p := Plan{Samples: DefaultSamples}
	content, err := os.ReadFile(path)
	if err != nil {
		return p, err
	}
	if strings.EqualFold(filepath.Ext(path), ".json") {
		d := json.NewDecoder(bytes.NewReader(content))
		d.DisallowUnknownFields()
		if err = d.Decode(&p); err == nil {
			if _, end := d.Token(); !errors.Is(end, io.EOF) {
				err = errors.New("more than one value")
			}
		}
	} else {
		var known toml.MetaData
		if known, err = toml.Decode(string(content), &p); err == nil && len(known.Undecoded()) > 0 {
			err = fmt.Errorf("unknown key %v", known.Undecoded()[0])
		}
	}
	if err != nil {
		return p, fmt.Errorf("recipe %s: %w", path, err)
	}
	if err := errors.Join(p.faults()...); err != nil {
		return p, fmt.Errorf("recipe %s: %w", path, err)
	}
	return p, nil
}

// Write writes the plan, as JSON if the path ends in .json and as TOML otherwise.
func (p Plan) Write(path string) error {
	var content bytes.Buffer
	if strings.EqualFold(filepath.Ext(path), ".json") {
		e := json.NewEncoder(&content)
		e.SetIndent("", "  ")
		if err := e.Encode(p); err != nil {
			return err
		}
	} else {
		fmt.Fprintln(&content, "# Made by goqat quantize, which takes it with -recipe.")
		if err := toml.NewEncoder(&content).Encode(p); err != nil {
			return err
		}
	}
	return atomicfile.WriteBytes(path, content.Bytes())
}

// Check reports every fault of the plan, and what its mode has no use for.
func (p Plan) Check() error { return errors.Join(append(p.faults(), p.idle()...)...) }

// idle reports what the mode has no use for.
func (p Plan) idle() (faults []error) {
	fault := func(has bool, what string) {
		if has {
			faults = append(faults, fmt.Errorf("mode %s has no use for %s", p.Mode, what))
		}
	}
	if !Calibrated(p.Mode) {
		fault(p.Range != Range{} || len(p.Overrides) > 0, "a range: it does not calibrate")
		fault(p.Input != "" && p.Input != "float32" || p.Output != "" && p.Output != "float32", "other types at the borders than float32")
	} else {
		fault(p.MinElements != nil, "a least number of weights: it quantizes all")
	}
	if p.Mode == "float16" {
		fault(len(p.Repair) > 0, "remedies")
		fault(p.PerTensor || len(p.PerTensorOf) > 0, "one scale for each tensor: it has no scales")
		fault(p.MinElements != nil, "a least number of weights: it halves all")
		fault(len(p.KeepFloat) > 0, "operators that stay float32: it computes in float32")
	}
	return faults
}

// faults reports what no mode can do.
func (p Plan) faults() (faults []error) {
	fault := func(format string, a ...any) { faults = append(faults, fmt.Errorf(format, a...)) }
	if p.Mode != "" && !slices.Contains(Modes, p.Mode) {
		fault("mode %q, want one of %q", p.Mode, Modes)
	}
	for name, border := range map[string]string{"input": p.Input, "output": p.Output} {
		if _, err := p.borderType(border); err != nil {
			fault("%s: %w", name, err)
		}
	}
	if p.MinElements != nil && *p.MinElements < 0 {
		fault("the least number of weights is %d", *p.MinElements)
	}
	if p.Samples < 0 {
		fault("the number of samples is %d", p.Samples)
	}
	switch bits := p.WeightBits; {
	case bits != 0 && bits != 4 && bits != 8:
		fault("weights of %d bits, want 4 or 8", bits)
	case bits == 4 && p.Mode == "float16":
		fault("mode float16 has no weights of 4 bits")
	case len(p.KeepInt8) > 0 && bits != 4:
		fault("weights are kept in int8, but others do not have 4 bits")
	}
	if len(p.PerTensorOf) > 0 && p.PerTensor {
		fault("some weights have one scale, but so have all")
	}
	if len(p.PerChannelOf) > 0 && !p.PerTensor {
		fault("some weights have a scale for each channel, but so have all")
	}
	for _, r := range p.Repair {
		if !slices.Contains(Repairs, r) {
			fault("repair %q, want some of %q", r, Repairs)
		}
	}
	if _, err := p.Range.estimator(); err != nil {
		fault("range: %w", err)
	}
	for _, o := range p.Overrides {
		if _, err := o.estimator(); err != nil {
			fault("override %q: %w", o.Pattern, err)
		}
	}
	return faults
}

// estimator returns the range's estimator.
func (r Range) estimator() (quant.Estimator, error) {
	if r.Percent != 0 && r.Method != "percentile" || r.Decay != 0 && r.Method != "moving-average" {
		return quant.Estimator{}, fmt.Errorf("method %q has no percent or decay: these are for percentile and moving-average", r.Method)
	}
	e := quant.Estimator{Percent: r.Percent, Decay: r.Decay}
	if r.Method != "" {
		if err := e.Method.UnmarshalText([]byte(r.Method)); err != nil {
			return e, err
		}
	}
	return e, e.Check()
}

// Calibrated reports whether a mode needs rows to calibrate with.
func Calibrated(mode string) bool { return mode == "int8" || mode == "int16" || mode == "" }

// Sampled reports whether a plan needs rows.
func (p Plan) Sampled() bool {
	return Calibrated(p.Mode) || slices.ContainsFunc(p.Repair, func(r string) bool { return r != "equalize" })
}

// borderType returns the number type of a name; empty stands for that of the
// activations.
func (p Plan) borderType(name string) (graph.Type, error) {
	types := []graph.Type{graph.Int8, graph.UInt8, graph.Float32}
	if p.Mode == "int16" {
		types = []graph.Type{graph.Int16, graph.Float32}
	}
	if name == "" {
		return types[0], nil
	}
	for _, t := range types {
		if t.String() == name {
			return t, nil
		}
	}
	return 0, fmt.Errorf("type %q, want one of %v", name, types)
}

// recipe returns the recipe of a plan that checks.
func (p Plan) recipe() quant.Recipe {
	r := quant.Int8()
	switch p.Mode {
	case "int16":
		r = quant.Int16x8()
	case "dynamic":
		r = quant.DynamicRange()
	case "weights":
		r = quant.Int8Weights()
	case "float16":
		return quant.Float16()
	}
	if p.PerTensor {
		r.Name, r.Weights.PerChannel = r.Name+"-per-tensor", false
	}
	if p.WeightBits == 4 {
		r.Name, r.Weights.Bits, r.KeepInt8 = r.Name+"-int4", 4, p.KeepInt8
	}
	if p.MinElements != nil {
		r.MinElements = *p.MinElements
	}
	r.KeepFloat, r.PerTensor, r.PerChannel = p.KeepFloat, p.PerTensorOf, p.PerChannelOf
	return r
}

// options returns what a plan that checks asks of [posttrain.Quantize].
func (p Plan) options(o Options) posttrain.Options {
	input, _ := p.borderType(p.Input)
	output, _ := p.borderType(p.Output)
	estimator, _ := p.Range.estimator()
	c := posttrain.Calibration{Estimator: estimator, Samples: p.Samples, Progress: o.Progress, Logger: o.Logger}
	for _, over := range p.Overrides {
		e, _ := over.estimator()
		c.Overrides = append(c.Overrides, posttrain.Override{Pattern: over.Pattern, Estimator: e})
	}
	has := func(name string) bool { return slices.Contains(p.Repair, name) }
	return posttrain.Options{
		Calibration: c,
		Repair: posttrain.Repair{
			Equalize: has("equalize"), AbsorbBiases: has("absorb"), AdaRound: has("adaround"), CorrectBias: has("bias"),
			Sampling: posttrain.Sampling{Samples: p.Samples, Progress: o.Progress},
		},
		Export: export.Options{Input: input, Output: output, Logger: o.Logger},
	}
}
