package f32

// FullyConnected computes y = act(x * transpose(w) + bias):
//
//	y[b,o] = act(sum over i of x[b,i]*w[o,i] + bias[o])
//
// Shapes: y [batch, out], x [batch, in], w [out, in], bias [out] or nil for zeros.
func FullyConnected(ws *Workspace, batch, in, out int, y, x, w, bias []float32, act Activation) {
	lo, hi := act.Bounds()
	for b := range batch {
		for o := range out {
			var s float32
			for i := range in {
				s += float32(x[b*in+i] * w[o*in+i])
			}
			if bias != nil {
				s += bias[o]
			}
			y[b*out+o] = min(max(s, lo), hi)
		}
	}
}

// FullyConnectedGradInput computes dx[b,i] = sum over o of dy[b,o]*w[o,i], where dy is the gradient before the
// activation (see [ActivateGrad]). Shapes as in [FullyConnected].
func FullyConnectedGradInput(ws *Workspace, batch, in, out int, dx, dy, w []float32) {
	for b := range batch {
		for i := range in {
			var s float32
			for o := range out {
				s += float32(dy[b*out+o] * w[o*in+i])
			}
			dx[b*in+i] = s
		}
	}
}

// FullyConnectedGradWeights computes dw[o,i] = sum over b of dy[b,o]*x[b,i] and, unless dbias is nil, dbias[o] = sum
// over b of dy[b,o]. Shapes as in [FullyConnected].
func FullyConnectedGradWeights(ws *Workspace, batch, in, out int, dw, dbias, x, dy []float32) {
	for o := range out {
		for i := range in {
			var s float32
			for b := range batch {
				s += float32(dy[b*out+o] * x[b*in+i])
			}
			dw[o*in+i] = s
		}
	}
	if dbias != nil {
		SumRows(ws, batch, out, dbias, dy)
	}
}
