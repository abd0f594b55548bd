package f32

import "github.com/goqat/goqat/internal/kernels/window"

var one = [2]int{1, 1}

// Conv is the geometry of a 2-D convolution. In shapes and formulas InH stands for Input[0], InW for Input[1], and so on.
type Conv struct {
	window.Window
	Batch, InC, OutC int
}

// InputLen is the number of elements of the input [Batch, InH, InW, InC].
func (g Conv) InputLen() int { return g.Batch * g.Pixels() * g.InC }

// OutputLen is the number of elements of the output [Batch, OutH, OutW, OutC].
func (g Conv) OutputLen() int { return g.rows() * g.OutC }

// WeightsLen is the number of elements of the weights [OutC, KernelH, KernelW, InC].
func (g Conv) WeightsLen() int { return g.OutC * g.depth() }

// rows is the number of output pixels of the batch, numbered in row-major order of [Batch, OutH, OutW].
func (g Conv) rows() int { return g.Batch * g.Positions() }

// depth is the number of products summed into one output element.
func (g Conv) depth() int { return g.Taps() * g.InC }

// Depthwise is the geometry of a 2-D convolution of every channel by itself, with Multiplier kernels each. Output channel o
// belongs to input channel o/Multiplier.
type Depthwise struct {
	window.Window
	Batch, Channels, Multiplier int
}

// OutC is the number of output channels.
func (g *Depthwise) OutC() int { return g.Channels * g.Multiplier }

// InputLen is the number of elements of the input [Batch, InH, InW, Channels].
func (g *Depthwise) InputLen() int { return g.Batch * g.Pixels() * g.Channels }

// OutputLen is the number of elements of the output [Batch, OutH, OutW, OutC].
func (g *Depthwise) OutputLen() int { return g.Batch * g.Positions() * g.OutC() }

// WeightsLen is the number of elements of the weights [KernelH, KernelW, OutC].
func (g *Depthwise) WeightsLen() int { return g.Taps() * g.OutC() }

// GradChunks is the number of chunks of output rows (numbered as y is laid out, divided as by parallel.Range) whose
// contributions to the gradient of the weights are summed separately and then added in order.
func (g *Depthwise) GradChunks() int { return split(g.outRows(), g.rowCost()) }

// outRows is the number of output rows of the batch, numbered in row-major order of [Batch, OutH].
func (g *Depthwise) outRows() int { return g.Batch * g.Output[0] }

// rowCost is the number of products summed into one output row.
func (g *Depthwise) rowCost() int { return g.Output[1] * g.WeightsLen() }

// Pool is the geometry of a 2-D pooling. Dilations are 1, and every window has a tap inside the image.
type Pool struct {
	window.Window
	Batch, Channels int
}

// InputLen is the number of elements of the input [Batch, InH, InW, Channels].
func (g Pool) InputLen() int { return g.Batch * g.Pixels() * g.Channels }

// OutputLen is the number of elements of the output [Batch, OutH, OutW, Channels].
func (g Pool) OutputLen() int { return g.Batch * g.Positions() * g.Channels }
