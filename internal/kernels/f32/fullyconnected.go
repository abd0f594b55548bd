package f32

import "github.com/goqat/goqat/quant"

// FullyConnected computes y = act(x * transpose(w) + bias):
//
//	y[b,o] = act(sum over i of x[b,i]*w[o,i] + bias[o])
//
// Shapes: y [batch, out], x [batch, in], w [out, in], bias [out] or nil for zeros.
func FullyConnected(ws *Workspace, batch, in, out int, y, x, w, bias []float32, act quant.Activation) {
	if batch < out { // transpose the smaller operand
		s := ws.floats(batch * (in + out))
		xT, yT := s[:batch*in], s[batch*in:]
		transposeParts(batch, in, xT, x)
		gemmParts(out, batch, in, yT, matrix{data: w, row: in, step: 1}, xT, batch)
		transpose(out, batch, y, out, yT, batch)
	} else {
		wT := ws.floats(in * out)
		transposeParts(out, in, wT, w)
		gemmParts(batch, out, in, y, matrix{data: x, row: in, step: 1}, wT, out)
	}
	finishRows(ws, batch, y[:batch*out], bias, act)
}

func finishRows(ws *Workspace, batch int, y, bias []float32, act quant.Activation) {
	e := newEpilogue(act, ws.repeated(0, batch, bias))
	e.finish(y, y)
}

// FullyConnectedGradInput computes dx[b,i] = sum over o of dy[b,o]*w[o,i], where dy is the gradient before the
// activation (see [ActivateGrad]). Shapes as in [FullyConnected].
func FullyConnectedGradInput(_ *Workspace, batch, in, out int, dx, dy, w []float32) {
	gemmParts(batch, in, out, dx, matrix{data: dy, row: out, step: 1}, w, in)
}

// FullyConnectedGradWeights computes dw[o,i] = sum over b of dy[b,o]*x[b,i] and, unless dbias is nil, dbias[o] = sum
// over b of dy[b,o]. Shapes as in [FullyConnected].
func FullyConnectedGradWeights(ws *Workspace, batch, in, out int, dw, dbias, x, dy []float32) {
	gemmParts(out, in, batch, dw, matrix{data: dy, row: 1, step: out}, x, in)
	if dbias != nil {
		SumRows(ws, batch, out, dbias, dy)
	}
}
