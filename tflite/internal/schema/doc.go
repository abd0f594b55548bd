// Package schema is the FlatBuffers code of the TensorFlow Lite file format:
// accessors and builders generated from tflite.fbs, for package tflite alone.
//
// The two functions you want are [GetRootAsModel] to read and [FinishModelBuffer]
// to finish a file that begins with [ModelStart]:
//
//	m := schema.GetRootAsModel(data, 0)
//	fmt.Println(m.Version(), m.SubgraphsLength())
//
// The accessors trust the bytes: a damaged file makes them panic. Package
// tflite turns that into errors; nothing else may read files with this package.
//
// zschema.go is generated, byte for byte the same each time, by flatc 2.0.8
// (Debian's flatbuffers-compiler): `go generate ./tflite/internal/schema`.
package schema

//go:generate sh -c "flatc --go --gen-onefile --go-namespace schema --filename-suffix '' -o . tflite.fbs && gofmt tflite.go > zschema.go && rm tflite.go"
