// Package atomicfile writes a file completely or not at all.
//
// The functions you want are [Write], which hands a buffered writer to a function, and [WriteBytes].
//
//	err := atomicfile.Write("model.tflite", func(w io.Writer) error {
//		return encode(w, model)
//	})
//
// The content goes to a temporary file in the same directory, is flushed to the disk, and takes the name in
// one rename: a reader sees the old file or the new one, and after an error, a full disk or a crash the old
// one is still there.
//
// It does not lock: of two writers the last one to finish wins. It does not create directories.
package atomicfile
