package advice

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// What is to be better.
const (
	None  = "none"
	Size  = "size"
	Speed = "speed"
	Both  = "both"
)

// Where the model runs.
const (
	CPU             = "cpu"
	GPU             = "gpu"
	Microcontroller = "microcontroller"
	EdgeTPU         = "edgetpu"
)

// Problems and Targets are the answers that a [Situation] can hold.
var (
	Problems = []string{None, Size, Speed, Both}
	Targets  = []string{CPU, GPU, Microcontroller, EdgeTPU}
)

// Situation is what the choice depends on.
type Situation struct {
	Problem, Target string
	// Data says that there are representative rows.
	Data bool
	// Loss is what post-training quantization to int8 has cost, in points of
	// accuracy; nil where it has not been tried.
	Loss *float64
	// Tolerance is the loss that does not matter, in points.
	Tolerance float64
}

// Advice is what to do.
type Advice struct {
	// Mode is one of goqat quantize, or float32 for nothing.
	Mode string `json:"mode"`
	// Flags of goqat quantize beyond the mode.
	Flags []string `json:"flags,omitempty"`
	// Reason is why, in sentences.
	Reason string `json:"reason"`
	// QAT says that quantization-aware training is worth it, or the only way.
	QAT bool `json:"qat"`
}

// Smaller is about how many times smaller than float32 a file of the mode is, but
// for what is neither weights nor biases.
func (a Advice) Smaller() float64 {
	switch a.Mode {
	case "float32":
		return 1
	case "float16":
		return 2
	}
	return 4
}

// remedies are the flags to try before training again.
var remedies = []string{"-range", "mse", "-repair", "equalize,adaround,bias"}

// Decide follows the decision tree.
func Decide(s Situation) Advice {
	switch {
	case s.Problem == None:
		return Advice{Mode: "float32", Reason: "Neither size nor speed is a problem: quantization can only cost accuracy."}
	case s.Target == Microcontroller || s.Target == EdgeTPU:
		return s.integersOnly()
	case s.Target == GPU:
		return Advice{Mode: "float16", Reason: "GPUs compute in floating point: float16 halves the file and loses next to nothing; integers would be turned back into floats."}
	case !s.Data && s.Problem == Size:
		return Advice{Mode: "dynamic", Reason: "Without representative rows no ranges are known: int8 weights make the file about 4 times smaller, activations are quantized as the model runs."}
	case !s.Data:
		return Advice{Mode: "dynamic", Reason: "Without representative rows no ranges are known. Dynamic range computes dense layers and convolutions on int8 codes; some hundred unlabelled rows would allow int8 throughout, which is faster."}
	case s.Problem == Size && s.lost():
		return Advice{Mode: "dynamic", Reason: fmt.Sprintf("int8 cost %.2f points; dynamic range makes a file as small with activations in floating point, which loses less.", *s.Loss)}
	}
	return s.integers("int8 is the smallest and on CPUs the fastest.")
}

// integersOnly advises for what has no other kernels.
func (s Situation) integersOnly() Advice {
	why := "TensorFlow Lite for Microcontrollers has kernels for int8 or float32 throughout, none for float16 or dynamic range."
	if s.Target == EdgeTPU {
		why = "The Edge TPU runs int8 operators only; whatever is not int8 falls back to the CPU."
	}
	if !s.Data {
		return Advice{Mode: "int8", Reason: why + " Ranges need representative rows: collect some hundred, unlabelled ones will do."}
	}
	return s.integers(why)
}

// integers advises int8, and what to do about a loss.
func (s Situation) integers(why string) Advice {
	if !s.lost() {
		return Advice{Mode: "int8", Reason: why}
	}
	return Advice{
		Mode: "int8", Flags: remedies, QAT: true,
		Reason: fmt.Sprintf("%s It cost %.2f points: try the remedies; what is still lost then, quantization-aware training wins back, which needs the training data.", why, *s.Loss),
	}
}

// lost reports a loss that matters.
func (s Situation) lost() bool { return s.Loss != nil && *s.Loss > s.Tolerance }

// Candidate is a way to quantize that was measured.
type Candidate struct {
	Mode     string   `json:"mode"`
	Flags    []string `json:"flags,omitempty"`
	Bytes    int      `json:"bytes"`
	Accuracy float64  `json:"accuracy"`
	// Loss is in points of accuracy, against the float network.
	Loss float64 `json:"loss"`
}

// Candidates are the ways that are worth measuring, given where the model runs.
func (s Situation) Candidates() []Candidate {
	integer := []Candidate{{Mode: "int8"}, {Mode: "int8", Flags: []string{"-range", "mse"}}, {Mode: "int8", Flags: remedies}}
	switch s.Target {
	case Microcontroller, EdgeTPU:
		return integer
	case GPU:
		return []Candidate{{Mode: "float16"}, {Mode: "weights"}}
	}
	return append(integer, Candidate{Mode: "dynamic"}, Candidate{Mode: "weights"}, Candidate{Mode: "float16"})
}

// Choose picks among measured candidates: of those within the tolerance int8 where
// speed counts, then the smallest file, of files of about a size int8 and then the
// simplest way. If none is within it, the most accurate.
func (s Situation) Choose(measured []Candidate) Advice {
	good := slices.DeleteFunc(slices.Clone(measured), func(c Candidate) bool { return c.Loss > s.Tolerance })
	if len(good) == 0 {
		best := slices.MinFunc(measured, func(a, b Candidate) int { return cmp.Compare(a.Loss, b.Loss) })
		return Advice{Mode: best.Mode, Flags: best.Flags, QAT: true, Reason: fmt.Sprintf(
			"Nothing stays within %.2f points of the float network; this loses %.2f, least of all. Quantization-aware training is worth it.", s.Tolerance, best.Loss)}
	}
	best := slices.MinFunc(good, func(a, b Candidate) int {
		return cmp.Or(slow(s, a)-slow(s, b), cmp.Compare(large(a), large(b)), floats(a)-floats(b), len(a.Flags)-len(b.Flags))
	})
	loses := "It loses nothing"
	if best.Loss > 0 {
		loses = fmt.Sprintf("It loses %.2f points of accuracy", best.Loss)
	}
	return Advice{Mode: best.Mode, Flags: best.Flags, Reason: fmt.Sprintf(
		"%s, where %.2f points do not matter, and is the %s of what does not lose more.", loses, s.Tolerance, better(s))}
}

// large is equal for files that differ by less than about 5 %.
func large(c Candidate) float64 { return math.Round(20 * math.Log(float64(c.Bytes))) }

// floats is 1 for modes that compute in floating point.
func floats(c Candidate) int {
	if c.Mode == "int8" {
		return 0
	}
	return 1
}

// slow is floats where speed counts.
func slow(s Situation, c Candidate) int {
	if s.Problem == Size || s.Target != CPU {
		return 0
	}
	return floats(c)
}

func better(s Situation) string {
	if s.Problem == Size {
		return "smallest"
	}
	return "fastest"
}
