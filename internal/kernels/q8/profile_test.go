package q8

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/goqat/goqat/internal/kernels/window"
	"github.com/goqat/goqat/quant"
)

func TestGridOf(t *testing.T) {
	if g := GridOf[int8](); g != (quant.Grid{Min: -128, Max: 127}) {
		t.Errorf("int8: %v", g)
	}
	if g := GridOf[uint8](); g != (quant.Grid{Min: 0, Max: 255}) {
		t.Errorf("uint8: %v", g)
	}
}

// TestFullyConnectedProfiles multiplies 213 by 0.0023456789 = 0.4996. The first
// of the two fixed-point roundings makes that a half, which the second rounds up.
func TestFullyConnectedProfiles(t *testing.T) {
	for _, weight := range []quant.Params{
		quant.PerTensor(1, 0),
		{Scale: []float32{1, 1}, ZeroPoint: []int32{0, 0}},
	} {
		for _, kernel := range []Kernel{Fast, Reference} {
			for _, c := range []struct {
				profile Profile
				want    []int8
			}{{LiteRT, []int8{0, 0}}, {TFLM, []int8{1, -1}}} {
				f, err := NewFullyConnected(FullyConnectedSpec{
					Inputs: 1, Outputs: 2,
					Input: quant.PerTensor(.0023456789, 0), Weight: weight, Output: quant.PerTensor(1, 0),
					Profile: c.profile, Kernel: kernel,
				}, []int8{71, -71}, nil)
				if err != nil {
					t.Fatal(err)
				}
				got := make([]int8, 2)
				f.Run(got, []int8{3}, 1)
				if !slices.Equal(got, c.want) {
					t.Errorf("profile %d, kernel %d, %d scales: %v, want %v", c.profile, kernel, len(weight.Scale), got, c.want)
				}
			}
		}
	}
}

// TestFullyConnectedTies multiplies by exactly one half.
func TestFullyConnectedTies(t *testing.T) {
	for _, c := range []struct {
		profile Profile
		want    []int8
	}{{LiteRT, []int8{1, 2, 3, -1, -2, -3}}, {TFLM, []int8{1, 2, 3, 0, -1, -2}}} {
		f, err := NewFullyConnected(FullyConnectedSpec{
			Inputs: 1, Outputs: 6,
			Input: quant.PerTensor(.5, 0), Weight: quant.PerTensor(1, 0), Output: quant.PerTensor(1, 0),
			Profile: c.profile,
		}, []int8{1, 3, 5, -1, -3, -5}, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]int8, 6)
		if f.Run(got, []int8{1}, 1); !slices.Equal(got, c.want) {
			t.Errorf("profile %d: %v, want %v", c.profile, got, c.want)
		}
	}
}

