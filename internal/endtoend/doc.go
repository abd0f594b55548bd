// Package endtoend holds the whole module to Google's LiteRT: networks are built,
// trained on real digits, quantized in every way, exported, written, read back
// and run, and every tensor of every file is compared with what LiteRT computes
// from the same bytes. It has tests only and nothing imports it.
//
//	go test -v ./internal/endtoend        # -v shows the measured shares
//
// What is held, and where:
//
//   - litert_test.go: every integer file of every network, tensor by tensor;
//   - float_test.go: float, float16 and dynamic-range files, operator by operator
//     on LiteRT's own inputs, with the codes that LiteRT chooses at run time;
//   - default_test.go: the same files on LiteRT's optimized kernels, by their
//     predictions;
//   - operators_test.go: integer operators one by one, over many geometries, on
//     both sets of kernels, with the table of those allowed to differ;
//   - xnnpack_test.go: the profile of that name gives the optimized kernels' codes;
//   - simulation_test.go: fake quantization predicts the integers;
//   - zoo_test.go: the same for the networks of the zoo in their published shapes;
//   - fold_test.go, repeat_test.go, profile_test.go, refuse_test.go: folding of
//     BatchNorm, equal files from equal seeds, the profiles of the
//     interpreter, faults on the way from network to file.
//
// Without LiteRT (see internal/oracle) the comparisons with it are skipped, by
// name; the rest runs.
package endtoend
