package compare

import (
	"bufio"
	"fmt"
	"io"
	"runtime"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/report"
	"github.com/goqat/goqat/train"
)

// Result is everything that a comparison found. Apart from seconds, memory and
// the machine, equal settings give equal results.
type Result struct {
	Settings Settings     `json:"settings"`
	Data     DataSet      `json:"data"`
	Network  Network      `json:"network"`
	Rows     []report.Row `json:"rows"`
	Gains    []Gain       `json:"gains"`
	// Detectors say how files tell anomalies; none for classifiers.
	Detectors []Detector `json:"detectors,omitempty"`
	Phases    []Phase    `json:"phases"`
	// PeakMemory is the greatest resident set of the process in bytes; 0 where
	// the system does not tell.
	PeakMemory int64   `json:"peak_memory_bytes,omitempty"`
	Machine    Machine `json:"machine"`
}

// Settings are those of the run, defaults filled in.
type Settings struct {
	Model        string  `json:"model"`
	Recipe       string  `json:"recipe"`
	Optimizer    string  `json:"optimizer"`
	Epochs       int     `json:"epochs"`
	LearningRate float64 `json:"learning_rate"`
	// QATEpochs and QATLearningRate hold for QAT and the control alike.
	QATEpochs       int     `json:"qat_epochs"`
	QATLearningRate float64 `json:"qat_learning_rate"`
	BatchSize       int     `json:"batch_size"`
	Seed            uint64  `json:"seed"`
}

// DataSet says what was learned from.
type DataSet struct {
	Name       string `json:"name"`
	Note       string `json:"note,omitempty"`
	InputShape []int  `json:"input_shape"`
	Classes    int    `json:"classes"`
	TrainRows  int    `json:"train_rows"`
	// CalibrationRows are some of the training rows.
	CalibrationRows int `json:"calibration_rows"`
	TestRows        int `json:"test_rows"`
}

// Network says what was trained.
type Network struct {
	Parameters int `json:"parameters"`
}

// Gain is the accuracy of one row minus that of another, paired by example.
type Gain struct {
	Of         string            `json:"of"`
	Over       string            `json:"over"`
	Difference report.Difference `json:"difference"`
}

// Phase is a part of the run.
type Phase struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
	// Epochs of training; none for other phases.
	Epochs []train.Epoch `json:"epochs,omitempty"`
}

// Machine is where the seconds were measured.
type Machine struct {
	Platform string `json:"platform"` // "linux/amd64"
	Threads  int    `json:"threads"`
	Go       string `json:"go"`
}

// newResult fills in what is known before the run.
func newResult(s Source, c Config) *Result {
	return &Result{
		Settings: Settings{
			Model: c.Model, Recipe: c.Recipe.Name, Optimizer: "adam",
			Epochs: c.Epochs, LearningRate: rate, QATEpochs: c.QATEpochs, QATLearningRate: tuneRate,
			BatchSize: c.BatchSize, Seed: c.Seed,
		},
		Data: DataSet{
			Name: s.Name, Note: s.Note, InputShape: s.Train.InputShape(), Classes: data.Classes(s.Test),
			TrainRows: s.Train.Len(), CalibrationRows: min(calibrationRows, s.Train.Len()), TestRows: s.Test.Len(),
		},
		Machine: Machine{Platform: runtime.GOOS + "/" + runtime.GOARCH, Threads: runtime.GOMAXPROCS(0), Go: runtime.Version()},
	}
}

// ForgetFiles removes the paths from the rows, for files that do not stay.
func (r *Result) ForgetFiles() {
	for i := range r.Rows {
		r.Rows[i].Path = ""
	}
}

// WriteText writes the table for people; equal runs write equal bytes.
func (r *Result) WriteText(w io.Writer) error {
	b := bufio.NewWriter(w) // remembers errors
	d, s := r.Data, r.Settings
	fmt.Fprintf(b, "%s: %d training rows of shape %v (%d of them calibrate), %d test rows\n", d.Name, d.TrainRows, d.InputShape, d.CalibrationRows, d.TestRows)
	if d.Note != "" {
		fmt.Fprintln(b, d.Note)
	}
	fmt.Fprintf(b, "%s of %d parameters: %d epochs, then %d more with quantizers (QAT) or without (control); batch %d, seed %d, recipe %s\n\n",
		s.Model, r.Network.Parameters, s.Epochs, s.QATEpochs, s.BatchSize, s.Seed, s.Recipe)
	if err := report.WriteTable(b, r.Rows); err != nil {
		return err
	}
	fmt.Fprintln(b)
	if len(r.Detectors) > 0 {
		fmt.Fprintf(b, "An anomaly is a row that a file gives back with a larger mean squared error than %.0f %% of the training rows, which are normal.\nArea under the ROC curve:", 100*normalShare)
		for i, d := range r.Detectors {
			fmt.Fprintf(b, "%s %s %.4f", ","[:min(i, 1)], d.Name, d.AUC)
		}
		fmt.Fprintln(b)
	}
	for _, g := range r.Gains {
		fmt.Fprintf(b, "%s over %s: %v percentage points\n", g.Of, g.Over, g.Difference)
	}
	fmt.Fprintln(b, "Measured on the files, read back and run in goqat's interpreter. Intervals hold 95 %, paired by test row.")
	return b.Flush()
}

// WriteTimes writes the seconds and the memory, which differ from run to run.
func (r *Result) WriteTimes(w io.Writer) error {
	b := bufio.NewWriter(w)
	for _, p := range r.Phases {
		fmt.Fprintf(b, "%s: %.1f s", p.Name, p.Seconds)
		if n := len(p.Epochs); n > 0 {
			total := 0.0
			for _, e := range p.Epochs {
				total += e.Seconds
			}
			fmt.Fprintf(b, ", %.2f s for each of %d epochs", total/float64(n), n)
		}
		fmt.Fprintln(b)
	}
	if r.PeakMemory > 0 {
		fmt.Fprintf(b, "peak memory: %.0f MiB\n", float64(r.PeakMemory)/(1<<20))
	}
	return b.Flush()
}
