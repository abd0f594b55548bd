package importer

import (
	"errors"
	"fmt"
	"slices"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/operators"
)

// dilationStart is the first operator of a dilated convolution, as some
// converters write it.
const dilationStart = "SPACE_TO_BATCH_ND"

// dilation reads the run of operators
//
//	SPACE_TO_BATCH_ND, CONV_2D or DEPTHWISE_CONV_2D, BATCH_TO_SPACE_ND
//
// as one dilated convolution. The first and the last deal a padded image out to
// as many smaller ones as a block has places, so that neighbours are a block
// apart, and back. For series there are EXPAND_DIMS or RESHAPE in front of the
// convolution and RESHAPE or SQUEEZE behind it.
//
// Shapes: with paddings p and crops c along an axis, the image is padded by p-c,
// and nothing is cropped.
func (s *site) dilation() (count int, err error) {
	run, err := s.dilationRun()
	if err != nil {
		return 1, err
	}
	x, conv, last := s.inputs[0], run[len(run)/2], run[len(run)-1]
	pads, block, err := s.blocks(last, len(x.Shape))
	if err != nil {
		return 1, err
	}
	inputs := slices.Clone(conv.inputs)
	w := inputs[graph.InputWeights]
	if w == nil || len(w.Shape) != 4 {
		return 1, errors.New("weights without four axes")
	}
	series := len(x.Shape) == 3
	if series {
		if x, err = last.add(reshaped([]int{1, 1, x.Shape[1], x.Shape[2]}), x); err != nil {
			return 1, err
		}
	}
	inputs[graph.InputX] = x
	op, _, err := operators.ByName(conv.name).Read(operators.Source{Inputs: inputs, Kind: conv.o.Kind, Table: conv.o.Options})
	if err != nil {
		return 1, err
	}
	op, padded, err := dilated(op, [2]int(w.Shape[1:3]), block, pads)
	if err != nil {
		return 1, err
	}
	if !padded {
		if x, err = last.add(graph.Pad{Paddings: [][2]int{{}, pads[0], pads[1], {}}}, x); err != nil {
			return 1, err
		}
	}
	inputs[graph.InputX] = x
	if !series {
		return len(run), last.end(0, op, inputs...)
	}
	y, err := last.add(op, inputs...)
	if err != nil {
		return 1, err
	}
	out, err := last.output(0)
	if err != nil {
		return 1, err
	}
	y.Type, y.Quant = out.Type, out.Quant
	return len(run), last.end(0, reshaped([]int{1, y.Shape[2], y.Shape[3]}), y)
}

// dilationRun returns the operators from this one to the BATCH_TO_SPACE_ND: 3, or
// 5 of a series. Each alone reads what the one before computes.
func (s *site) dilationRun() ([]*site, error) {
	run := []*site{s}
	want := [][]string{{"CONV_2D", "DEPTHWISE_CONV_2D"}, {"BATCH_TO_SPACE_ND"}}
	x := s.input(0)
	switch {
	case x != nil && len(x.Shape) == 3:
		want = [][]string{{"EXPAND_DIMS", "RESHAPE"}, want[0], {"RESHAPE", "SQUEEZE"}, want[1]}
	case x == nil || len(x.Shape) != 4:
		return nil, errors.New("not an image or a series")
	}
	for k, names := range want {
		before, i := run[k], s.index+1+k
		if len(before.o.Outputs) != 1 || i >= len(s.b.s.Operators) {
			return nil, errors.New("no convolution follows")
		}
		o, t := &s.b.s.Operators[i], before.o.Outputs[0]
		if o.Code < 0 || o.Code >= len(s.b.f.Codes) || len(o.Inputs) == 0 || o.Inputs[0] != t || s.b.readers(t) != 1 {
			return nil, errors.New("no convolution follows that alone reads the output")
		}
		next := &site{b: s.b, index: i, name: s.b.f.Codes[o.Code].OperatorName(), o: o, start: s.start}
		if !slices.Contains(names, next.name) {
			return nil, fmt.Errorf("%s follows, want %v", next.name, names)
		}
		rest, ok := s.b.list(next.where()+": inputs", o.Inputs[1:])
		if !ok {
			return nil, errors.New("an input of an operator behind it is faulty")
		}
		next.inputs = append([]*graph.Tensor{x}, rest...) // x stands for what is not read
		run = append(run, next)
	}
	if len(run) == 5 && !run[1].heightens() {
		return nil, errors.New("the series does not become an image of height 1")
	}
	if len(run[len(run)/2].inputs) < 2 {
		return nil, errors.New("the convolution has no weights")
	}
	return run, nil
}

