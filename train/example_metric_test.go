package train_test

import (
	"context"
	"fmt"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/train"
)

// A rare class is missed until its rows weigh more. Metrics stay without
// weights, and a confusion matrix shows who is taken for whom.
func ExampleFitConfig_classWeight() {
	if err := rareClass(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// without weights
	// class      usual   rare  recall
	// usual         40      0   1.000
	// rare           4      0   0.000
	// precision  0.909  0.000   0.909
	//
	// a rare row counts as ten
	// class      usual   rare  recall
	// usual         31      9   0.775
	// rare           0      4   1.000
	// precision  1.000  0.308   0.795
}

func rareClass(ctx context.Context) error {
	// 40 usual rows from 0 to 3.9, and 4 rare ones among those from 3 up.
	var x, y []float32
	for i := range 40 {
		x, y = append(x, float32(i)/10), append(y, 0)
	}
	for i := range 4 {
		x, y = append(x, 3.2+float32(i)/5), append(y, 1)
	}
	ds, err := data.NewMemory(data.Arrays{InputShape: []int{1}, X: x, Y: y, Classes: 2})
	if err != nil {
		return err
	}
	for _, c := range []struct {
		title  string
		weight map[int]float32
	}{{"without weights", nil}, {"a rare row counts as ten", map[int]float32{1: 10}}} {
		net, err := layers.Sequential{layers.Dense{Units: 1}}.Build(layers.Input{1}, 1)
		if err != nil {
			return err
		}
		m, err := train.Compile(net, train.Config{
			Optimizer: train.Adam{LearningRate: 0.05},
			Loss:      train.BinaryCrossentropy{FromLogits: true},
			Metrics:   []train.Metric{train.ConfusionMatrix{}, train.Recall{}, train.AUC{}},
			BatchSize: 44,
		})
		if err != nil {
			return err
		}
		defer m.Close()
		if _, err := m.Fit(ctx, ds, train.FitConfig{Epochs: 400, ClassWeight: c.weight}); err != nil {
			return err
		}
		scores, err := m.Evaluate(ctx, ds)
		if err != nil {
			return err
		}
		fmt.Println(c.title)
		fmt.Println(scores.Confusion().Table([]string{"usual", "rare"}))
	}
	return nil
}
