package f32_test

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/f32/kerneltest"
	"github.com/goqat/goqat/internal/kernels/window"
	"github.com/goqat/goqat/quant"
)

// layerCase is a layer and the formulas of its convolution.
type layerCase struct {
	window.Window
	l                   *f32.Layer
	batch, inC, outC, n int // n weights
	forward             func(y, x, w, bias []float32, act quant.Activation)
	gradInput           func(dx, dy, w []float32)
	weightSums          func(bounds []int, dw, x, dy []float32)
}

func convCase(g f32.Conv) layerCase {
	return layerCase{
		Window: g.Window, l: g.Layer(), batch: g.Batch, inC: g.InC, outC: g.OutC, n: g.WeightsLen(),
		forward:    func(y, x, w, bias []float32, act quant.Activation) { kerneltest.Conv2D(g, y, x, w, bias, act) },
		gradInput:  func(dx, dy, w []float32) { kerneltest.Conv2DGradInput(g, dx, dy, w) },
		weightSums: func(bounds []int, dw, x, dy []float32) { kerneltest.ConvWeightSums(g, bounds, dw, x, dy) },
	}
}

func depthwiseCase(g f32.Depthwise) layerCase {
	return layerCase{
		Window: g.Window, l: g.Layer(), batch: g.Batch, inC: g.Channels, outC: g.Channels, n: g.WeightsLen(),
		forward:    func(y, x, w, bias []float32, act quant.Activation) { kerneltest.DepthwiseConv2D(g, y, x, w, bias, act) },
		gradInput:  func(dx, dy, w []float32) { kerneltest.DepthwiseConv2DGradInput(g, dx, dy, w) },
		weightSums: func(bounds []int, dw, x, dy []float32) { kerneltest.DepthwiseWeightSums(g, bounds, dw, x, dy) },
	}
}

// normOf returns a normalization of x with a tail, unless act and rounding are missing, and a mask.
func normOf(r *rand.Rand, x []float32, channels int, act quant.Activation, rounds, frozen bool) *f32.Norm {
	n := f32.NewNorm(channels, 1e-3)
	n.X = x
	kerneltest.Moments(len(x)/channels, channels, n.Mean, n.Variance, x)
	if act != quant.NoActivation || rounds {
		n.Tail, n.Mask = new(f32.Tail), make([]uint8, f32.MaskLen(len(x)))
		n.Tail.Activate(act)
		if rounds {
			n.Tail.Round(0.03, 7, quant.Signed(8, false))
		}
	}
	n.Begin(n.Mean, n.Variance, random(r, channels), random(r, channels), frozen)
	return n
}

