package synth

import (
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/data/audio"
)

// nearestNeighbour is the share of test rows whose nearest training row, by summaries of each, has their label.
func nearestNeighbour(t *testing.T, train, test data.Dataset, summary func(x []float32) []float64) float64 {
	t.Helper()
	summaries := func(ds data.Dataset) (points [][]float64, labels []float32) {
		x, y := rows(t, ds)
		for i := range y {
			points = append(points, summary(x[i*len(x)/len(y):(i+1)*len(x)/len(y)]))
		}
		return points, y
	}
	known, labels := summaries(train)
	asked, want := summaries(test)
	right := 0
	for i, p := range asked {
		best := 0
		for j := range known {
			if nearest(p, known[j:j+1]) < nearest(p, known[best:best+1]) {
				best = j
			}
		}
		if labels[best] == want[i] {
			right++
		}
	}
	return float64(right) / float64(len(asked))
}

// columns is the mean and standard deviation of each of n columns of a matrix.
func columns(x []float32, n int) []float64 {
	out := make([]float64, 2*n)
	steps := float64(len(x) / n)
	for i, v := range x {
		out[i%n] += float64(v) / steps
	}
	for i, v := range x {
		d := float64(v) - out[i%n]
		out[n+i%n] += d * d / steps
	}
	for c := n; c < 2*n; c++ {
		out[c] = math.Sqrt(out[c])
	}
	return out
}

// fromOnset is the part of the coefficients of a second from where it becomes loud, in frames of 10.
func fromOnset(x []float32) []float64 {
	quiet, loud := x[0], x[0]
	for i := 0; i < len(x); i += 10 {
		quiet, loud = min(quiet, x[i]), max(loud, x[i])
	}
	start := 0
	for x[start] < (quiet+loud)/2 {
		start += 10
	}
	out := make([]float64, 300)
	for i := range out {
		if start+i < len(x) {
			out[i] = float64(x[start+i])
		}
	}
	return out
}

// TestWordsAreWords: the words of speakers never heard are known by the nearest one. By chance 1 of 8 would be right.
func TestWordsAreWords(t *testing.T) {
	w := Words{Rows: 192, Classes: 8}
	raw, err := w.Make(1)
	if err != nil {
		t.Fatal(err)
	}
	ds, err := audio.KeywordSpotting().Extract(raw)
	if err != nil {
		t.Fatal(err)
	}
	groups, err := w.Groups()
	if err != nil {
		t.Fatal(err)
	}
	train, test, err := data.SplitGroups(ds, groups, 2./3, 1)
	if err != nil {
		t.Fatal(err)
	}
	if train.Len() != 128 || test.Len() != 64 {
		t.Errorf("%d and %d rows of 8 and 4 speakers", train.Len(), test.Len())
	}
	share := nearestNeighbour(t, train, test, fromOnset)
	t.Logf("%.0f %% of words right", 100*share)
	if share < 0.9 {
		t.Errorf("only %v of the words of other speakers are known", share)
	}
	x, _ := rows(t, raw)
	for i, v := range x {
		if v < -1 || v > 1 {
			t.Fatalf("row %d holds %v", i/wordRate, v)
		}
	}
	names, err := w.Labels()
	if diff := cmp.Diff([]string{"yes", "no", "up", "down", "left", "right", "stop", "go"}, names); err != nil || diff != "" {
		t.Errorf("%v, labels (-want +got):\n%s", err, diff)
	}
	w.Classes = 9
	if _, err := w.Labels(); err == nil {
		t.Error("labels of 9 words")
	}
	if _, err := w.Groups(); err == nil {
		t.Error("speakers of 9 words")
	}
}

