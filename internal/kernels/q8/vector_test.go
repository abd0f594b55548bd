package q8

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/internal/kernels/axes"
	"github.com/goqat/goqat/quant"
)

// This file holds the routines of operators without weights to formulas.

// TestArithmeticOfEqualShapes holds the routines to the formula: the other test
// of kernels mostly has short runs.
func TestArithmeticOfEqualShapes(t *testing.T) { rapid.Check(t, equalShapesConform) }

func FuzzArithmeticOfEqualShapes(f *testing.F) { atEveryLevel(f, equalShapesConform) }

func equalShapesConform(t *rapid.T) {
	spec := ArithmeticSpec{
		A: drawParams(t, "a"), B: drawParams(t, "b"), Output: drawParams(t, "output"),
		Activation: activations.Draw(t, "activation"), Profile: profiles.Draw(t, "profile"),
	}
	n := rapid.IntRange(1, 300).Draw(t, "elements")
	a, b := drawCodes(t, n, "codes of a"), drawCodes(t, n, "codes of b")
	for name, maker := range makers {
		run := func(k Kernel) []int8 {
			spec.Kernel = k
			o, err := maker(spec)
			if err != nil {
				t.Skip(err)
			}
			dst := make([]int8, n)
			o.Run(axes.Broadcast([]int{n}, []int{n}), dst, a, b)
			return dst
		}
		if fast, want := run(Fast), run(Reference); !slices.Equal(fast, want) {
			t.Fatalf("%s\nfast      %v\nreference %v", name, fast, want)
		}
	}
}

func TestPools(t *testing.T) { rapid.Check(t, poolsConform) }

func FuzzPools(f *testing.F) { atEveryLevel(f, poolsConform) }

func poolsConform(t *rapid.T) {
	w := drawWindow(t)
	w.Dilation = [2]int{}
	for axis := range 2 {
		w.Pad[axis] = min(w.Pad[axis], w.Kernel[axis]-1)
		w.Output[axis] = min(w.Output[axis], (w.Input[axis]-1+w.Pad[axis])/max(w.Stride[axis], 1)+1)
	}
	spec := PoolSpec{Window: w, Quantized: drawTensor(t, "tensor"), Activation: activations.Draw(t, "activation")}
	batch := rapid.IntRange(1, 3).Draw(t, "batch")
	w, err := w.checked()
	if err != nil {
		t.Fatal(err)
	}
	src := drawCodes(t, batch*w.inputSize(), "input")
	clamp := spec.Activation.Range(spec.Quantized, GridOf[int8]())
	for name, op := range map[string]struct {
		maker  func(PoolSpec) (*Pool[int8], error)
		reduce func(codes []int8) float64
	}{
		"max": {NewMaxPool2D, func(codes []int8) float64 { return float64(slices.Max(codes)) }},
		"average": {NewAveragePool2D, func(codes []int8) float64 {
			sum := 0
			for _, q := range codes {
				sum += int(q)
			}
			return math.Round(float64(sum) / float64(len(codes))) // exact enough for so few
		}},
	} {
		p, err := op.maker(spec)
		if err != nil {
			t.Fatal(err)
		}
		got, want := make([]int8, batch*w.Positions()*w.Channels), []int8(nil)
		p.Run(got, src, batch)
		for n := range batch {
			for position := range w.Positions() {
				for c := range w.Channels {
					var codes []int8
					w.taps(position, func(_, offset int) { codes = append(codes, src[n*w.inputSize()+offset+c]) })
					want = append(want, int8(clamp.Clamp(int32(op.reduce(codes)))))
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%s pool\ngot  %v\nwant %v", name, got, want)
		}
	}
}

func borderConforms[T Code](t *rapid.T) {
	p := quant.PerTensor(rapid.Float32Range(1e-3, 2).Draw(t, "scale"), rapid.Int32Range(GridOf[T]().Min, GridOf[T]().Max).Draw(t, "zero"))
	x := make([]float32, rapid.IntRange(1, 40).Draw(t, "elements"))
	for i := range x {
		// Ties, neighbors of ties and anything.
		tie := float32(rapid.IntRange(-600, 600).Draw(t, "halves")) / 2 * p.Scale[0]
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			x[i] = tie
		case 1:
			x[i] = math.Nextafter32(tie, float32(math.Inf(1-i%2*2)))
		case 2:
			x[i] = rapid.Float32().Draw(t, "real")
		default:
			x[i] = rapid.SampledFrom([]float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 0, 1e-42}).Draw(t, "extreme")
		}
	}
	profile := profiles.Draw(t, "profile")
	b := NewBorder[T](p, profile)
	got, want := make([]T, len(x)), make([]T, len(x))
	Quantize(want, x, p, profile)
	if b.Quantize(got, x); !slices.Equal(got, want) {
		t.Fatalf("%v\ncodes %v\nwant  %v", x, got, want)
	}
	for i := range got {
		got[i] = T(rapid.Int32().Draw(t, "code"))
	}
	y, values := make([]float32, len(x)), make([]float32, len(x))
	Dequantize(values, got, p)
	if b.Dequantize(y, got); !slices.Equal(y, values) {
		t.Fatalf("%v\nvalues %v\nwant   %v", got, y, values)
	}
}