// check compares a layer between two normalizations, each of which may be missing, with one pass after the other.
func (c layerCase) check(t tester, ws *f32.Workspace, r *rand.Rand, before, behind, inPlace bool, act quant.Activation, rounds, frozen bool) {
	t.Helper()
	in, out := c.batch*c.Pixels()*c.inC, c.batch*c.Positions()*c.outC
	x, w, bias, gamma, beta := random(r, in), random(r, c.n), random(r, c.outC), random(r, c.inC), random(r, c.inC)
	var a, b *f32.Norm
	input, wantX := x, x
	var wantMask []uint8
	if before {
		a = normOf(r, x, c.inC, act, rounds, frozen)
		a.Begin(a.Mean, a.Variance, gamma, beta, frozen)
		wantX, input = make([]float32, in), nil
		kerneltest.Normalize(in/c.inC, c.inC, wantX, x, a.Mean, a.InvStd, gamma, beta)
		if a.Tail != nil {
			wantMask = make([]uint8, len(a.Mask))
			lo, hi, _ := a.Tail.Run(wantX, wantMask)
			a.Observe = true
			defer func() { equal(t, "bounds", []float32{a.Found.Lo, a.Found.Hi}, []float32{lo, hi}) }()
		}
	}
	y, want := dirty(out), dirty(out)
	mean, variance := dirty(c.outC), dirty(c.outC)
	c.forward(want, wantX, w, bias, quant.Relu6)
	groups := kerneltest.Chunks(c.batch, c.Positions(), c.l.Groups())
	if behind {
		b = normOf(r, y, c.outC, act, rounds, frozen)
		kerneltest.ChunkMoments(groups, c.outC, mean, variance, want)
	}
	c.l.Forward(ws, y, input, w, bias, quant.Relu6, a, b)
	equal(t, "y", y, want)
	if a != nil && !slices.Equal(a.Mask, wantMask) {
		t.Fatalf("mask %v, want %v", a.Mask, wantMask)
	}

	dy, g := random(r, out), dirty(out)
	if behind {
		equal(t, "mean", b.Mean, mean)
		equal(t, "variance", b.Variance, variance)
		scale := random(r, c.outC)
		b.Begin(mean, variance, scale, scale, frozen)
		if b.Mask != nil {
			for i := range b.Mask {
				b.Mask[i] = uint8(r.Uint32())
			}
		}
		b.DY = dy
		passed := slices.Clone(dy)
		if b.Mask != nil {
			f32.FakeQuantizeGrad(passed, dy, b.Mask)
		}
		b.ParamGrads(ws)
		kerneltest.NormalizeInputGrad(out/c.outC, c.outC, g, b.DGamma, b.DBeta, passed, y, mean, b.InvStd, scale)
		if frozen {
			dgamma, dbeta := make([]float32, c.outC), make([]float32, c.outC)
			kerneltest.NormalizeFrozenGrad(out/c.outC, c.outC, g, dgamma, dbeta, passed, y, mean, b.InvStd, scale)
		}
		whole := dirty(out)
		b.GradInput(whole)
		for i, v := range g {
			if v == 0 {
				g[i], whole[i] = 0, whole[i]+0 // frozen statistics subtract zeros, whose sign shows in zeros
			}
		}
		equal(t, "gradient of X", whole, g)
	} else {
		copy(g, dy)
	}
	dx, wantDX := dirty(in), dirty(in)
	dw, wantDW := dirty(c.n), dirty(c.n)
	db, wantDB := dirty(c.outC), dirty(c.outC)
	c.gradInput(wantDX, g, w)
	c.weightSums(groups, wantDW, wantX, g)
	kerneltest.SumChunks(groups, c.outC, wantDB, g)
	if inPlace = inPlace && behind && in == out; inPlace {
		dx = dy
	}
	c.l.Backward(ws, dx, dw, db, input, dy, w, a, b)
	equal(t, "dx", dx, wantDX)
	equal(t, "dw", dw, wantDW)
	equal(t, "dbias", db, wantDB)
	if before {
		passed := slices.Clone(wantDX)
		if a.Mask != nil {
			f32.FakeQuantizeGrad(passed, passed, a.Mask)
		}
		dgamma, dbeta := dirty(c.inC), dirty(c.inC)
		kerneltest.NormalizeParamSums(kerneltest.Chunks(c.batch, c.Pixels(), c.l.Groups()), c.inC, dgamma, dbeta, passed, x, a.Mean, a.InvStd)
		equal(t, "dgamma", a.DGamma, dgamma)
		equal(t, "dbeta", a.DBeta, dbeta)
	}
}

