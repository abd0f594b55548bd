package audio

import (
	"errors"
	"fmt"
	"math"

	"github.com/goqat/goqat/data"
	"gonum.org/v1/gonum/dsp/fourier"
)

// Features says what is computed of sound: a log-mel spectrogram or, with Coefficients, MFCC. [KeywordSpotting] and
// [AnomalyDetection] are the usual choices.
//
// Frame t holds the Window samples from t*Stride on, times the periodic Hann window 1/2 - cos(2*pi*i/Window)/2,
// followed by zeros to the length of the FFT, whose result is X. With the weights w of the bands and the DCT-II,
//
//	band[m] = sum over bins k of w[m][k] * |X[k]|      (|X[k]|^2 with Energy)
//	log[m]  = ln(max(band[m] + Offset, Floor))         (10*log10 with Decibels)
//	mfcc[c] = sqrt(2/Bands) * sum over m of log[m] * cos(pi/Bands * c * (m + 1/2))
//
// The DCT is orthonormal but for its coefficient 0, which is sqrt(2) times as large, as HTK and TensorFlow have it.
type Features struct {
	Rate   int  // samples per second; required
	Window int  // samples in a frame; required
	Stride int  // samples from the start of a frame to that of the next; required
	FFT    int  // length of the Fourier transform; 0 means the smallest power of two from Window on
	Center bool // frame t is centred on sample t*Stride; outside of the clip there are zeros

	Bands     int     // required
	Bank      Bank    // mel scale and shape of the bands
	Low, High float64 // edges of the lowest and highest band in Hz; High 0 means Rate/2

	Energy   bool // bands sum energies, not magnitudes
	Decibels bool
	// Offset and Floor keep the logarithm finite; both 0 mean a floor of 1e-12.
	Offset, Floor float64

	Coefficients int  // of the DCT; 0 means none, that is a log-mel spectrogram
	Normalize    bool // clips are divided by their largest sample, if that is positive, before anything else
}

// KeywordSpotting is what the keyword spotting benchmark of MLPerf Tiny listens to: frames of 30 ms, 20 ms apart, at
// 16 kHz, of which 10 coefficients of 40 bands from 20 to 4000 Hz. A second becomes [49, 10, 1].
//
// For TensorFlow's speech_commands example, whose spectrogram is the same, set Bank to HTKRounded, Offset to 0 and
// Normalize to false.
//
// Source: MLCommons, MLPerf Tiny, training/keyword_spotting.
func KeywordSpotting() Features {
	return Features{
		Rate: 16000, Window: 480, Stride: 320, Bands: 40, Bank: HTK, Low: 20, High: 4000,
		Offset: 1e-6, Coefficients: 10, Normalize: true,
	}
}

// AnomalyDetection is what the autoencoder of MLPerf Tiny listens to: 128 bands of frames of 64 ms, 32 ms apart, at
// 16 kHz, in decibels. The network takes 5 frames in a row, 640 values:
//
//	recording, err := audio.AnomalyDetection().Series(clip.Samples)
//	windows, err := data.Windows{Length: 5, Stride: 1, Channels: 128, Flat: true}.Cut([]data.Series{recording})
//	ds := data.Reconstruct(windows)
//
// The first and last two frames reach beyond the clip, where there are zeros as in librosa 0.10 and later; older
// versions reflected the clip there.
//
// Source: MLCommons, MLPerf Tiny, training/anomaly_detection; librosa, librosa.feature.melspectrogram.
func AnomalyDetection() Features {
	return Features{
		Rate: 16000, Window: 1024, Stride: 512, Center: true, Bands: 128, Bank: Slaney,
		Energy: true, Decibels: true, Offset: 0x1p-52,
	}
}

