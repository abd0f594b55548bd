package quant

import (
	"math"
	"testing"
)

func TestActivations(t *testing.T) {
	infinite := float32(math.Inf(1))
	for a, bounds := range map[Activation][2]float32{
		NoActivation: {-infinite, infinite}, Relu: {0, infinite}, Relu6: {0, 6}, ReluN1To1: {-1, 1},
	} {
		if lo, hi := a.Bounds(); lo != bounds[0] || hi != bounds[1] {
			t.Errorf("%v clamps to [%v, %v], want %v", a, lo, hi, bounds)
		}
		text, err := a.MarshalText()
		var back Activation
		if err != nil || back.UnmarshalText(text) != nil || back != a || string(text) != a.String() {
			t.Errorf("%v is written as %q and read as %v: %v", a, text, back, err)
		}
	}
	if _, err := Activation(9).MarshalText(); err == nil {
		t.Error("an unknown activation was written")
	}
	if err := new(Activation).UnmarshalText([]byte("gelu")); err == nil {
		t.Error("an unknown activation was read")
	}
}

func TestActivationRange(t *testing.T) {
	for _, c := range []struct {
		activation Activation
		scale      float32
		zero       int32
		want       Grid
	}{
		{NoActivation, .1, 3, Grid{Min: -128, Max: 127}},
		{Relu, .1, 3, Grid{Min: 3, Max: 127}},
		{Relu6, .1, 3, Grid{Min: 3, Max: 63}},
		{Relu6, .01, 3, Grid{Min: 3, Max: 127}},
		{Relu6, 4, -128, Grid{Min: -128, Max: -126}}, // 1.5 rounds away from zero
		{ReluN1To1, .4, 3, Grid{Min: 0, Max: 6}},     // so does -2.5
	} {
		if got := c.activation.Range(PerTensor(c.scale, c.zero), Signed(8, false)); got != c.want {
			t.Errorf("activation %d, scale %v, zero point %d: %v, want %v", c.activation, c.scale, c.zero, got, c.want)
		}
	}
}
