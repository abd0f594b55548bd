// Package images reads directories of PNG and JPEG files.
//
// The function you want is [Open], and [data.Split] behind it:
//
//	photos, err := images.Open("photos", images.Options{}) // photos/cat/1.png, photos/dog/1.jpg, ...
//	train, test, err := data.SplitStratified(photos, 0.8, seed)
//
// It does not resize, crop or turn images: all have one size. What varies them
// while training is data.Augment.
package images
