package advice

import (
	"slices"
	"strings"
	"testing"
)

func TestDecide(t *testing.T) {
	two, little := 2.0, 0.1
	for _, c := range []struct {
		s     Situation
		mode  string
		flags bool
		qat   bool
		why   string
	}{
		{Situation{Problem: None, Target: CPU}, "float32", false, false, "Neither size nor speed"},
		{Situation{Problem: Size, Target: CPU}, "dynamic", false, false, "Without representative rows"},
		{Situation{Problem: Speed, Target: CPU}, "dynamic", false, false, "some hundred unlabelled rows"},
		{Situation{Problem: Speed, Target: CPU, Data: true}, "int8", false, false, "fastest"},
		{Situation{Problem: Speed, Target: CPU, Data: true, Loss: &little, Tolerance: 0.5}, "int8", false, false, "fastest"},
		{Situation{Problem: Speed, Target: CPU, Data: true, Loss: &two, Tolerance: 0.5}, "int8", true, true, "cost 2.00 points"},
		{Situation{Problem: Size, Target: CPU, Data: true, Loss: &two, Tolerance: 0.5}, "dynamic", false, false, "int8 cost 2.00 points"},
		{Situation{Problem: Both, Target: GPU, Data: true}, "float16", false, false, "GPUs compute in floating point"},
		{Situation{Problem: Size, Target: Microcontroller}, "int8", false, false, "collect some hundred"},
		{Situation{Problem: Size, Target: Microcontroller, Data: true}, "int8", false, false, "Microcontrollers has kernels for int8"},
		{Situation{Problem: Speed, Target: EdgeTPU, Data: true, Loss: &two}, "int8", true, true, "The Edge TPU"},
	} {
		a := Decide(c.s)
		if a.Mode != c.mode || a.QAT != c.qat || len(a.Flags) > 0 != c.flags || !strings.Contains(a.Reason, c.why) {
			t.Errorf("%+v: %+v", c.s, a)
		}
	}
}

func TestChoose(t *testing.T) {
	measured := []Candidate{
		{Mode: "int8", Bytes: 1000, Loss: 1}, {Mode: "int8", Flags: remedies, Bytes: 1000, Loss: 0.2},
		{Mode: "dynamic", Bytes: 990, Loss: 0.1}, {Mode: "float16", Bytes: 2000, Loss: 0},
	}
	for _, c := range []struct {
		s     Situation
		mode  string
		flags bool
		qat   bool
	}{
		{Situation{Problem: Speed, Target: CPU, Tolerance: 0.5}, "int8", true, false},
		{Situation{Problem: Speed, Target: CPU, Tolerance: 5}, "int8", false, false},
		{Situation{Problem: Size, Target: CPU, Tolerance: 0.5}, "int8", true, false},
		{Situation{Problem: Size, Target: CPU, Tolerance: 0.15}, "dynamic", false, false},
		{Situation{Problem: Both, Target: CPU, Tolerance: 0.05}, "float16", false, false},
		{Situation{Problem: Both, Target: CPU, Tolerance: -1}, "float16", false, true},
	} {
		if a := c.s.Choose(measured); a.Mode != c.mode || a.QAT != c.qat || len(a.Flags) > 0 != c.flags {
			t.Errorf("%+v: %+v", c.s, a)
		}
	}
	for _, target := range Targets {
		modes := map[string]bool{}
		for _, c := range (Situation{Target: target}).Candidates() {
			modes[c.Mode] = true
		}
		if only := target == Microcontroller || target == EdgeTPU; only != (len(modes) == 1 && modes["int8"]) {
			t.Errorf("%s: candidates %v", target, modes)
		}
	}
	if !slices.Contains(Problems, Both) {
		t.Error("an answer is missing")
	}
}
