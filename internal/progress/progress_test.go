package progress

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// clock advances by a second and a half whenever it is read.
func clock() func() time.Time {
	now := time.Unix(0, 0)
	return func() time.Time {
		now = now.Add(1500 * time.Millisecond)
		return now
	}
}

// run drives a bar through two epochs of three steps.
func run(b *Bar) {
	for epoch := 1; epoch <= 2; epoch++ {
		b.Start(epoch, 2, 3)
		for n := 1; n <= 3; n++ {
			b.Step(n, "loss 0.5")
		}
		b.EndEpoch("loss 0.4")
	}
	b.Stop()
}

const twoLines = "epoch 1/2: loss 0.4 (1.5s)\nepoch 2/2: loss 0.4 (1.5s)\n"

func TestPlain(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/log") // has a file descriptor, but is no terminal
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	run(New(file, Options{Now: clock()}))
	logged, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	var auto, plain bytes.Buffer
	run(New(&auto, Options{Now: clock()}))
	run(New(&plain, Options{Mode: Plain, Now: clock()}))
	for name, got := range map[string]string{"file": string(logged), "buffer": auto.String(), "plain": plain.String()} {
		if got != twoLines {
			t.Errorf("%s: wrote %q, want %q", name, got, twoLines)
		}
	}
}

func TestTitles(t *testing.T) {
	for name, c := range map[string]struct {
		options Options
		epochs  int
		text    string
		want    string
	}{
		"label":    {Options{Label: "calibration"}, 3, "x", "calibration 1/3: x (1.5s)\n"},
		"no count": {Options{Label: "calibration"}, 0, "x", "calibration: x (1.5s)\n"},
		"no text":  {Options{}, 3, "", "epoch 1/3 (1.5s)\n"},
	} {
		var out bytes.Buffer
		c.options.Now = clock()
		b := New(&out, c.options)
		b.Start(1, c.epochs, 10)
		b.EndEpoch(c.text)
		if out.String() != c.want {
			t.Errorf("%s: wrote %q, want %q", name, out.String(), c.want)
		}
	}
}

// screen plays what a terminal shows: carriage returns go back to the start of the line.
func screen(out string) string {
	var lines []string
	for _, line := range strings.Split(out, "\n") {
		cells := []rune{}
		for _, part := range strings.Split(line, "\r") {
			for i, r := range []rune(part) {
				if i < len(cells) {
					cells[i] = r
				} else {
					cells = append(cells, r)
				}
			}
		}
		lines = append(lines, strings.TrimRight(string(cells), " "))
	}
	return strings.Join(lines, "\n")
}

// TestTerminal: during an epoch there is a bar with the count; in the end only the plain lines are left.
func TestTerminal(t *testing.T) {
	var out bytes.Buffer
	b := New(&out, Options{Mode: Terminal, Now: clock()})
	b.Start(1, 2, 4)
	b.Step(1, "loss 0.9")
	for _, want := range []string{"epoch 1/2", "25%", "1/4", "[0s:"} {
		if got := screen(out.String()); !strings.Contains(got, want) {
			t.Errorf("the bar is %q, want %q in it", got, want)
		}
	}
	time.Sleep(refresh + 10*time.Millisecond)
	b.Step(2, "loss 0.8")
	time.Sleep(refresh + 10*time.Millisecond)
	b.Step(2, "loss 0.8")
	for _, want := range []string{"epoch 1/2: loss 0.8", "50%", "2/4"} {
		if got := screen(out.String()); !strings.Contains(got, want) {
			t.Errorf("the bar is %q, want %q in it", got, want)
		}
	}
	b.Step(4, "loss 0.7")
	b.EndEpoch("loss 0.6")

	b.Start(2, 2, 4)
	b.Step(1, "loss 0.5")
	b.EndEpoch("loss 0.4") // ended early
	if got, want := screen(out.String()), "epoch 1/2: loss 0.6 (1.5s)\nepoch 2/2: loss 0.4 (1.5s)\n"; got != want {
		t.Errorf("the screen shows %q, want %q", got, want)
	}
}

func TestDue(t *testing.T) {
	now := time.Unix(0, 0)
	b := New(&bytes.Buffer{}, Options{Mode: Terminal, Now: func() time.Time { return now }})
	due := func(want bool) {
		t.Helper()
		if got := b.Due(); got != want {
			t.Errorf("at %v Due is %t", now, got)
		}
	}
	due(false) // nothing to draw
	b.Start(1, 1, 4)
	due(true)
	due(false)
	now = now.Add(refresh)
	due(true)
	b.EndEpoch("")
	due(false)
}

func TestStopClears(t *testing.T) {
	var out bytes.Buffer
	b := New(&out, Options{Mode: Terminal})
	b.Start(1, 1, 4)
	b.Step(2, "loss 0.5")
	if screen(out.String()) == "" {
		t.Error("no bar was drawn")
	}
	b.Stop()
	if got := screen(out.String()); got != "" {
		t.Errorf("after Stop the screen shows %q", got)
	}
	length := out.Len()
	b.Stop()
	b.Step(3, "late")
	if out.Len() != length {
		t.Error("a stopped bar still writes")
	}
}

// TestUnknownSteps: without a number of steps there is no bar, only the line.
func TestUnknownSteps(t *testing.T) {
	var out bytes.Buffer
	b := New(&out, Options{Mode: Terminal, Now: clock()})
	b.Start(1, 1, 0)
	b.Step(1, "x")
	if out.Len() > 0 {
		t.Errorf("wrote %q", out.String())
	}
	b.EndEpoch("y")
	if got, want := out.String(), "epoch 1/1: y (1.5s)\n"; got != want {
		t.Errorf("wrote %q, want %q", got, want)
	}
}

// TestSilent: a nil writer is silent in every mode, and standard output is never touched.
func TestSilent(t *testing.T) {
	stdout := os.Stdout
	defer func() { os.Stdout = stdout }()
	file, err := os.Create(t.TempDir() + "/stdout")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	os.Stdout = file
	for _, mode := range []Mode{Auto, Plain, Terminal} {
		run(New(nil, Options{Mode: mode}))
		run(New(&bytes.Buffer{}, Options{Mode: mode}))
	}
	if info, err := file.Stat(); err != nil || info.Size() != 0 {
		t.Errorf("%d bytes on standard output (%v)", info.Size(), err)
	}
}

type broken struct{ writes int }

func (b *broken) Write([]byte) (int, error) {
	b.writes++
	return 0, errors.New("closed pipe")
}

// TestBrokenWriter: progress is no reason to lose a training run.
func TestBrokenWriter(t *testing.T) {
	for _, mode := range []Mode{Plain, Terminal} {
		w := &broken{}
		run(New(w, Options{Mode: mode}))
		if w.writes == 0 {
			t.Errorf("mode %v: nothing was written", mode)
		}
	}
}
