package f32

import (
	"strings"
	"testing"
)

func TestNewConv(t *testing.T) {
	for _, c := range []struct {
		name       string
		g          Conv
		padding    Padding
		outH, outW int
		top, left  int
		wantErr    string
	}{
		// SAME with stride 2 over an even size pads one element, after the image.
		{"same, stride 2", Conv{Batch: 1, InH: 28, InW: 7, InC: 1, OutC: 1, KernelH: 3, KernelW: 3, StrideH: 2, StrideW: 2}, Same, 14, 4, 0, 1, ""},
		// An even kernel needs three: one before, two after.
		{"same, even kernel", Conv{Batch: 1, InH: 5, InW: 5, InC: 1, OutC: 1, KernelH: 4, KernelW: 2}, Same, 5, 5, 1, 0, ""},
		{"same, dilated", Conv{Batch: 1, InH: 9, InW: 9, InC: 1, OutC: 1, KernelH: 3, KernelW: 3, DilationH: 2, DilationW: 3}, Same, 9, 9, 2, 3, ""},
		{"same, stride above kernel", Conv{Batch: 1, InH: 7, InW: 9, InC: 1, OutC: 1, KernelH: 1, KernelW: 1, StrideH: 3, StrideW: 4}, Same, 3, 3, 0, 0, ""},
		{"valid", Conv{Batch: 1, InH: 28, InW: 9, InC: 1, OutC: 1, KernelH: 3, KernelW: 3, StrideH: 2, DilationW: 2}, Valid, 13, 5, 0, 0, ""},
		{"valid, too small", Conv{Batch: 1, InH: 4, InW: 9, InC: 1, OutC: 1, KernelH: 3, KernelW: 3, DilationH: 2}, Valid, 0, 0, 0, 0, "height: kernel 3 with dilation 2 spans 5 of 4"},
		{"no width", Conv{Batch: 1, InH: 4, InC: 1, OutC: 1, KernelH: 3, KernelW: 3}, Same, 0, 0, 0, 0, "width: input 0, kernel 3"},
		{"no batch", Conv{InH: 4, InW: 4, InC: 1, OutC: 1, KernelH: 3, KernelW: 3}, Same, 0, 0, 0, 0, "batch 0"},
		{"no such padding", Conv{Batch: 1, InH: 4, InW: 4, InC: 1, OutC: 1, KernelH: 3, KernelW: 3}, 7, 0, 0, 0, 0, "unknown padding 7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, err := NewConv(c.g, c.padding)
			if c.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), c.wantErr) {
					t.Fatalf("error %v, want one with %q", err, c.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if g.OutH != c.outH || g.OutW != c.outW || g.PadTop != c.top || g.PadLeft != c.left {
				t.Errorf("output %dx%d, padding %d, %d before; want %dx%d, %d, %d", g.OutH, g.OutW, g.PadTop, g.PadLeft, c.outH, c.outW, c.top, c.left)
			}
		})
	}
}

func TestNewPool(t *testing.T) {
	g, err := NewPool(Pool{Batch: 1, InH: 7, InW: 8, Channels: 1, KernelH: 2, KernelW: 3}, Valid)
	if err != nil || g.OutH != 3 || g.OutW != 2 || g.StrideH != 2 || g.StrideW != 3 {
		t.Errorf("%+v, %v; want 3x2 with the kernel as stride", g, err)
	}
	for _, c := range []struct {
		g    Pool
		want string
	}{
		{Pool{Batch: 1, InH: 4, InW: 4, KernelH: 2, KernelW: 2}, "0 channels"},
		{Pool{Batch: 1, InH: 4, InW: 4, Channels: 1, KernelW: 2}, "height: input 4, kernel 0"},
		{Pool{Batch: 1, InH: 4, InW: 4, Channels: 1, KernelH: 2, KernelW: 5}, "width: kernel 5"},
	} {
		if _, err := NewPool(c.g, Valid); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
}
