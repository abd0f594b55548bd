package posttrain

import "log/slog"

// What makes a calibration doubtful.
const (
	// fewSamples is how many rows a range should rest on at least: the extremes of
	// less are too narrow for what the model will meet.
	fewSamples = 100
	// coarseStep is the greatest step between codes, as a share of the mean
	// magnitude of the values that are not zero: 19 dB of signal to noise for a
	// normal distribution, which has 40 dB in a range of four deviations.
	coarseStep = 0.5
	// unscaled is the greatest magnitude of an input that looks scaled: pixels up
	// to 255 are not, standardized features are.
	unscaled = 64
)

// warn tells log what is doubtful about the ranges that were found.
func (o *observer) warn(log *slog.Logger) error {
	if o.rows < fewSamples {
		log.Warn("few samples to calibrate with: ranges may be too narrow", "samples", o.rows, "enough", fewSamples)
	}
	for _, s := range o.observed {
		lo, hi := s.observer.Extremes().Bounds()
		if s.input && max(-lo, hi) > unscaled {
			log.Warn("input looks unscaled: networks are trained on values near [-1, 1]; use the scaling of training", "tensor", s.quantizer.Name, "min", lo, "max", hi)
		}
		p, err := s.quantizer.Params()
		if err != nil {
			return err
		}
		if m := s.observer.Magnitude(); m > 0 && float64(p.Scale[0]) > coarseStep*m {
			log.Warn("outliers dominate the range: most values share few codes; a percentile or MSE estimator leaves them out",
				"tensor", s.quantizer.Name, "min", lo, "max", hi, "magnitude", float32(m), "step", p.Scale[0])
		}
	}
	return nil
}
