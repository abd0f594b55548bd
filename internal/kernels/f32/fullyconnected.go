package f32

import "github.com/goqat/goqat/quant"

// FullyConnected computes y = act(x * transpose(w) + bias):
//
//	y[b,o] = act(sum over i of x[b,i]*w[o,i] + bias[o])
//
// Shapes: y [batch, out], x [batch, in], w [out, in], bias [out] or nil for zeros.
func FullyConnected(_ *Workspace, batch, in, out int, y, x, w, bias []float32, act quant.Activation) {
	gemmParts(batch, out, in, y, x, w)
	y = y[:batch*out]
	finish(out, y, y, bias, act)
}

// FullyConnectedGradInput computes dx[b,i] = sum over o of dy[b,o]*w[o,i], where dy is the gradient before the
// activation (see [ActivateGrad]). Shapes as in [FullyConnected].
func FullyConnectedGradInput(ws *Workspace, batch, in, out int, dx, dy, w []float32) {
	wT := ws.floats(in * out)
	transposeParts(out, in, wT, w)
	gemmParts(batch, in, out, dx, dy, wT)
}

// FullyConnectedGradWeights computes dw[o,i] = sum over b of dy[b,o]*x[b,i] and, unless dbias is nil, dbias[o] = sum
// over b of dy[b,o]. Shapes as in [FullyConnected].
func FullyConnectedGradWeights(ws *Workspace, batch, in, out int, dw, dbias, x, dy []float32) {
	s := ws.floats(batch * (in + out))
	xT, dyT := s[:batch*in], s[batch*in:]
	transposeParts(batch, in, xT, x)
	transposeParts(batch, out, dyT, dy)
	gemmParts(out, in, batch, dw, dyT, xT)
	if dbias != nil {
		SumRows(ws, batch, out, dbias, dy)
	}
}
