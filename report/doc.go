// Package report compares model files on one test set: accuracy, paired
// differences with confidence intervals, sizes and agreement.
//
// The functions you want are [Compare], which turns predictions into rows, and
// [WriteTable], which prints them:
//
//	rows, err := report.Compare(labels, entries, "float32")
//	err = report.WriteTable(os.Stdout, rows)
//
// The package runs no models; predictions are given to it.
package report
