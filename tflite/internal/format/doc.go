// Package format decodes .tflite files as they are: a FlatBuffer with buffers,
// operator codes, subgraphs of tensors and operators, options, signatures and
// metadata.
//
// The function you want is [Parse]; [Parser.Options] decodes the options of an
// operator, [OptionTable] writes them.
//
//	f, err := format.Parse(data)
//	for _, o := range f.Subgraphs[0].Operators {
//		fmt.Println(f.Codes[o.Code].OperatorName())
//	}
//
// Every offset is suspect: nothing panics, and no allocation goes far beyond the
// size of the file.
//
// It judges nothing: indices may be wrong and types unknown. It knows the names and
// options of operators, not what they mean.
package format
