package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
)

// warnings returns a logger that writes a line for people:
//
//	warning: few samples to calibrate with (samples 10, enough 100)
func warnings(w io.Writer) *slog.Logger { return slog.New(liner{w, nil}) }

// liner is a [slog.Handler].
type liner struct {
	w     io.Writer
	attrs []slog.Attr
}

func (liner) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

func (l liner) WithAttrs(attrs []slog.Attr) slog.Handler {
	return liner{l.w, append(l.attrs[:len(l.attrs):len(l.attrs)], attrs...)}
}

func (l liner) WithGroup(string) slog.Handler { return l } // names are clear without

func (l liner) Handle(_ context.Context, r slog.Record) error {
	line, separator := r.Message, " ("
	if r.Level >= slog.LevelWarn {
		line = "warning: " + line
	}
	add := func(a slog.Attr) bool {
		value := a.Value.String()
		if a.Value.Kind() == slog.KindFloat64 {
			value = fmt.Sprintf("%.4g", a.Value.Float64())
		}
		line += separator + a.Key + " " + value
		separator = ", "
		return true
	}
	for _, a := range l.attrs {
		add(a)
	}
	if r.Attrs(add); separator == ", " {
		line += ")"
	}
	_, err := fmt.Fprintln(l.w, line)
	return err
}
