// Package feed passes the rows of a data set to a network batch by batch, and
// shows how far it is.
//
// The function you want is [Batches]:
//
//	err := feed.Batches(ctx, g, samples, feed.Options{Rows: 100}, func(index []int, x []float32) error {
//		_, err := ip.RunFloat(x)
//		return err
//	})
//
// It does not run the network; targets are not read out.
package feed