// Shape is the shape of the features of a clip: [frames, Bands or Coefficients, 1].
//
// Errors: those of the definition; a clip shorter than a frame.
func (f Features) Shape(samples int) ([]int, error) {
	f, err := f.normalize()
	if err != nil {
		return nil, err
	}
	n := f.frames(samples)
	if n < 1 {
		return nil, fmt.Errorf("audio: features: a clip of %d samples is shorter than a frame of %d", samples, f.Window)
	}
	return []int{n, f.columns(), 1}, nil
}

func (f Features) columns() int {
	if f.Coefficients > 0 {
		return f.Coefficients
	}
	return f.Bands
}

func (f Features) frames(samples int) int {
	if samples < 1 {
		return 0
	}
	if f.Center {
		samples += f.Window / 2 * 2
	}
	if samples < f.Window {
		return 0
	}
	return 1 + (samples-f.Window)/f.Stride
}

// maxLength bounds the samples of a frame and of the FFT, and the number of bands.
const maxLength = 1 << 20

// normalize fills in defaults and reports every fault.
func (f Features) normalize() (Features, error) {
	if f.FFT == 0 {
		for f.FFT = 1; f.FFT < f.Window && f.FFT < maxLength; f.FFT *= 2 {
		}
	}
	if f.High == 0 {
		f.High = float64(f.Rate) / 2
	}
	if f.Offset == 0 && f.Floor == 0 {
		f.Floor = 1e-12
	}
	var faults []error
	fault := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf("audio: features: "+format, args...))
		}
	}
	fault(f.Rate < 1, "Rate is %d", f.Rate)
	fault(f.Window < 2 || f.Window > maxLength, "Window is %d, want 2 to %d", f.Window, maxLength)
	fault(f.Stride < 1, "Stride is %d", f.Stride)
	fault(f.FFT < f.Window || f.FFT > maxLength, "an FFT of %d for frames of %d, want as many to %d", f.FFT, f.Window, maxLength)
	fault(f.Bands < 1 || f.Bands > maxLength, "Bands is %d, want 1 to %d", f.Bands, maxLength)
	fault(f.Bank > Slaney, "unknown Bank %d", f.Bank)
	fault(!(0 <= f.Low && f.Low < f.High && f.High <= float64(f.Rate)/2),
		"bands from %v to %v Hz, want an order within 0 to Rate/2, %v Hz", f.Low, f.High, float64(f.Rate)/2)
	fault(!(f.Offset >= 0 && f.Floor >= 0 && f.Offset+f.Floor <= math.MaxFloat32), "Offset %v and Floor %v", f.Offset, f.Floor)
	fault(f.Coefficients < 0 || f.Coefficients > f.Bands, "%d coefficients of %d bands", f.Coefficients, f.Bands)
	return f, errors.Join(faults...)
}

// Series computes the features of a clip as a recording of frames, without a target: see [data.Windows].
//
// Errors: as [Features.Shape], and a sample that is NaN or Inf.
func (f Features) Series(samples []float32) (data.Series, error) {
	x, err := newExtractor(f)
	if err != nil {
		return data.Series{}, err
	}
	out, err := x.compute(samples)
	return data.Series{X: out}, err
}

// Extract computes the features of every row of a set of clips. Targets stay as they are.
//
// Shapes: input [samples] or [samples, 1], output [frames, Bands or Coefficients, 1]; targets any.
//
// Errors: as Series, with the row; inputs of another shape; errors of the set.
func (f Features) Extract(ds data.Dataset) (*data.Memory, error) {
	in := ds.InputShape()
	if len(in) == 0 || len(in) > 2 || len(in) == 2 && in[1] != 1 {
		return nil, fmt.Errorf("audio: features: inputs have shape %v, want [samples]", in)
	}
	x, err := newExtractor(f)
	if err != nil {
		return nil, err
	}
	shape, err := f.Shape(in[0])
	if err != nil {
		return nil, err
	}
	targets := 1
	for _, d := range ds.TargetShape() {
		targets *= d
	}
	a := data.Arrays{InputShape: shape, TargetShape: ds.TargetShape(), Classes: data.Classes(ds), Y: make([]float32, ds.Len()*targets)}
	clip := make([]float32, in[0])
	for row := range ds.Len() {
		if err := ds.Read([]int{row}, clip, a.Y[row*targets:(row+1)*targets]); err != nil {
			return nil, err
		}
		features, err := x.compute(clip)
		if err != nil {
			return nil, fmt.Errorf("%w (row %d)", err, row)
		}
		a.X = append(a.X, features...)
	}
	return data.NewMemory(a)
}

