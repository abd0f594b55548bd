// Package u8 reads rows of bytes, as images are stored, as float32:
//
//	scale := u8.NewScale(255)
//	scale.Convert(dst, row) // dst[i] = float32(row[i]) / 255
//
// [Prefetch] asks for the rows after that one, which are in no cache where a set is shuffled.
//
// The package knows neither of rows that are missing nor of other types.
package u8