func TestLayer(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	var ws f32.Workspace
	rapid.Check(t, func(t *rapid.T) {
		var c layerCase
		w, batch := drawWindow(t, 12, 5, 3, 3), mostly(t, "batch", 3, 30)
		before, behind := rapid.Bool().Draw(t, "before"), rapid.Bool().Draw(t, "behind")
		channels := func(what string, eights bool) int {
			n := rapid.IntRange(1, 5).Draw(t, what)
			if eights {
				n *= 8
			}
			return n
		}
		switch in, out := channels("input channels", before), channels("output channels", behind); rapid.IntRange(0, 2).Draw(t, "kind") {
		case 0:
			if before != behind {
				in = max(in, out) &^ 7
			}
			c = depthwiseCase(f32.Depthwise{Window: w, Batch: batch, Channels: in, Multiplier: 1})
		case 1:
			c = convCase(f32.Conv{Window: w, Batch: batch, InC: in, OutC: out})
		default:
			c = convCase(f32.Conv{Window: same(w.Input[0], w.Input[1], 1, one), Batch: batch, InC: in, OutC: out})
		}
		c.check(t, &ws, drawRand(t), before, behind, rapid.Bool().Draw(t, "in place"), drawActivation(t),
			rapid.Bool().Draw(t, "rounds"), rapid.Bool().Draw(t, "frozen"))
	})
	for i, c := range []layerCase{ // those of a DS-CNN, in several groups
		convCase(f32.Conv{Window: same(28, 28, 3, [2]int{2, 2}), Batch: 21, InC: 1, OutC: 32}),
		depthwiseCase(f32.Depthwise{Window: same(14, 14, 3, one), Batch: 21, Channels: 32, Multiplier: 1}),
		depthwiseCase(f32.Depthwise{Window: same(14, 14, 5, [2]int{2, 2}), Batch: 21, Channels: 32, Multiplier: 1}),
		convCase(f32.Conv{Window: same(14, 14, 1, one), Batch: 21, InC: 32, OutC: 32}),
	} {
		if c.l.Groups() < 2 {
			t.Errorf("layer %d has one group", i)
		}
		c.check(t, &ws, rand.New(rand.NewPCG(1, uint64(i))), i > 0, true, true, quant.Relu, true, false)
	}
}

// TestNormSpecialValues holds the loops of a normalization and its tail to both one after the other where values are
// infinite, too large for an integer, or no numbers: the layer behind, of a tap of weight 1, leaves them as they are.
func TestNormSpecialValues(t *testing.T) {
	var ws f32.Workspace
	rapid.Check(t, func(t *rapid.T) {
		r, c, rows := drawRand(t), 8*rapid.IntRange(1, 7).Draw(t, "eights"), rapid.IntRange(1, 20).Draw(t, "rows")
		act, rounds := drawActivation(t), rapid.Bool().Draw(t, "rounds")
		x, ones, gamma, beta := random(r, rows*c), make([]float32, c), random(r, c), random(r, c)
		for i := range ones {
			ones[i] = 1
		}
		specials := []float32{float32(math.Inf(1)), float32(math.Inf(-1)), math.MaxFloat32, -math.MaxFloat32, float32(math.NaN())}
		specials = specials[:rapid.IntRange(0, len(specials)).Draw(t, "kinds")]
		for _, v := range specials {
			for range rapid.IntRange(0, 2).Draw(t, "how many") {
				x[r.IntN(len(x))] = v
			}
		}
		n := normOf(r, x, c, act, rounds, true)
		n.Observe = n.Tail != nil && rapid.Bool().Draw(t, "observe")
		n.Begin(beta, ones, gamma, beta, true)
		want, mask := dirty(len(x)), make([]uint8, len(n.Mask))
		kerneltest.Normalize(rows, c, want, x, beta, n.InvStd, gamma, beta)
		var lo, hi float32
		var nan bool
		if n.Tail != nil {
			lo, hi, nan = n.Tail.Run(want, mask)
		}
		for i := range want {
			want[i] += 0 // as sums do
		}
		got := dirty(len(x))
		f32.Depthwise{Window: same(rows, 1, 1, one), Batch: 1, Channels: c, Multiplier: 1}.Layer().Forward(&ws, got, nil, ones, nil, quant.NoActivation, n, nil)
		equal(t, "y", got, want)
		if !slices.Equal(n.Mask, mask) {
			t.Fatalf("mask %v, want %v", n.Mask, mask)
		}
		if n.Observe {
			equal(t, "bounds", []float32{n.Found.Lo, n.Found.Hi}, []float32{lo, hi})
			if n.Found.NaN != nan {
				t.Fatalf("NaN: %v, want %v", n.Found.NaN, nan)
			}
		}
	})
}
