// Package progress shows how far a long computation is: a bar with the time left on a terminal, one plain line
// per epoch everywhere else.
//
// The functions you want are [New] and [Bar.Step].
//
//	bar := progress.New(os.Stderr, progress.Options{})
//	defer bar.Stop() // removes a bar that was left unfinished
//	for epoch := 1; epoch <= epochs; epoch++ {
//		bar.Start(epoch, epochs, steps)
//		for step := 1; step <= steps; step++ {
//			bar.Step(step, "loss 0.41")
//		}
//		bar.EndEpoch("loss 0.40 accuracy 0.89")
//	}
//
// It writes to the writer it is given and nowhere else; a nil writer means silence. A failing writer never
// fails the computation. A Bar belongs to one goroutine.
//
// It formats no metrics and keeps no history.
package progress