// TestTrack: at the borders parameters are halfway, in the middle of long phones they are those of the phone.
func TestTrack(t *testing.T) {
	track := newTrack([]phone{{milliseconds: 100, voice: 1}, {milliseconds: 100, voice: 3}, {milliseconds: 1, voice: 5}}, 1, wordRate)
	if diff := cmp.Diff([]int{1600, 3200, 3216}, track.ends); diff != "" {
		t.Errorf("ends:\n%s", diff)
	}
	var got []float64
	for _, sample := range []int{0, 800, 1600 - 160, 1600 - 80, 1600, 1600 + 80, 2400, 3208, 3215} {
		got = append(got, track.at(sample).voice)
	}
	if diff := cmp.Diff([]float64{1, 1, 1, 1.5, 2, 2.5, 3, 5, 5}, got); diff != "" {
		t.Errorf("voice (-want +got):\n%s", diff)
	}
	if long := newTrack([]phone{{milliseconds: 2000}}, 1, 9000); long.length != 9000 {
		t.Errorf("a word too long has %d samples", long.length)
	}
}

func TestMotion(t *testing.T) {
	series, err := Motion{}.Make(1)
	if err != nil {
		t.Fatal(err)
	}
	spec := data.Windows{Length: 64, Stride: 32, Channels: MotionChannels, Classes: len(MotionLabels())}
	train, err := spec.Cut(series[:5])
	if err != nil {
		t.Fatal(err)
	}
	test, err := spec.Cut(series[5:])
	if err != nil {
		t.Fatal(err)
	}
	share := nearestNeighbour(t, train, test, func(x []float32) []float64 { return columns(x, 3) })
	t.Logf("%.0f %% of %d windows right", 100*share, test.Len())
	if share < 0.85 { // windows across two bouts are ambiguous
		t.Errorf("only %v of the windows of other subjects are known", share)
	}
	weights, err := data.ClassWeights(train)
	if err != nil || slices.Max(slices.Collect(maps.Values(weights))) > 2 {
		t.Errorf("classes are not balanced: weights %v (%v)", weights, err)
	}
	for i, s := range series {
		if len(s.X) != 9000 || len(s.Y) != 3000 {
			t.Errorf("subject %d has %d values and %d labels", i, len(s.X), len(s.Y))
		}
	}
}

// TestMotionIsPhysical: standing and lying still is 1 g, walking is 1 g on average, and a fall has a blow.
func TestMotionIsPhysical(t *testing.T) {
	b := bout{subject: subject{cadence: 1.8, vigour: 1}, tempo: 1, side: -1}
	size := func(activity int, t float64) float64 {
		x, y, z := activities[activity](b, t)
		return math.Sqrt(x*x + y*y + z*z)
	}
	for at := range 200 {
		if g := size(0, float64(at)/10); g < 0.97 || g > 1.03 {
			t.Errorf("standing still at %v g", g)
		}
	}
	var walk, run, blow float64
	for at := range 1000 {
		_, _, up := b.walk(float64(at) * 0.01)
		walk += up / 1000
		_, _, up = b.run(float64(at) * 0.01)
		run += up / 1000
		blow = max(blow, size(3, float64(at)*0.001))
	}
	if walk < 0.95 || walk > 1.05 || run < 0.6 || run > 1.1 {
		t.Errorf("up is %v g when walking and %v g when running, on average", walk, run)
	}
	if fly, lie := size(3, 0.2), size(3, 2); fly > 0.4 || blow < 2 || lie < 0.95 || lie > 1.05 {
		t.Errorf("a fall has %v g, %v g and then %v g", fly, blow, lie)
	}
}

func TestMotionGolden(t *testing.T) {
	fingerprint := func(seed uint64) string {
		series, err := Motion{Subjects: 2, Steps: 700}.Make(seed)
		if err != nil {
			t.Fatal(err)
		}
		ds, err := data.Windows{Length: 10, Channels: MotionChannels, Classes: 4}.Cut(series)
		if err != nil {
			t.Fatal(err)
		}
		f, err := data.Fingerprint(ds)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	if got, want := fingerprint(1), "de093c97f29b74e37498b54050c1ed8e9b4b3219a48e460268ea46457c431c56"; got != want {
		t.Errorf("fingerprint is %s, want %s", got, want)
	}
	if fingerprint(1) == fingerprint(2) {
		t.Error("two seeds give one set")
	}
	for name, m := range map[string]Motion{"subjects": {Subjects: -1}, "steps": {Steps: -1}, "noise": {Noise: math.NaN()}, "loud": {Noise: math.Inf(1)}} {
		if _, err := m.Make(1); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