// extractor holds what all frames need. It is not safe for use by several goroutines.
type extractor struct {
	Features
	fft     *fourier.FFT
	window  []float64
	filters []filter
	cosines [][]float64 // by coefficient and band

	frame    []float64
	spectrum []complex128
	bands    []float64
}

func newExtractor(f Features) (*extractor, error) {
	f, err := f.normalize()
	if err != nil {
		return nil, err
	}
	bins := f.FFT/2 + 1
	x := &extractor{
		Features: f, fft: fourier.NewFFT(f.FFT), window: make([]float64, f.Window),
		frame: make([]float64, f.FFT), spectrum: make([]complex128, bins), bands: make([]float64, f.Bands),
	}
	if x.filters, err = f.Bank.filters(bins, float64(f.Rate)/float64(f.FFT), f.Bands, f.Low, f.High); err != nil {
		return nil, fmt.Errorf("audio: features: %w", err)
	}
	for i := range x.window {
		x.window[i] = 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/float64(f.Window))
	}
	for c := range f.Coefficients {
		row := make([]float64, f.Bands)
		for m := range row {
			row[m] = math.Sqrt(2/float64(f.Bands)) * math.Cos(math.Pi/float64(f.Bands)*float64(c)*(float64(m)+0.5))
		}
		x.cosines = append(x.cosines, row)
	}
	return x, nil
}

// compute returns the features of all frames of a clip, one frame after the other.
func (x *extractor) compute(samples []float32) ([]float32, error) {
	largest := float32(0)
	for i, v := range samples {
		if v-v != 0 {
			return nil, fmt.Errorf("audio: features: sample %d is %v", i, v)
		}
		largest = max(largest, v)
	}
	if !x.Normalize || largest == 0 {
		largest = 1
	}
	shape, err := x.Shape(len(samples))
	if err != nil {
		return nil, err
	}
	out := make([]float32, 0, shape[0]*shape[1])
	for t := range shape[0] {
		start := t * x.Stride
		if x.Center {
			start -= x.Window / 2
		}
		clear(x.frame)
		for i, w := range x.window {
			if at := start + i; at >= 0 && at < len(samples) {
				x.frame[i] = float64(samples[at]/largest) * w
			}
		}
		x.fft.Coefficients(x.spectrum, x.frame)
		x.sumBands()
		x.takeLogs()
		out = x.appendResult(out)
	}
	return out, nil
}

// sumBands fills bands from the spectrum.
func (x *extractor) sumBands() {
	for m, f := range x.filters {
		sum := 0.0
		for i, w := range f.weights {
			c := x.spectrum[f.first+i]
			v := real(c)*real(c) + imag(c)*imag(c)
			if !x.Energy {
				v = math.Sqrt(v)
			}
			sum += w * v
		}
		x.bands[m] = sum
	}
}

// takeLogs replaces bands by their logarithms.
func (x *extractor) takeLogs() {
	for m, v := range x.bands {
		x.bands[m] = math.Log(max(v+x.Offset, x.Floor))
		if x.Decibels {
			x.bands[m] *= 10 / math.Ln10
		}
	}
}

// appendResult appends the bands, or their cosine transform.
func (x *extractor) appendResult(out []float32) []float32 {
	if x.Coefficients == 0 {
		for _, v := range x.bands {
			out = append(out, float32(v))
		}
	}
	for _, row := range x.cosines {
		sum := 0.0
		for m, v := range x.bands {
			sum += row[m] * v
		}
		out = append(out, float32(sum))
	}
	return out
}