func FuzzBorder(f *testing.F) {
	atEveryLevel(f, func(t *rapid.T) {
		borderConforms[int8](t)
		borderConforms[uint8](t)
	})
}

func TestBorder(t *testing.T) {
	t.Run("int8", func(t *testing.T) { rapid.Check(t, borderConforms[int8]) })
	t.Run("uint8", func(t *testing.T) { rapid.Check(t, borderConforms[uint8]) })
}

// TestSumsAreUsuallyLinear counts for how many scales one rounding gives the codes
// of sums and differences.
func TestSumsAreUsuallyLinear(t *testing.T) {
	if level.linear == nil {
		t.Skip("no routine")
	}
	const operators = 100
	used := 0
	for i := range operators {
		x := float32(i) / operators
		spec := ArithmeticSpec{A: quant.PerTensor(.03+.04*x, int32(i)), B: quant.PerTensor(.05-.02*x, -128), Output: quant.PerTensor(.05+.01*x, int32(-i)), Activation: quant.Relu}
		maker := NewAdd
		if i%2 > 0 {
			maker = NewSub
		}
		o, err := maker(spec)
		if err != nil {
			t.Fatal(err)
		}
		if len(o.constants) == 5*level.lanes+limitWords {
			used++
		}
	}
	t.Logf("%d of %d", used, operators)
	if used < operators/2 {
		t.Errorf("only %d of %d operators", used, operators)
	}
}

// TestLinearSums holds the proof that one rounding gives the codes of sums and
// differences to all pairs of codes.
func TestLinearSums(t *testing.T) {
	if level.linear == nil {
		t.Skip("no routine")
	}
	linear, all := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		spec := ArithmeticSpec{
			A: drawParams(t, "a"), B: drawParams(t, "b"), Output: drawParams(t, "y"),
			Activation: activations.Draw(t, "activation"),
		}
		maker := rapid.SampledFrom([]func(ArithmeticSpec) (*Arithmetic, error){NewAdd, NewSub}).Draw(t, "operator")
		o, err := maker(spec)
		if err != nil {
			t.Skip(err)
		}
		all++
		if len(o.constants) != 5*level.lanes+limitWords {
			return
		}
		linear++
		got := make([]int8, 1<<16)
		o.Run(outer, got, allCodes(), allCodes())
		y := make([]int8, 256)
		for a := range 256 {
			o.compute(y, slices.Repeat([]int8{int8(a - 128)}, 256), allCodes())
			for b, code := range y {
				if want := o.combine(o.left.of(int8(a-128)), o.right.of(int8(b-128))); code != want || got[a*256+b] != want {
					t.Fatalf("codes %d and %d of %+v: %d, want %d", a-128, b-128, spec, code, want)
				}
			}
		}
	})
	if t.Logf("%d of %d", linear, all); linear < all/3 {
		t.Errorf("only %d of %d operators", linear, all)
	}
}
