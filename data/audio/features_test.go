package audio

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/goqat/goqat/data"
)

// near holds values to published ones. Tolerances come from the sources.
func near[T float32 | float64](t *testing.T, what string, got []T, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d values, want %d", what, len(got), len(want))
		return
	}
	for i, v := range got {
		if d := math.Abs(float64(v) - want[i]); !(d <= tolerance) {
			t.Errorf("%s: value %d is %v, want %v, off by %.1e", what, i, v, want[i], d)
		}
	}
}

func extractorOf(t *testing.T, f Features) *extractor {
	t.Helper()
	x, err := newExtractor(f)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// counting is the spectrum of TensorFlow's tests: bin i has the energy i+1.
func counting(t *testing.T, f Features) *extractor {
	f.Rate, f.Window, f.Stride, f.Bank, f.Low, f.High = 22050, 1024, 1024, HTKRounded, 20, 4000
	x := extractorOf(t, f)
	for i := range x.spectrum {
		x.spectrum[i] = complex(math.Sqrt(float64(i+1)), 0)
	}
	x.sumBands()
	return x
}

// TestBandsLikeTensorFlow: mfcc_mel_filterbank_test.cc, AgreesWithPythonGoldenValues, with its tolerance.
func TestBandsLikeTensorFlow(t *testing.T) {
	near(t, "bands", counting(t, Features{Bands: 20}).bands, []float64{
		7.38894574, 10.30330648, 13.72703292, 17.24158686, 21.35253118, 25.77781089, 31.30624108, 37.05877236, 43.9436536, 51.80306637,
		60.79867148, 71.14363376, 82.90910141, 96.50069158, 112.08428368, 129.96721968, 150.4277597, 173.74997634, 200.86037462, 231.59802942,
	}, 1e-4)
}

// TestMFCCLikeTensorFlow: mfcc_test.cc, AgreesWithPythonGoldenValues, with its tolerance.
func TestMFCCLikeTensorFlow(t *testing.T) {
	x := counting(t, Features{Bands: 40, Coefficients: 13})
	x.takeLogs()
	near(t, "coefficients", x.appendResult(nil), []float64{
		29.13970072, -6.41568601, -0.61903012, -0.96778652, -0.26819878, -0.40907028, -0.15614748, -0.23203119, -0.10481487, -0.1543029,
		-0.0769791, -0.10806114, -0.06047613,
	}, 1e-4)
}

// TestDCTLikeMATLAB: TensorFlow's mfcc_dct_test.cc, AgreesWithMatlab; ours are rounded to float32.
func TestDCTLikeMATLAB(t *testing.T) {
	x := extractorOf(t, Features{Rate: 16000, Window: 64, Stride: 64, Bands: 6, Coefficients: 6})
	x.bands = []float64{1, 2, 3, 4, 5, 6}
	near(t, "coefficients", x.appendResult(nil), []float64{12.1243556530, -4.1625617959, 0, -0.4082482905, 0, -0.0800788912}, 12*0x1p-24)
}

// TestSpectrumLikeTensorFlow: spectrogram_op_test.cc, SimpleTest.
func TestSpectrumLikeTensorFlow(t *testing.T) {
	x := extractorOf(t, Features{Rate: 8, Window: 8, Stride: 1, Bands: 1})
	if _, err := x.compute([]float32{-1, 0, 1, 0, -1, 0, 1, 0}); err != nil {
		t.Fatal(err)
	}
	var magnitude []float64
	for _, c := range x.spectrum {
		magnitude = append(magnitude, math.Hypot(real(c), imag(c)))
	}
	near(t, "magnitudes", magnitude, []float64{0, 1, 2, 1, 0}, 1e-15)
}

// TestScalesLikeLibrosa: the examples in the documentation of librosa's hz_to_mel, mel_to_hz and mel_frequencies, to
// the digits printed there.
func TestScalesLikeLibrosa(t *testing.T) {
	near(t, "hz_to_mel", []float64{Slaney.mel(60), Slaney.mel(110), Slaney.mel(220), Slaney.mel(440)}, []float64{0.9, 1.65, 3.3, 6.6}, 1e-12)
	near(t, "mel_to_hz", []float64{Slaney.hertz(1), Slaney.hertz(2), Slaney.hertz(3), Slaney.hertz(4), Slaney.hertz(5)},
		[]float64{66.667, 133.333, 200, 266.667, 333.333}, 5e-4)
	var hertz []float64
	for i := range 40 {
		hertz = append(hertz, Slaney.hertz(Slaney.mel(11025)*float64(i)/39))
	}
	near(t, "mel_frequencies", hertz, []float64{
		0, 85.317, 170.635, 255.952, 341.269, 426.586, 511.904, 597.221, 682.538, 767.855, 853.173, 938.49, 1024.856, 1119.114, 1222.042,
		1334.436, 1457.167, 1591.187, 1737.532, 1897.337, 2071.84, 2262.393, 2470.47, 2697.686, 2945.799, 3216.731, 3512.582, 3835.643,
		4188.417, 4573.636, 4994.285, 5453.621, 5955.205, 6502.92, 7101.009, 7754.107, 8467.272, 9246.028, 10096.408, 11025,
	}, 5e-4)
	for _, b := range []Bank{HTK, HTKRounded, Slaney} {
		for _, f := range []float64{0, 1, 999, 1000, 1001, 8000} {
			near(t, "there and back", []float64{b.hertz(b.mel(f))}, []float64{f}, 1e-9)
		}
	}
}

// hiss is a noise that is easy to make in any language: v = (1103515245*v + 12345) mod 2^31, sample = (v >> 16) mod
// 2001 - 1000, over 2^15. It is followed by silence.
func hiss(n, silence int) []float32 {
	x := make([]float32, n+silence)
	v := uint64(1)
	for i := range n {
		v = (v*1103515245 + 12345) % (1 << 31)
		x[i] = float32(int(v>>16%2001)-1000) / (1 << 15)
	}
	return x
}

// TestKeywordSpotting: numbers of TensorFlow 2.21.0 for hiss(4000, 12000). The first are those of the benchmark's
// chain (tf.signal.stft, linear_to_mel_weight_matrix and mfccs_from_log_mel_spectrograms), whose float32 arithmetic
// carries errors of some 2^-24 of the largest terms, about 100, into every coefficient. The second are those of the
// operators AudioSpectrogram and Mfcc, which compute in float64 but round the spectrum to float32.
func TestKeywordSpotting(t *testing.T) {
	spotting := KeywordSpotting()
	operators := spotting
	operators.Bank, operators.Offset, operators.Normalize = HTKRounded, 0, false
	for name, c := range map[string]struct {
		f         Features
		tolerance float64
		want      map[int][]float64
	}{
		"tf.signal": {spotting, 1e-5, map[int][]float64{
			0: {25.112022399902344, -3.5114481449127197, -0.13676968216896057, -0.03261010721325874, 0.12891453504562378,
				-0.25796666741371155, -0.2754082679748535, -0.26220017671585083, -0.20194673538208008, 0.5196267366409302},
			5: {25.914791107177734, -3.765176773071289, 0.3279843330383301, -0.6086398363113403, -0.2167656421661377,
				0.25124773383140564, 0.21552354097366333, -0.14308437705039978, 0.10599402338266373, -0.2744627892971039},
			12: {16.343935012817383, -3.2166852951049805, -1.2567567825317383, -0.9113912582397461, -0.9420632719993591,
				0.7478185296058655, 0.9651919603347778, 0.18617062270641327, -0.1314520686864853, -0.2340972125530243},
			48: {-123.5696792602539, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		}},
		"operators": {operators, 5e-6, map[int][]float64{
			0: {-6.176750183105469, -3.589550018310547, -0.21469013392925262, -0.11022890359163284, 0.051716048270463943,
				-0.33462584018707275, -0.3514088988304138, -0.3374268114566803, -0.27628302574157715, 0.44629791378974915},
			5: {-5.356300354003906, -3.8256072998046875, 0.2676960825920105, -0.6686974167823792, -0.2764967381954193,
				0.1919325441122055, 0.1567186862230301, -0.2012905329465866, 0.04847634956240654, -0.3312033712863922},
			12: {-14.96806526184082, -3.3179948329925537, -1.3578304052352905, -1.0120755434036255, -1.0422006845474243,
				0.6483808159828186, 0.8666066527366638, 0.08859036862850189, -0.22787687182426453, -0.32921701669692993},
			48: {-247.1393585205078, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		}},
	} {
		shape, err := c.f.Shape(16000)
		if err != nil || !slices.Equal(shape, []int{49, 10, 1}) {
			t.Errorf("%s: shape %v (%v)", name, shape, err)
		}
		s, err := c.f.Series(hiss(4000, 12000))
		if err != nil || len(s.X) != 490 {
			t.Fatalf("%s: %d values (%v)", name, len(s.X), err)
		}
		for frame, want := range c.want {
			near(t, name, s.X[frame*10:frame*10+10], want, c.tolerance)
		}
	}
}

// TestAnomalyDetection: numbers of librosa 0.11.0 for hiss(4000, 0), every 16th band of every frame:
//
//	10 * log10(melspectrogram(y, sr=16000, n_fft=1024, hop_length=512, n_mels=128, power=2.0) + 2^-52)
//
// librosa computes in float32: 2^-24 of energies up to 1, in decibels.
func TestAnomalyDetection(t *testing.T) {
	s, err := AnomalyDetection().Series(hiss(4000, 0))
	if err != nil || len(s.X) != 8*128 {
		t.Fatalf("%d values (%v)", len(s.X), err)
	}
	var got []float32
	for i := 0; i < len(s.X); i += 16 {
		got = append(got, s.X[i])
	}
	near(t, "decibels", got, []float64{
		-28.868902, -30.272568, -19.412586, -27.804487, -23.274033, -20.884169, -22.433996, -25.655930,
		-18.981592, -23.749258, -21.188795, -24.758316, -23.738430, -23.133184, -19.964544, -21.147163,
		-25.568001, -16.254551, -24.743242, -25.169971, -21.784073, -21.135180, -22.044121, -19.935913,
		-24.046200, -20.668287, -25.616665, -28.300383, -18.860003, -20.706631, -20.136154, -20.607588,
		-22.305389, -28.549402, -19.868166, -26.341143, -19.594639, -23.133785, -22.333796, -19.750479,
		-14.066343, -25.405169, -25.102245, -19.712160, -23.729744, -19.379778, -21.985920, -22.230490,
		-22.754450, -15.625359, -32.075169, -28.325684, -23.815195, -21.835405, -23.798672, -20.510567,
		-19.939358, -17.039925, -32.038452, -23.351818, -26.252945, -15.385662, -22.013483, -21.653111,
	}, 1e-5)
	shape, err := AnomalyDetection().Shape(160000) // ten seconds
	if diff := cmp.Diff([]int{313, 128, 1}, shape); err != nil || diff != "" {
		t.Errorf("%v, shape (-want +got):\n%s", err, diff)
	}
	w, err := data.Windows{Length: 5, Stride: 1, Channels: 128, Flat: true}.Cut([]data.Series{s})
	if err != nil || w.Len() != 4 || !slices.Equal(data.Reconstruct(w).TargetShape(), []int{640}) {
		t.Errorf("%d windows of 5 frames (%v)", w.Len(), err)
	}
}

// TestSlaneyBands: librosa 0.11.0, filters.mel(sr=16000, n_fft=1024, n_mels=128), the sums of the first bands and
// the weights of the last one, which are float32.
func TestSlaneyBands(t *testing.T) {
	list, err := Slaney.filters(513, 16000./1024, 128, 0, 8000)
	if err != nil {
		t.Fatal(err)
	}
	var sums []float64
	for _, f := range list[:4] {
		sum := 0.0
		for _, w := range f.weights {
			sum += w
		}
		sums = append(sums, sum)
	}
	near(t, "sums", sums, []float64{0.05695532, 0.07094385, 0.05715556, 0.07074362}, 1e-8)
	last := list[127].weights
	near(t, "last weights", last[len(last)-5:], []float64{0.00217633, 0.00174106, 0.0013058, 0.00087053, 0.00043527}, 1e-8)
}

func TestExtract(t *testing.T) {
	a := data.Arrays{InputShape: []int{2000, 1}, X: slices.Concat(hiss(1500, 500), make([]float32, 2000)), Y: []float32{1, 0}, Classes: 2}
	clips, err := data.NewMemory(a)
	if err != nil {
		t.Fatal(err)
	}
	f := Features{Rate: 8000, Window: 256, Stride: 200, Bands: 12}
	ds, err := f.Extract(clips)
	if err != nil {
		t.Fatal(err)
	}
	labels, err := data.Labels(ds)
	if diff := cmp.Diff([]int{1, 0}, labels) + cmp.Diff([]int{9, 12, 1}, ds.InputShape()); err != nil || diff != "" || ds.Classes() != 2 {
		t.Errorf("%v, labels and shape:\n%s", err, diff)
	}
	x, y := make([]float32, 108), make([]float32, 1)
	if err := ds.Read([]int{0}, x, y); err != nil {
		t.Fatal(err)
	}
	if s, err := f.Series(a.X[:2000]); err != nil || !slices.Equal(s.X, x) {
		t.Errorf("a row differs from the series of its clip (%v)", err)
	}
	if err := ds.Read([]int{1}, x, y); err != nil || x[0] != float32(math.Log(1e-12)) {
		t.Errorf("silence is %v, want the floor (%v)", x[0], err)
	}
	_, err = f.Extract(ds)
	wantError(t, err, "audio: features: inputs have shape [9 12 1], want [samples]")
	f.Window = 4096
	_, err = f.Extract(clips)
	wantError(t, err, "a clip of 2000 samples is shorter than a frame of 4096")
}

func TestFeaturesErrors(t *testing.T) {
	good := Features{Rate: 8000, Window: 256, Stride: 128, Bands: 10}
	for name, c := range map[string]struct {
		change func(*Features)
		want   string
	}{
		"rate":         {func(f *Features) { f.Rate = 0 }, "Rate is 0"},
		"window":       {func(f *Features) { f.Window = 1 }, "Window is 1"},
		"huge window":  {func(f *Features) { f.Window = 1 << 30 }, "Window is 1073741824"},
		"stride":       {func(f *Features) { f.Stride = -1 }, "Stride is -1"},
		"short FFT":    {func(f *Features) { f.FFT = 255 }, "an FFT of 255 for frames of 256"},
		"bands":        {func(f *Features) { f.Bands = 0 }, "Bands is 0"},
		"narrow bands": {func(f *Features) { f.Bands = 200 }, "band 0 of 200, 0 to "},
		"bank":         {func(f *Features) { f.Bank = 3 }, "unknown Bank 3"},
		"low":          {func(f *Features) { f.Low = -1 }, "bands from -1 to 4000 Hz"},
		"high":         {func(f *Features) { f.High = 4001 }, "bands from 0 to 4001 Hz"},
		"order":        {func(f *Features) { f.Low, f.High = 300, 200 }, "bands from 300 to 200 Hz"},
		"NaN":          {func(f *Features) { f.Low = math.NaN() }, "bands from NaN"},
		"offset":       {func(f *Features) { f.Offset = -1 }, "Offset -1"},
		"floor":        {func(f *Features) { f.Floor = math.Inf(1) }, "Floor +Inf"},
		"coefficients": {func(f *Features) { f.Coefficients = 11 }, "11 coefficients of 10 bands"},
	} {
		t.Run(name, func(t *testing.T) {
			f := good
			c.change(&f)
			_, err := f.Series(hiss(1000, 0))
			wantError(t, err, "audio: features: ", c.want)
		})
	}
	_, err := Features{}.Shape(1000)
	wantError(t, err, "Rate is 0", "Window is 0", "Stride is 0", "Bands is 0")
	_, err = good.Series([]float32{0, float32(math.NaN())})
	wantError(t, err, "sample 1 is NaN")
	_, err = good.Shape(0)
	wantError(t, err, "a clip of 0 samples")
}

func BenchmarkKeywordSpotting(b *testing.B) {
	x, err := newExtractor(KeywordSpotting())
	if err != nil {
		b.Fatal(err)
	}
	clip := hiss(16000, 0)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := x.compute(clip); err != nil {
			b.Fatal(err)
		}
	}
}
