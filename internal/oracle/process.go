package oracle

import (
	"bufio"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os/exec"
	"strings"
	"sync"
)

//go:embed oracle.py
var script string

// process is a Python process running oracle.py, which describes the messages. It ends when the test binary does,
// since that closes its stdin. If LiteRT takes it down, that request is an error and the next one starts anew.
type process struct {
	python string

	mu     sync.Mutex
	cmd    *exec.Cmd // nil when not running
	in     io.WriteCloser
	out    *bufio.Reader
	stderr *tail
}

type request struct {
	Command  string        `json:"command"`
	Resolver string        `json:"resolver"`
	Batch    int           `json:"batch"`
	Model    int           `json:"model"`
	Inputs   []inputHeader `json:"inputs"`
}

type inputHeader struct {
	Type Type `json:"type"`
	Size int  `json:"size"`
}

type response struct {
	Version   string         `json:"version"`
	Error     string         `json:"error"`
	Tensors   []tensorHeader `json:"tensors"`
	Operators []Operator     `json:"operators"`
	Inputs    []int          `json:"inputs"`
	Outputs   []int          `json:"outputs"`
}

type tensorHeader struct {
	Index              int      `json:"index"`
	Name               string   `json:"name"`
	Type               Type     `json:"type"`
	Role               Role     `json:"role"`
	Shape              []int    `json:"shape"`
	Examples           int      `json:"examples"`
	ScaleBits          []uint32 `json:"scale_bits"`
	ZeroPoints         []int    `json:"zero_points"`
	QuantizedDimension int      `json:"quantized_dimension"`
	Size               int      `json:"size"`
}

// start starts Python and waits for its first message.
func (p *process) start() error {
	cmd := exec.Command(p.python, "-c", script)
	in, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("oracle: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("oracle: %w", err)
	}
	words := &tail{}
	cmd.Stderr = words
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("oracle: %w", err)
	}
	p.cmd, p.in, p.out, p.stderr = cmd, in, bufio.NewReaderSize(out, 1<<16), words
	hello, err := p.receive()
	if err != nil {
		return p.bury(err)
	}
	if hello.Version != Version() {
		return p.bury(fmt.Errorf("%s has ai-edge-litert %s, the tests need %s: run `make test`, which renews .venv",
			p.python, hello.Version, Version()))
	}
	return nil
}

// call sends a request and its payload, and returns the answer. An error of LiteRT leaves the process running.
func (p *process) call(req request, payload [][]byte) (Model, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		if err := p.start(); err != nil {
			return Model{}, err
		}
	}
	if err := p.send(req, payload); err != nil {
		return Model{}, p.bury(err)
	}
	answer, err := p.receive()
	if err != nil {
		return Model{}, p.bury(err)
	}
	if answer.Error != "" {
		return Model{}, fmt.Errorf("oracle: %s", strings.TrimSpace(answer.Error))
	}
	m := Model{Operators: answer.Operators, Inputs: answer.Inputs, Outputs: answer.Outputs}
	for _, h := range answer.Tensors {
		t := h.tensor()
		if _, err := io.ReadFull(p.out, t.Data); err != nil {
			return Model{}, p.bury(err)
		}
		m.Tensors = append(m.Tensors, t)
	}
	return m, nil
}

func (p *process) send(req request, payload [][]byte) error {
	text, err := json.Marshal(req)
	if err != nil {
		return err
	}
	head := binary.LittleEndian.AppendUint32(nil, uint32(len(text)))
	for _, block := range append([][]byte{head, text}, payload...) {
		if _, err := p.in.Write(block); err != nil {
			return err
		}
	}
	return nil
}

func (p *process) receive() (response, error) {
	var size [4]byte
	if _, err := io.ReadFull(p.out, size[:]); err != nil {
		return response{}, err
	}
	text := make([]byte, binary.LittleEndian.Uint32(size[:]))
	if _, err := io.ReadFull(p.out, text); err != nil {
		return response{}, err
	}
	var r response
	err := json.Unmarshal(text, &r)
	return r, err
}

// bury ends a process that can no longer be talked to and returns cause with what is known of its end.
func (p *process) bury(cause error) error {
	p.in.Close()
	killed := p.cmd.Process.Kill()
	end := p.cmd.Wait()
	p.cmd = nil
	return fmt.Errorf("oracle: the LiteRT process failed: %w; its last words:\n%s",
		errors.Join(cause, killed, end), p.stderr)
}

func (h tensorHeader) tensor() Tensor {
	t := Tensor{Index: h.Index, Name: h.Name, Type: h.Type, Role: h.Role, Shape: h.Shape, Examples: h.Examples,
		ZeroPoints: h.ZeroPoints, QuantizedDimension: h.QuantizedDimension, Data: make([]byte, h.Size)}
	for _, bits := range h.ScaleBits {
		t.Scales = append(t.Scales, math.Float32frombits(bits))
	}
	return t
}

// tail keeps the last few kilobytes written to it: LiteRT's log, of interest only when the process dies.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	t.text = t.text[max(0, len(t.text)-4096):]
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