// heightens reports whether an EXPAND_DIMS or RESHAPE makes a series [N, T, C] an
// image [N, 1, T, C].
func (s *site) heightens() bool {
	if s.name == "EXPAND_DIMS" {
		a, err := s.axisInput(1, 4)
		return err == nil && a == 1
	}
	shape, err := s.ints(1, "new shape", 1)
	return err == nil && len(shape) == 4 && shape[1] == 1
}

// readers counts the operators that read tensor i, and the ends of the model.
func (b *builder) readers(i int) int {
	if b.uses == nil {
		b.uses = make([]int, len(b.tensors))
		count := func(list []int) {
			for _, t := range list {
				if t >= 0 && t < len(b.uses) {
					b.uses[t]++
				}
			}
		}
		count(b.s.Outputs)
		for k := range b.s.Operators {
			count(b.s.Operators[k].Inputs)
		}
	}
	if i < 0 || i >= len(b.uses) {
		return 0
	}
	return b.uses[i]
}

// blocks returns what an image is padded by and its blocks, [height, width], given
// the BATCH_TO_SPACE_ND and the axes of the input.
func (s *site) blocks(last *site, rank int) (pads [2][2]int, block [2]int, err error) {
	var lists [4][]int
	for i, from := range []*site{s, s, last, last} {
		if lists[i], err = from.ints(1+i%2, [...]string{"block", "paddings", "block", "crops"}[i], 1+i%2); err != nil {
			return pads, block, err
		}
	}
	n := rank - 2
	if len(lists[0]) != n || len(lists[1]) != 2*n || len(lists[3]) != 2*n || !slices.Equal(lists[0], lists[2]) {
		return pads, block, fmt.Errorf("blocks %v and %v, paddings %v, crops %v", lists[0], lists[2], lists[1], lists[3])
	}
	block = [2]int{1, 1}
	for i, size := range lists[0] {
		at := 2 - n + i
		block[at] = size
		for side := range 2 {
			pads[at][side] = lists[1][2*i+side] - lists[3][2*i+side]
		}
	}
	if min(block[0], block[1], pads[0][0], pads[0][1], pads[1][0], pads[1][1]) < 0 {
		return pads, block, fmt.Errorf("paddings %v are less than crops %v", lists[1], lists[3])
	}
	return pads, block, nil
}

// dilated returns a convolution of neighbouring pixels as one of pixels a block
// apart. It pads by itself if the padding is that of SAME, or none.
func dilated(op graph.Op, kernel, block [2]int, pads [2][2]int) (_ graph.Op, padded bool, err error) {
	padding := graph.Valid
	if padded = pads == [2][2]int{}; !padded {
		padded = true
		for i, k := range kernel {
			total := (k - 1) * block[i]
			padded = padded && pads[i] == [2]int{total / 2, total - total/2}
		}
		if padded {
			padding = graph.Same
		}
	}
	one := [4]int{1, 1, 1, 1}
	switch o := op.(type) {
	case graph.Conv2D:
		if o.Padding == graph.Valid && one == [4]int{o.StrideH, o.StrideW, o.DilationH, o.DilationW} {
			o.Padding, o.DilationH, o.DilationW = padding, block[0], block[1]
			return o, padded, nil
		}
	case graph.DepthwiseConv2D:
		if o.Padding == graph.Valid && one == [4]int{o.StrideH, o.StrideW, o.DilationH, o.DilationW} {
			o.Padding, o.DilationH, o.DilationW = padding, block[0], block[1]
			return o, padded, nil
		}
	}
	return nil, false, errors.New("the convolution pads, strides or dilates by itself")
}
