package train

import (
	"io"

	"github.com/goqat/goqat/internal/progress"
)

// Progress shows how training goes on: a bar with the time left on a terminal,
// one plain line an epoch elsewhere. Writer is usually os.Stderr; results belong
// on standard output. Use a pointer.
type Progress struct {
	Writer io.Writer
	// Label names what is trained: "float32"; empty for "epoch".
	Label string

	bar *progress.Bar
}

// Start implements [StartCallback].
func (p *Progress) Start(f *Fitting) error {
	p.bar = progress.New(p.Writer, progress.Options{Label: p.Label})
	if f.Epoch < f.Epochs {
		p.bar.Start(f.Epoch+1, f.Epochs, f.Batches)
	}
	return nil
}

// BatchEnd implements [BatchCallback].
func (p *Progress) BatchEnd(f *Fitting) error {
	if p.bar.Due() {
		p.bar.Step(f.Batch, f.Running().String())
	}
	return nil
}

// EpochEnd implements [Callback].
func (p *Progress) EpochEnd(f *Fitting, e Epoch) error {
	text := e.Train.String()
	if e.Validation != nil {
		text += "  " + e.Validation.text("val_")
	}
	p.bar.EndEpoch(text)
	if f.Epoch < f.Epochs && !f.stopped {
		p.bar.Start(f.Epoch+1, f.Epochs, f.Batches)
	}
	return nil
}

// stopProgress removes the bars of a Fit that ends, in whatever way, so that
// what is printed next has a line of its own.
func stopProgress(list []Callback) {
	for _, c := range list {
		if p, ok := c.(*Progress); ok && p.bar != nil {
			p.bar.Stop()
		}
	}
}
