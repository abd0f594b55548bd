// Package audio reads WAV files and turns sound into what small networks listen to: log-mel spectrograms and
// mel-frequency cepstral coefficients (MFCC).
//
// The functions you want are [OpenFolder], which makes a data set of a folder of WAV files for each label, and
// [Features.Extract], which computes the features of every row.
//
//	words, err := audio.OpenFolder("words", audio.Folder{Length: 16000}) // words/yes/1.wav, words/no/1.wav, ...
//	ds, err := audio.KeywordSpotting().Extract(words)                    // inputs [49, 10, 1]
//	train, test, err := data.SplitStratified(ds, 0.8, seed)
//
// # Exactness
//
// The definitions are those of TensorFlow and librosa, and the tests hold them to numbers that these projects
// published. Features are computed in float64 and rounded to float32; unlike the rest of the data packages they may
// differ in their last bits between architectures, because the Fourier transform (gonum's) and package math do.
//
// # What it does not do
//
// It does not resample, record or play, and it reads no compressed formats. Cut long recordings into pieces with
// data.Windows.
package audio
