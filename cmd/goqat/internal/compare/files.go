package compare

import (
	"context"
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

// predict reads the file back and returns a class for each row.
func (f file) predict(ctx context.Context, ds data.Dataset, progress io.Writer) ([]int, error) {
	g, err := tflite.ReadFile(f.path)
	if err != nil {
		return nil, err
	}
	return Predict(ctx, g, ds, Progress{progress, "evaluate " + f.name})
}
