// Package samples opens the rows that a model is calibrated with, whatever form
// they have.
//
// The function you want is [Open]:
//
//	rows, err := samples.Open("photos", model.Inputs[0], samples.Options{Rows: 500})
//
// It knows IDX directories, NPY and NPZ arrays, CSV tables, folders of WAV files
// and directories of PNG and JPEG images by what they are called and hold.
package samples