// TestMultiplierPrecision shows where the product of input and weight scale is
// rounded to float32.
func TestMultiplierPrecision(t *testing.T) {
	in, out, weight := quant.PerTensor(.1, 0), quant.PerTensor(.3, 0), float32(.7)
	product := float32(in.Scale[0] * weight)
	rounded := quant.QuantizeMultiplier(float64(product) / float64(out.Scale[0]))
	exact := quant.QuantizeMultiplier(float64(in.Scale[0]) * float64(weight) / float64(out.Scale[0]))
	if rounded == exact {
		t.Fatal("the scales of this test do not tell the rules apart")
	}
	spec := FullyConnectedSpec{Inputs: 1, Outputs: 2, Input: in, Output: out, Weight: quant.PerTensor(weight, 0), Profile: TFLM}
	if r, err := spec.rescaler(); err != nil || r.multipliers[0] != rounded || r.multipliers[1] != rounded {
		t.Errorf("fully connected, per tensor: %v, want %v (%v)", r.multipliers, rounded, err)
	}
	spec.Weight = quant.Params{Scale: []float32{weight, 1}, ZeroPoint: []int32{0, 0}}
	if r, err := spec.rescaler(); err != nil || r.multipliers[0] != exact {
		t.Errorf("fully connected, per channel: %v, want %v (%v)", r.multipliers, exact, err)
	}
	conv, err := NewConv2D(Conv2DSpec{
		Window:  Window{Window: window.Window{Input: [2]int{1, 1}, Output: [2]int{1, 1}, Kernel: [2]int{1, 1}}, Channels: 1},
		Outputs: 1, Input: in, Output: out, Weight: quant.PerTensor(weight, 0),
	}, []int8{1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if conv.rescale.multipliers[0] != exact {
		t.Errorf("convolution, per tensor: %v, want %v", conv.rescale.multipliers, exact)
	}
}

// TestConv2DByHand is small enough to check with a pencil: a 2x2 kernel of
// 1 2 / 3 4 over the codes 1 2 / 3 4 with zero point 1, padded above and left.
func TestConv2DByHand(t *testing.T) {
	for _, kernel := range []Kernel{Fast, Reference} {
		c, err := NewConv2D(Conv2DSpec{
			Window:  Window{Window: window.Window{Input: [2]int{2, 2}, Output: [2]int{2, 2}, Kernel: [2]int{2, 2}, Pad: [2]int{1, 1}}, Channels: 1},
			Outputs: 1,
			Input:   quant.PerTensor(1, 1), Weight: quant.PerTensor(1, 0), Output: quant.PerTensor(.5, -20),
			Kernel: kernel,
		}, []int8{1, 2, 3, 4}, []int32{10})
		if err != nil {
			t.Fatal(err)
		}
		got := make([]int8, 4)
		c.Run(got, []int8{1, 2, 3, 4}, 1)
		// x - 1 is 0 1 / 2 3: sums 0, 4 / 8, 20; plus 10, times 2, minus 20.
		if want := []int8{0, 8, 16, 40}; !slices.Equal(got, want) {
			t.Errorf("kernel %d: %v, want %v", kernel, got, want)
		}
	}
}

func TestErrors(t *testing.T) {
	tensor, weight := quant.PerTensor(1, 0), quant.PerTensor(1, 0)
	window := Window{Window: window.Window{Input: [2]int{3, 3}, Output: [2]int{2, 2}, Kernel: [2]int{2, 2}}, Channels: 2}
	fc := func(edit func(*FullyConnectedSpec), weights, biases int) error {
		s := FullyConnectedSpec{Inputs: 2, Outputs: 3, Input: tensor, Weight: weight, Output: tensor}
		edit(&s)
		_, err := NewFullyConnected(s, make([]int8, weights), make([]int32, biases))
		return err
	}
	conv := func(edit func(*Conv2DSpec)) error {
		s := Conv2DSpec{Window: window, Outputs: 1, Input: tensor, Weight: weight, Output: tensor}
		edit(&s)
		_, err := NewConv2D(s, make([]int8, 8), nil)
		return err
	}
	pool := func(edit func(*PoolSpec)) error {
		s := PoolSpec{Window: window, Quantized: tensor}
		edit(&s)
		_, err := NewMaxPool2D(s)
		return err
	}
	softmax := func(in, out quant.Params, beta float32, depth int) error {
		_, err := NewSoftmax(in, out, beta, depth, LiteRT)
		return err
	}
	requantize := func(in, out quant.Params) error {
		_, err := NewRequantize[int8, uint8](in, out, LiteRT)
		return err
	}
	narrow := func(in quant.Params) error {
		_, err := NewRequantize[int8, int8](in, tensor, XNNPACK)
		return err
	}
	sum := func(in quant.Params) error {
		_, err := NewAdd(ArithmeticSpec{A: in, B: tensor, Output: tensor, Profile: XNNPACK})
		return err
	}
	relu := func(a quant.Activation, in quant.Params) error {
		_, err := NewRelu(a, in, tensor, LiteRT)
		return err
	}
	leaky := func(alpha float32, in quant.Params) error {
		_, err := NewLeakyRelu(alpha, in, tensor, LiteRT)
		return err
	}
	hardSwish := func(in quant.Params) error {
		_, err := NewHardSwish(in, tensor)
		return err
	}
	sigmoid := func(in, out quant.Params) error {
		_, err := NewLogistic(in, out, LiteRT)
		return err
	}
	prelu := func(alpha quant.Params) error {
		_, err := NewPrelu(PreluSpec{Input: tensor, Alpha: alpha, Output: tensor})
		return err
	}
	hybrid := func(weights, biases int, p quant.Params) error {
		_, err := NewHybridFullyConnected(HybridFullyConnectedSpec{Inputs: 2, Outputs: 3, Weight: p}, make([]int8, weights), make([]float32, biases))
		return err
	}
	hybridConv := func(w Window) error {
		_, err := NewHybridConv2D(HybridConv2DSpec{Window: w, Outputs: 1, Weight: weight}, make([]int8, 8), nil)
		return err
	}
	for _, c := range []struct {
		err  error
		want string // "" for no error
	}{
		{fc(func(s *FullyConnectedSpec) {}, 6, 0), ""},
		{fc(func(s *FullyConnectedSpec) {}, 5, 0), "q8: fully connected: 5 weights, want 6 for 3 outputs of 2 inputs"},
		{fc(func(s *FullyConnectedSpec) {}, 6, 2), "2 biases for 3 outputs"},
		{fc(func(s *FullyConnectedSpec) { s.Outputs = 0 }, 0, 0), "0 outputs of 2 inputs"},
		{fc(func(s *FullyConnectedSpec) { s.Input.Scale = []float32{0} }, 6, 0), "input: quant: scale 0 is 0"},
		{fc(func(s *FullyConnectedSpec) { s.Input = quant.Params{} }, 6, 0), "input: quant: 0 scales"},
		{fc(func(s *FullyConnectedSpec) { s.Output = quant.PerTensor(1, 128) }, 6, 0), "zero point 128 of the output is outside [-128, 127]"},
		{fc(func(s *FullyConnectedSpec) { s.Output = quant.Params{Scale: make([]float32, 2)} }, 6, 0), "output has 2 scales"},
		{fc(func(s *FullyConnectedSpec) { s.Weight = quant.PerTensor(1, 300) }, 6, 0), "zero point 300 of the weights"},
		{fc(func(s *FullyConnectedSpec) {
			s.Weight = quant.Params{Scale: []float32{1, 1}, ZeroPoint: []int32{0, 0}}
		}, 6, 0), "2 scales along axis 0"},
		{fc(func(s *FullyConnectedSpec) {
			s.Weight = quant.Params{Scale: []float32{1, 1, 1}, ZeroPoint: []int32{0, 7, 0}}
		}, 6, 0), "zero point 1 of the weights is 7"},
		{fc(func(s *FullyConnectedSpec) { s.Weight.ZeroPoint, s.Profile = []int32{1}, XNNPACK }, 6, 0), "fully connected: XNNPACK takes weights without zero point only"},
		{fc(func(s *FullyConnectedSpec) { s.Input, s.Profile = quant.PerTensor(256, 0), XNNPACK }, 6, 0), "channel 0: XNNPACK takes factors s_x*s_w/s_y in [2^-32, 2^8), not 256"},
		{conv(func(s *Conv2DSpec) {}), ""},
		{conv(func(s *Conv2DSpec) { s.Profile = XNNPACK }), "q8: convolution: XNNPACK takes convolutions with a bias only"},
		{conv(func(s *Conv2DSpec) { s.Weight = quant.PerTensor(1, 1) }), "q8: convolution: zero point 0 of the weights is 1"},
		{conv(func(s *Conv2DSpec) { s.Window.Channels = 0 }), "0 input channels"},
		{conv(func(s *Conv2DSpec) { s.Window.Pad[1] = -1 }), "width: input 3, output 2, kernel 2, stride 1, dilation 1, pad -1"},
		{conv(func(s *Conv2DSpec) { s.Window.Input[0] = 0 }), "height: input 0"},
		{pool(func(s *PoolSpec) {}), ""},
		{pool(func(s *PoolSpec) { s.Window.Pad[0] = 2 }), "q8: pool: a pool needs dilation 1 and an input under every window"},
		{pool(func(s *PoolSpec) { s.Window.Output[1] = 9 }), "input under every window"},
		{pool(func(s *PoolSpec) { s.Window.Dilation[1] = 2 }), "dilation 1"},
		{softmax(tensor, softmaxOutput, 1, 4), ""},
		{softmax(tensor, tensor, 1, 4), "q8: softmax: output has scale 1 and zero point 0, want 1/256 and -128"},
		{softmax(tensor, softmaxOutput, 1, 0), "depth is 0"},
		{softmax(tensor, softmaxOutput, 0, 4), "beta 0 times the input scale 1"},
		{softmax(quant.PerTensor(1e-9, 0), softmaxOutput, 1, 4), "not above 2^-26"},
		{requantize(tensor, quant.PerTensor(1, 255)), ""},
		{narrow(quant.PerTensor(129, 0)), "q8: requantize: XNNPACK takes quotients of scales in [1/256, 128], not 129"},
		{sum(quant.PerTensor(256, 0)), "q8: add: XNNPACK takes quotients of scales below 2^8, not 256"},
		{requantize(tensor, quant.PerTensor(1, -1)), "q8: requantize: zero point -1 of the output is outside [0, 255]"},
		{relu(quant.Relu, tensor), ""},
		{relu(quant.NoActivation, tensor), "q8: relu: no activation"},
		{relu(quant.Relu, quant.PerTensor(-1, 0)), "input: quant: scale 0 is -1"},
		{leaky(-.5, tensor), ""},
		{leaky(float32(math.NaN()), tensor), "q8: leaky relu: alpha is NaN"},
		{leaky(1, quant.PerTensor(1, 300)), "zero point 300 of the input"},
		{hardSwish(quant.PerTensor(127, 0)), ""},
		{hardSwish(quant.PerTensor(128, 0)), "q8: hard swish: input scale 128 is not below 128 times the output scale 1"},
		{hardSwish(quant.PerTensor(0, 0)), "input: quant: scale 0 is 0"},
		{sigmoid(tensor, softmaxOutput), ""},
		{sigmoid(tensor, tensor), "q8: logistic: output has scale 1 and zero point 0, want 0.00390625 and -128"},
		{prelu(tensor), ""},
		{prelu(quant.PerTensor(1, 200)), "q8: prelu: zero point 200 of the alpha"},
		{hybrid(6, 3, weight), ""},
		{hybrid(6, 1, weight), "q8: hybrid fully connected: 1 biases for 3 outputs"},
		{hybrid(6, 0, quant.PerTensor(1, 2)), "zero point 0 of the weights is 2"},
		{hybridConv(window), ""},
		{hybridConv(Window{}), "q8: hybrid convolution: height: input 0"},
	} {
		switch {
		case c.want == "" && c.err != nil:
			t.Errorf("unexpected error %v", c.err)
		case c.want != "" && (c.err == nil || !strings.Contains(c.err.Error(), c.want)):
			t.Errorf("error %v, want %q", c.err, c.want)
		}
	}
}
