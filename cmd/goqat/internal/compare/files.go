package compare

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/tflite"
)

// file is a model on the disk.
type file struct {
	name  string // of the row
	path  string
	bytes int64
}

// writeAll writes every model to dir.
func writeAll(dir string, models []model) ([]file, error) {
	var files []file
	for _, m := range models {
		path := filepath.Join(dir, m.file)
		if err := tflite.WriteFile(path, m.graph); err != nil {
			return nil, err
		}
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		files = append(files, file{m.row, path, info.Size()})
	}
	return files, nil
}

// judge reads the file back and has the task judge it.
func (f file) judge(ctx context.Context, t task, lessons, test data.Dataset, progress io.Writer) (judgement, error) {
	g, err := tflite.ReadFile(f.path)
	if err != nil {
		return judgement{}, err
	}
	j, err := t.judge(ctx, g, lessons, test, Progress{progress, "evaluate " + f.name})
	if err != nil {
		return judgement{}, fmt.Errorf("%s: %w", f.path, err)
	}
	return j, nil
}
