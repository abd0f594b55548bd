package graph

// Dropout zeroes each element with probability Rate while training and scales
// the rest by 1/(1-Rate); otherwise it is the identity. Shapes: y as x.
type Dropout struct {
	Rate float32 `json:"rate"`
	// Seed tells the layers of a network apart; the mask also depends on the
	// training seed and step.
	Seed uint64 `json:"seed"`
}

func (Dropout) Name() string { return "DROPOUT" }
func (Dropout) Class() Class { return TrainingOnly }

// Infer implements [Op].
func (Dropout) Infer(in [][]int) ([]int, error) { return elementwise(in) }

// FakeQuant rounds its input to the codes of a quantizer and back. Its gradient
// passes straight through where the code did not saturate. Shapes: y as x.
// Behind a [Mean] or [LeakyRelu] it rounds as [Graph.RoundingOf] says.
//
// Several nodes may point to one quantizer.
type FakeQuant struct {
	Quantizer *Quantizer `json:"-"`
	// Observe lets the node feed the quantizer's range while training and
	// calibrating.
	Observe bool `json:"observe"`
	// Mean says that the input is a mean of codes, which integer kernels round
	// by [quant.FromCodeZero].
	Mean bool `json:"mean,omitempty"`
}

func (FakeQuant) Name() string { return "FAKE_QUANT" }
func (FakeQuant) Class() Class { return TrainingOnly }

// Infer implements [Op].
func (FakeQuant) Infer(in [][]int) ([]int, error) { return elementwise(in) }
