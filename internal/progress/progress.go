package progress

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Mode says what is drawn.
type Mode int

const (
	// Auto draws a bar if the writer is a terminal, and plain lines otherwise.
	Auto Mode = iota
	// Plain writes one line at the end of each epoch.
	Plain
	// Terminal draws a bar during each epoch and replaces it by Plain's line.
	Terminal
)

// Options of a [Bar]. The zero value is the default.
type Options struct {
	Mode  Mode
	Label string           // what is counted; "" means "epoch"
	Now   func() time.Time // clock for the duration in plain lines; nil means time.Now
}

// refresh is the shortest time between two drawings of the bar.
const refresh = 100 * time.Millisecond

// Bar shows the progress of a run of epochs.
type Bar struct {
	writer   io.Writer // nil: silent
	terminal bool
	label    string
	now      func() time.Time

	title string // of the current epoch
	since time.Time
	due   time.Time                // when Due last said so
	bar   *progressbar.ProgressBar // nil: none is on the screen
}

// New returns a bar that writes to w, or a silent one if w is nil.
func New(w io.Writer, options Options) *Bar {
	b := &Bar{writer: w, label: options.Label, now: options.Now}
	if b.label == "" {
		b.label = "epoch"
	}
	if b.now == nil {
		b.now = time.Now
	}
	b.terminal = options.Mode == Terminal || options.Mode == Auto && isTerminal(w)
	return b
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(file.Fd()))
}

// Start begins an epoch of the given number of steps; epochs count from 1. With epochs 0 the title leaves the
// count out; with steps below 1 no bar is drawn.
func (b *Bar) Start(epoch, epochs, steps int) {
	if b.writer == nil {
		return
	}
	b.Stop()
	b.title = b.label
	if epochs > 0 {
		b.title = fmt.Sprintf("%s %d/%d", b.label, epoch, epochs)
	}
	b.since = b.now()
	if b.terminal && steps > 0 {
		b.bar = progressbar.NewOptions(steps,
			progressbar.OptionSetWriter(b.writer),
			progressbar.OptionSetDescription(b.title),
			progressbar.OptionSetWidth(30),
			progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionThrottle(refresh),
			progressbar.OptionClearOnFinish(),
		)
	}
}

// Due reports whether it is time for a Step: whether a bar is on the screen for which Due has not said so for a while.
// Where steps are short or what to show is costly, ask first.
func (b *Bar) Due() bool {
	if b.bar == nil {
		return false
	}
	now := b.now()
	if now.Sub(b.due) < refresh {
		return false
	}
	b.due = now
	return true
}

// Step says that n steps of the epoch are done, counted from its start, and shows text beside the title.
func (b *Bar) Step(n int, text string) {
	if b.bar == nil {
		return
	}
	_ = b.bar.Set(n)
	b.bar.Describe(join(b.title, text))
}

// EndEpoch replaces the bar by a line with the title, text and the seconds since Start.
func (b *Bar) EndEpoch(text string) {
	if b.writer == nil {
		return
	}
	b.Stop()
	_, _ = fmt.Fprintf(b.writer, "%s (%.1fs)\n", join(b.title, text), b.now().Sub(b.since).Seconds())
}

// Stop removes the bar of an epoch that did not end, so that what is printed next has a line of its own.
func (b *Bar) Stop() {
	if b.bar == nil {
		return
	}
	_ = b.bar.Clear()
	_ = b.bar.Exit()
	b.bar = nil
}

func join(title, text string) string {
	if text == "" {
		return title
	}
	return title + ": " + text
}
