package train

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goqat/goqat/train/internal/nodes"
)

// Executor says what runs the Gorgonia graph of a step. Both give the same
// bits.
type Executor uint8

const (
	// OwnVM is goqat's implementation of gorgonia.VM: no allocation per step.
	OwnVM Executor = iota
	// TapeMachine is Gorgonia's reference machine.
	TapeMachine
)

// executors maps the public names to the compiled step's.
var executors = map[Executor]nodes.Executor{OwnVM: nodes.Fast, TapeMachine: nodes.Tape}

// Config says how a graph is trained.
type Config struct {
	Optimizer Optimizer // nil means RMSprop{}, as in Keras
	Loss      Loss      // required
	Metrics   []Metric
	BatchSize int // 0 means 32
	Executor  Executor
}

// withDefaults fills in the defaults and reports every fault.
func (c Config) withDefaults() (Config, error) {
	var faults []error
	if c.Optimizer == nil {
		c.Optimizer = RMSprop{}
	}
	if c.BatchSize == 0 {
		c.BatchSize = 32
	}
	if c.BatchSize < 0 {
		faults = append(faults, fmt.Errorf("train: batch size %d is negative", c.BatchSize))
	}
	if c.Loss == nil {
		faults = append(faults, errors.New("train: Config.Loss is missing"))
	}
	if _, known := executors[c.Executor]; !known {
		faults = append(faults, fmt.Errorf("train: unknown executor %d", c.Executor))
	}
	faults = append(faults, c.Optimizer.check(), checkMetrics(c.Metrics))
	return c, errors.Join(faults...)
}

// identity describes what must stay the same for a run to be resumed.
func (c Config) identity() string {
	metrics := ""
	for _, m := range c.Metrics {
		metrics += " " + described(reflect.ValueOf(m))
	}
	return fmt.Sprintf("%s %s metrics%s batch %d", described(reflect.ValueOf(c.Optimizer)), described(reflect.ValueOf(c.Loss)), metrics, c.BatchSize)
}

// described prints a setting by its type and the exported fields that are not
// zero: a field that is added later, with a default of zero, changes nothing.
func described(v reflect.Value) string {
	for v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return fmt.Sprint(v)
	}
	var fields []string
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() && !v.Field(i).IsZero() {
			fields = append(fields, f.Name+":"+described(v.Field(i)))
		}
	}
	return fmt.Sprintf("%v{%s}", v.Type(), strings.Join(fields, " "))
}
