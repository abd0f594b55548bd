// Package digits is a small real data set that needs no download: 1,797 handwritten digits of 8x8 pixels.
//
// The function you want is [Load].
//
//	train, test := digits.Load() // 1,437 and 360 rows, inputs [8, 8, 1] in 0..1, labels 0..9
//
// The images are the test part of the UCI set "Optical Recognition of Handwritten Digits", as packaged by
// scikit-learn. 32x32 bitmaps of preprinted forms were divided into blocks of 4x4, and a pixel counts the dark
// points of its block, 0 to 16. The licence is CC BY 4.0; the file NOTICE credits the authors.
//
// The split is this package's own: at random, stratified by digit, the same for ever. Every one of the 13
// writers occurs on both sides, so the test accuracy says nothing about writers never seen. There is no
// validation part: take one from the training rows with data.SplitStratified.
//
// Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
// Repository, 1998, https://doi.org/10.24432/C50P49.
package digits
