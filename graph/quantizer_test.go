package graph

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/quant"
)

func TestObservedParams(t *testing.T) {
	q := NewObserved("x", quant.Int8().Activations, 0.99)
	if q.Known() || q.Observed().Known() {
		t.Error("a new quantizer knows a range")
	}
	_, err := q.Params()
	want(t, err, `quantizer of tensor "x": range was never observed: calibrate or train first`)

	r := quant.Range{Min: -1, Max: 3, Weight: 1}
	q.SetRange(r)
	if !q.Known() || q.Observed() != r {
		t.Errorf("range is %v", q.Observed())
	}
	p, err := q.Params()
	if err != nil {
		t.Fatal(err)
	}
	scale, zero, err := quant.Asymmetric(-1, 3, quant.Signed(8, false))
	if err != nil || !p.Equal(quant.PerTensor(scale, zero)) {
		t.Errorf("parameters %v, want scale %v and zero point %d (%v)", p, scale, zero, err)
	}
	// The weight is a divisor: half the weight, the same bounds.
	q.SetRange(quant.Range{Min: -0.5, Max: 1.5, Weight: 0.5})
	if half, err := q.Params(); err != nil || !half.Equal(p) {
		t.Errorf("parameters %v, %v", half, err)
	}
	q.Symmetric = true
	if s, err := q.Params(); err != nil || !s.Equal(quant.PerTensor(3.0/127, 0)) {
		t.Errorf("symmetric parameters %v, %v", s, err)
	}
	for _, bad := range []quant.Range{
		{Min: float32(math.NaN()), Max: 1, Weight: 1}, {Min: 0, Max: inf, Weight: 1}, {Min: 2, Max: 1, Weight: 1},
	} {
		q.SetRange(bad)
		_, err := q.Params()
		want(t, err, `quantizer of tensor "x": quant: invalid range`)
	}
	_, err = q.ParamsOf([]float32{1}, []int{1})
	want(t, err, `quantizer of tensor "x": a moving average quantizer does not follow values`)
}

func TestLastValueParams(t *testing.T) {
	q := &Quantizer{Name: "w", Bits: 8, Symmetric: true, Narrow: true, Axis: 0, Source: LastValue}
	values, shape := []float32{1, -2, 0, 0, 127, 3}, []int{3, 2}
	p, err := q.ParamsOf(values, shape)
	if err != nil {
		t.Fatal(err)
	}
	plain := quant.Params{Scale: []float32{2.0 / 127, quant.FloorScale, 1}, ZeroPoint: []int32{0, 0, 0}}
	if diff := cmp.Diff(plain, p); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	q.MinScale = []float32{0.5, 0, 0.25}
	if p, err = q.ParamsOf(values, shape); err != nil {
		t.Fatal(err)
	}
	plain.Scale[0] = 0.5
	if diff := cmp.Diff(plain, p); diff != "" {
		t.Errorf("with least scales (-want +got):\n%s", diff)
	}
	q.MinScale = []float32{1}
	_, err = q.ParamsOf(values, shape)
	want(t, err, `quantizer of tensor "w": 1 least scales for 3 scales`)
	values[1] = inf
	_, err = q.ParamsOf(values, shape)
	want(t, err, `quantizer of tensor "w": quant: value 1 is +Inf`)
	if q.Known() {
		t.Error("parameters that follow values are not stored")
	}
	_, err = q.Params()
	want(t, err, `quantizer of tensor "w": a last value quantizer has no stored parameters`)
}

// TestLastValueOfConstants: data that is no weights has the parameters that an
// activation of its range would have, so that a number keeps its value.
func TestLastValueOfConstants(t *testing.T) {
	q := &Quantizer{Name: "c", Bits: 8, Axis: -1, Source: LastValue}
	for _, c := range []struct {
		values []float32
		want   quant.Params
	}{
		{[]float32{-1, 0.5, 1.55}, quant.PerTensor(2.55/255, -28)},
		{[]float32{3}, quant.PerTensor(3.0/255, -128)},
		{[]float32{-3}, quant.PerTensor(3.0/255, 127)},
		{[]float32{0, 0}, quant.PerTensor(quant.FloorScale, 0)},
	} {
		p, err := q.ParamsOf(c.values, []int{len(c.values)})
		if err != nil || !p.Equal(c.want) {
			t.Errorf("%v: %v, %v, want %v", c.values, p, err, c.want)
		}
	}
	_, err := q.ParamsOf([]float32{inf}, []int{1})
	want(t, err, `quantizer of tensor "c": quant: value 0 is +Inf`)
}

func TestFixedParams(t *testing.T) {
	p := quant.PerTensor(1.0/256, -128)
	q := &Quantizer{Name: "softmax", Bits: 8, Source: Fixed, FixedParams: &p}
	if got, err := q.Params(); err != nil || !got.Equal(p) || !q.Known() {
		t.Errorf("parameters %v, %v, known %v", got, err, q.Known())
	}
	if g := q.Grid(); g != (quant.Grid{Min: -128, Max: 127}) {
		t.Errorf("codes %v", g)
	}
}
