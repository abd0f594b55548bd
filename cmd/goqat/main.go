// Command goqat trains small networks, quantizes them and works with .tflite
// files. See `goqat -h`.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// started is when the program was, as far as it can tell.
var started = time.Now()

func main() { os.Exit(interruptible(os.Args[1:], os.Stdout, os.Stderr)) }

// interruptible runs a command line until it ends or the user has had enough.
// After the first Ctrl-C commands clean up; the second one kills.
func interruptible(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return execute(&session{ctx, os.Stdin, stdout, stderr}, args)
}

// session is what a command has to do with the world.
type session struct {
	ctx            context.Context
	stdin          io.Reader // answers to questions
	stdout, stderr io.Writer // results; progress and messages
}

// Exit codes.
const (
	succeeded = iota
	failed
	misused
)

// commands is the command line.
type commands struct {
	Advise           adviseCommand   `cmd:"" help:"Choose how to quantize, by a few questions or by measuring."`
	Bench            benchCommand    `cmd:"" help:"Measure speed on this machine."`
	CalibrationSweep sweepCommand    `cmd:"" help:"Measure accuracy against the number of rows to calibrate with."`
	Compare          compareCommand  `cmd:"" help:"Train a network, quantize it in every way, and compare the files on test data."`
	Debug            debugCommand    `cmd:"" help:"Show where a quantized network loses: tensor by tensor, layer by layer."`
	Eval             evalCommand     `cmd:"" help:"Measure the accuracy of a .tflite file on test data."`
	Inspect          inspectCommand  `cmd:"" help:"Show what is in a .tflite file and what its bytes are spent on."`
	Quantize         quantizeCommand `cmd:"" help:"Quantize a float .tflite file after training."`
	Run              runCommand      `cmd:"" help:"Run a .tflite file on an array and write the output."`
	Version          versionCommand  `cmd:"" help:"Show the version."`
}

const about = "Trains small networks, quantizes them while training or afterwards, and works with .tflite files. " +
	"Results go to standard output, everything else to standard error. Flags may have one dash or two. Exit codes: 0 success, 1 failure, 2 wrong usage."

// execute runs one command line and returns the exit code.
func execute(s *session, args []string) int {
	helped := false
	out, code := s.stdout, succeeded
	if len(args) == 0 {
		args, out, code = []string{"-h"}, s.stderr, misused
	}
	parser, err := kong.New(&commands{},
		kong.Name("goqat"), kong.Description(about),
		kong.Writers(out, s.stderr),
		kong.Vars{"nets": strings.Join(networkNames(), ", ")},
		kong.Exit(func(int) { helped = true }), // kong goes on after -h
		kong.ConfigureHelp(kong.HelpOptions{NoExpandSubcommands: true}),
	)
	if err != nil {
		return s.fail(err)
	}
	command, err := parser.Parse(longFlags(args))
	if helped {
		return code
	}
	if err != nil {
		fmt.Fprintf(s.stderr, "goqat: %v\nRun goqat -h, or goqat COMMAND -h, for help.\n", err)
		return misused
	}
	if err := command.Run(s); err != nil {
		return s.fail(err)
	}
	return succeeded
}

// fail reports an error.
func (s *session) fail(err error) int {
	if errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	fmt.Fprintf(s.stderr, "goqat: %v\n", err)
	return failed
}

// oneDash matches flags that are written with one dash, as in -data.
var oneDash = regexp.MustCompile(`^-[a-z][a-z0-9-]+(=|$)`)

// negative matches numbers below zero, which look like flags.
var negative = regexp.MustCompile(`^-[.0-9]`)

// longFlags gives flags of several letters a second dash: -data and --data are
// the same. Their negative values are tied to them. Arguments after -- are left
// alone.
func longFlags(args []string) []string {
	var long []string
	for i, a := range args {
		if a == "--" {
			return append(long, args[i:]...)
		}
		if oneDash.MatchString(a) {
			a = "-" + a
		}
		if last := len(long) - 1; negative.MatchString(a) && last >= 0 && strings.HasPrefix(long[last], "--") && !strings.Contains(long[last], "=") {
			long[last] += "=" + a
			continue
		}
		long = append(long, a)
	}
	return long
}

// versionCommand is `goqat version`.
type versionCommand struct{}

// Run prints the version that the Go command recorded.
func (versionCommand) Run(s *session) error {
	version := "(devel)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		version = info.Main.Version
	}
	_, err := fmt.Fprintf(s.stdout, "goqat %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
