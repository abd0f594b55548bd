package progress_test

import (
	"os"
	"time"

	"github.com/goqat/goqat/internal/progress"
)

func ExampleBar() {
	bar := progress.New(os.Stdout, progress.Options{
		Mode: progress.Plain,
		Now:  func() time.Time { return time.Time{} }, // stands still: the output is checked
	})
	defer bar.Stop()
	for epoch := 1; epoch <= 2; epoch++ {
		bar.Start(epoch, 2, 10)
		for step := 1; step <= 10; step++ {
			bar.Step(step, "loss 0.41")
		}
		bar.EndEpoch("loss 0.40 accuracy 0.89")
	}
	// Output:
	// epoch 1/2: loss 0.40 accuracy 0.89 (0.0s)
	// epoch 2/2: loss 0.40 accuracy 0.89 (0.0s)
}
