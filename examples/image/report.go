package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/examples/internal/score"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite"
)

// report reads the file back and compares it with the float network.
func report(ctx context.Context, w io.Writer, net *graph.Graph, path string, test data.Dataset) error {
	float, err := score.Accuracy(ctx, net, test)
	if err != nil {
		return err
	}
	model, err := tflite.ReadFile(path)
	if err != nil {
		return err
	}
	integer, err := score.Accuracy(ctx, model, test)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%d test images: float32 before QAT %.2f %%, int8 after QAT %.2f %%\n%s: %d bytes, int8 in and out\n",
		test.Len(), 100*float, 100*integer, path, info.Size())
	return err
}
