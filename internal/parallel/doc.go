// Package parallel runs the parts of a job on all cores without letting the number of cores show in the result.
//
// The two functions you want are [Parts], which chooses how many parts a job has from its shape alone, and [For], which
// runs them:
//
//	parts := parallel.Parts(rows, 64, parallel.MaxParts)
//	parallel.For(parts, func(p int) {
//		lo, hi := parallel.Range(rows, parts, p)
//		for r := lo; r < hi; r++ {
//			sum[r] = rowSum(x, r)
//		}
//	})
//
// The result does not depend on GOMAXPROCS as long as each part writes only its own output and the number of parts
// depends on shapes only. A reduction keeps one partial result per part and adds them in part order afterwards.
//
// [Background] is for work beside all that, such as reading the next batch. [Pace] is for long runs of equal steps: it
// notices when other cores do more harm than good.
//
// The package has no pool to start or close, no priorities and no cancellation: a job is expected to take
// milliseconds. A job of one part never leaves the calling goroutine. Handing a part to another one costs a fraction of
// a microsecond while jobs follow each other, since helpers look out for the next one for a while, and up to a tenth of
// a millisecond after a pause, when they have ended and the system has to wake a core.
package parallel
