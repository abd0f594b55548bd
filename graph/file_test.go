package graph

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/quant"
)

func encode(t testing.TB, f *File) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := EncodeFile(&b, f); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// shown is what two equal graphs have in common, addresses aside.
type shown struct {
	Text       string
	Recipe     *quant.Recipe
	Tensors    []Tensor
	Nodes      []Node
	Quantizers []Quantizer
}

func show(g *Graph) shown {
	s := shown{Text: g.String(), Recipe: g.Recipe}
	for _, t := range g.allTensors() {
		s.Tensors = append(s.Tensors, *t)
	}
	for _, n := range g.Nodes {
		s.Nodes = append(s.Nodes, *n)
	}
	for _, q := range g.Quantizers() {
		s.Quantizers = append(s.Quantizers, *q)
	}
	return s
}

func TestSaveLoad(t *testing.T) {
	for name, g := range map[string]*Graph{"float": floatNet(t), "quant": quantNet(t), "integer": integerNet(t)} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "net.safetensors")
			if err := Save(path, g); err != nil {
				t.Fatal(err)
			}
			got, err := Load(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(show(g), show(got)); diff != "" {
				t.Errorf("loaded graph differs (-saved +loaded):\n%s", diff)
			}
			saved, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(saved, encode(t, &File{Graph: got})) {
				t.Error("saving the loaded graph gives other bytes")
			}
		})
	}
}

func TestLoadSharesQuantizers(t *testing.T) {
	got, err := Decode(bytes.NewReader(encode(t, &File{Graph: quantNet(t)})))
	if err != nil {
		t.Fatal(err)
	}
	a := got.Nodes[0].Op.(FakeQuant).Quantizer
	b := got.Nodes[2].Op.(FakeQuant).Quantizer
	if a != b {
		t.Error("the two nodes of a shared quantizer have two")
	}
	a.SetRange(quant.Range{Min: -9, Max: 9, Weight: 1})
	if got := got.Variables(); got[len(got)-2].Float32s()[1] != 9 {
		t.Error("the range is not the variable of the quantizer")
	}
}

func TestExtras(t *testing.T) {
	f := &File{
		Graph:    floatNet(t),
		Metadata: map[string]string{"step": "17", "note": "line\n\"quoted\" <&> \u2028 é"},
		Tensors: []*Tensor{
			{Name: "adam/m", Type: Float32, Role: Constant, Shape: []int{2}, Data: []float32{inf, -0.5}},
			{Name: "codes", Type: Int8, Role: Constant, Shape: []int{3}, Data: []int8{-128, 0, 127}},
			{Name: "half", Type: Float16, Role: Constant, Shape: []int{1}, Data: []uint16{0x3c00}},
			{Name: "image", Type: UInt8, Role: Constant, Shape: []int{1, 1}, Data: []uint8{255}},
			{Name: "scalar", Type: Int16, Role: Constant, Shape: []int{}, Data: []int16{-2}},
			{Name: "seen", Type: Int64, Role: Constant, Shape: []int{1}, Data: []int64{-1 << 63}},
		},
	}
	// "image" is also the graph's input, which has no data: no clash.
	got, err := DecodeFile(bytes.NewReader(encode(t, f)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(f.Metadata, got.Metadata); diff != "" {
		t.Errorf("metadata (-saved +loaded):\n%s", diff)
	}
	byName := map[string]*Tensor{}
	for _, x := range got.Tensors {
		byName[x.Name] = x
	}
	for _, x := range f.Tensors {
		if diff := cmp.Diff(x, byName[x.Name]); diff != "" {
			t.Errorf("tensor %s (-saved +loaded):\n%s", x.Name, diff)
		}
	}
	if len(got.Tensors) != len(f.Tensors) {
		t.Errorf("%d extra tensors, want %d", len(got.Tensors), len(f.Tensors))
	}
}

func TestEncodeErrors(t *testing.T) {
	extra := func(name string) []*Tensor {
		return []*Tensor{{Name: name, Shape: []int{1}, Data: []float32{1}}}
	}
	faulty := floatNet(t)
	faulty.Outputs = nil
	named := floatNet(t)
	named.Nodes[0].Name = "\xff"
	foreign := floatNet(t)
	foreign.Nodes[3].Op = foreignOp{}
	infinite := floatNet(t)
	infinite.Nodes[1].Op = BatchNorm{Epsilon: inf}
	for name, c := range map[string]struct {
		f    File
		want string
	}{
		"faulty graph":        {File{Graph: faulty}, "no outputs"},
		"foreign operator":    {File{Graph: foreign}, `node "relu": operator "FOREIGN" is not in the table`},
		"option not a number": {File{Graph: infinite}, `node "norm" (BATCH_NORM)`},
		"name not UTF-8":      {File{Graph: named}, `"\xff" is not UTF-8`},
		"reserved name":       {File{Graph: floatNet(t), Tensors: extra("__metadata__")}, "reserved"},
		"name of the graph":   {File{Graph: floatNet(t), Tensors: extra("conv/kernel")}, `"conv/kernel"`},
		"same name twice":     {File{Graph: floatNet(t), Tensors: append(extra("a"), extra("a")...)}, `"a"`},
		"extra without data":  {File{Graph: floatNet(t), Tensors: []*Tensor{{Name: "a", Shape: []int{1}}}}, `tensor "a": data is <nil>`},
		"reserved key":        {File{Graph: floatNet(t), Metadata: map[string]string{"goqat.graph": ""}}, `"goqat.graph" is reserved`},
		"format key":          {File{Graph: floatNet(t), Metadata: map[string]string{"format": "pt"}}, `"format" is reserved`},
		"value not UTF-8":     {File{Graph: floatNet(t), Metadata: map[string]string{"k": "\xff"}}, `metadata "k" is not UTF-8`},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			want(t, EncodeFile(&b, &c.f), c.want)
		})
	}
}

type foreignOp struct{ Relu }

func (foreignOp) Name() string { return "FOREIGN" }

func TestLoadMissingFile(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "none"))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want that the file does not exist", err)
	}
}

// TestDamage flips each bit of a file in turn: loading fails, or (the padding
// and the order of JSON are not content) gives the same file.
func TestDamage(t *testing.T) {
	n := newNet(t)
	n.Outputs = []*Tensor{n.dense("dense", 1, n.AddInput("x", Float32, []int{1, 2}))}
	good := encode(t, &File{Graph: n.Graph})
	for at := range good {
		for bit := range 8 {
			bad := bytes.Clone(good)
			bad[at] ^= 1 << bit
			f, err := DecodeFile(bytes.NewReader(bad))
			if err == nil && !bytes.Equal(encode(t, f), good) {
				t.Fatalf("bit %d of byte %d changed what was loaded, without an error", bit, at)
			}
		}
	}
}

func TestTruncated(t *testing.T) {
	good := encode(t, &File{Graph: floatNet(t)})
	for n := range good {
		_, err := DecodeFile(bytes.NewReader(good[:n]))
		want(t, err, "byte ")
	}
	_, err := DecodeFile(bytes.NewReader(append(bytes.Clone(good), 0)))
	want(t, err, "goes on after its last tensor")
}

// edited returns a valid file whose graph JSON was changed, with the checksum
// that belongs to it.
func edited(t *testing.T, g *Graph, old, new string) []byte {
	t.Helper()
	metadata, err := (&File{Graph: g}).metadata()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(metadata[graphKey], old) {
		t.Fatalf("no %q in %s", old, metadata[graphKey])
	}
	metadata[graphKey] = strings.Replace(metadata[graphKey], old, new, 1)
	var tensors []*Tensor
	for _, x := range g.allTensors() {
		if x.Role != Activation {
			tensors = append(tensors, x)
		}
	}
	sortStored(tensors)
	metadata[checksumKey] = checksum(metadata, tensors)
	var b bytes.Buffer
	if err := writeSafetensors(&b, metadata, tensors); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGraphFaults(t *testing.T) {
	for name, c := range map[string]struct {
		g              *Graph
		old, new, want string
	}{
		"version":            {floatNet(t), `"version":1`, `"version":2`, "graph of version 2; this program reads version 1"},
		"operator":           {floatNet(t), `"op":"RELU"`, `"op":"GELU"`, `node 3 "relu": unknown operator "GELU"`},
		"option":             {floatNet(t), `"rate":0.25`, `"rates":0.25`, `options of DROPOUT: byte`},
		"option type":        {floatNet(t), `"rate":0.25`, `"rate":"x"`, `options of DROPOUT: byte`},
		"padding":            {floatNet(t), `"padding":"same"`, `"padding":"full"`, `unknown padding "full"`},
		"more fields":        {floatNet(t), `"version":1`, `"version":1,"new":2`, "unknown field"},
		"two values":         {floatNet(t), `{"version":1`, `{"version":1}{"version":1`, "graph: "},
		"not JSON":           {floatNet(t), `{`, ``, "graph: "},
		"type":               {floatNet(t), `"type":"float32"`, `"type":"float8"`, `unknown type "float8"`},
		"role":               {floatNet(t), `"role":"parameter"`, `"role":"boss"`, `unknown role "boss"`},
		"role without data":  {floatNet(t), `"role":"activation"`, `"role":"constant"`, `tensor "image": a constant without data`},
		"data without use":   {floatNet(t), `"role":"parameter"`, `"role":"activation"`, `is used before it is produced`},
		"shape":              {floatNet(t), `[1,4,4,1]`, `[1,5,4,1]`, `output has shape`},
		"negative shape":     {floatNet(t), `[1,4,4,1]`, `[1,-4,4,1]`, `not positive`},
		"overflowing shape":  {floatNet(t), `[1,4,4,1]`, `[4294967296,4294967296,4294967296,4]`, wide("more than", "cannot unmarshal number 4294967296")},
		"data shape":         {floatNet(t), `[2,3,3,1]`, `[3,3,3,1]`, `18 elements do not fill shape`},
		"input":              {floatNet(t), `"inputs":["image"]`, `"inputs":["x"]`, `inputs: "x" is not a tensor`},
		"output":             {floatNet(t), `"outputs":["softmax"]`, `"outputs":["x"]`, `outputs: "x" is not a tensor`},
		"node input":         {floatNet(t), `"inputs":["image","conv/kernel"]`, `"inputs":["image","x"]`, `node 0 "conv": input 1: "x"`},
		"node output":        {floatNet(t), `"output":"conv"`, `"output":"x"`, `node 0 "conv": output: "x"`},
		"required input":     {floatNet(t), `"inputs":["image","conv/kernel"]`, `"inputs":["image",null]`, `input 1 is missing`},
		"produced twice":     {floatNet(t), `"output":"norm"`, `"output":"conv"`, `produced twice`},
		"tensor twice":       {floatNet(t), `{"name":"conv",`, `{"name":"image",`, `tensor "image": listed twice`},
		"quantizer index":    {quantNet(t), `"quantizer":1`, `"quantizer":9`, `no quantizer of that index`},
		"no quantizer":       {quantNet(t), `"quantizer":1,`, ``, `no quantizer of that index`},
		"range":              {quantNet(t), `"range":"x/range"`, `"range":"y"`, `range "y" is not a tensor`},
		"range left out":     {quantNet(t), `,"range":"x/range"`, ``, `no range`},
		"range is something": {quantNet(t), `"range":"x/range"`, `"range":"kernel"`, `no range`},
		"source":             {quantNet(t), `"source":"fixed"`, `"source":""`, `unknown source ""`},
		"bits":               {quantNet(t), `"name":"x","bits":8`, `"name":"x","bits":99`, `99 bits`},
		"axis":               {quantNet(t), `"axis":0,"source":"last value"`, `"axis":2,"source":"last value"`, `axis 2 of shape`},
		"fixed scale":        {quantNet(t), `"scale":[0.00390625]`, `"scale":[-1]`, `want a positive finite number`},
		"fixed left out":     {quantNet(t), `,"fixed":{"scale":[0.00390625],"zero_point":[-128]}`, ``, `fixed without parameters`},
		"scale":              {integerNet(t), `"scale":[0.25,0.125]`, `"scale":[0.25]`, `1 scales and 2 zero points`},
		"recipe":             {quantNet(t), `"mode":"integer"`, `"mode":"int"`, `unknown mode "int"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Decode(bytes.NewReader(edited(t, c.g, c.old, c.new)))
			want(t, err, "graph: load: ")
			want(t, err, c.want)
		})
	}
}

// file assembles a safetensors file from a header and data.
func file(header string, data ...byte) []byte {
	return append(append([]byte{byte(len(header)), byte(len(header) >> 8), 0, 0, 0, 0, 0, 0}, header...), data...)
}

func TestContainerFaults(t *testing.T) {
	one := `{"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}`
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"empty":             {nil, "byte 0: 0 of 8 bytes"},
		"huge header":       {bytes.Repeat([]byte{255}, 16), "byte 0: a header of 18446744073709551615 bytes"},
		"long header":       {[]byte{0, 0, 1, 0, 0, 0, 0, 0, '{'}, "byte 9: 1 of 65536 bytes"},
		"not JSON":          {file("hello"), "byte 8: header"},
		"array":             {file("[1]"), "not a JSON object"},
		"two objects":       {file("{}{}"), "more than one value"},
		"unclosed":          {file(one), "byte 60: header"},
		"twice":             {file(one + "," + one[1:] + "}"), `"a" is listed twice`},
		"unknown field":     {file(`{"a":{"dtype":"I8","size":1}}`), `unknown field "size"`},
		"metadata type":     {file(`{"__metadata__":{"a":1}}`), `"__metadata__"`},
		"unknown type":      {file(`{"a":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}`, 0, 0), `tensor "a": unknown number type "BF16"`},
		"negative size":     {file(`{"a":{"dtype":"I8","shape":[-1],"data_offsets":[0,1]}}`, 0), `shape [-1]`},
		"overflow":          {file(`{"a":{"dtype":"I8","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,1]}}`, 0), wide("more than", "cannot unmarshal number 4294967296")},
		"gap":               {file(`{"a":{"dtype":"I8","shape":[1],"data_offsets":[1,2]}}`, 0, 0), `data at [1 2]`},
		"wrong size":        {file(`{"a":{"dtype":"I8","shape":[1],"data_offsets":[0,2]}}`, 0, 0), `data at [0 2]`},
		"overlap":           {file(one+`,"b":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}`, 0), `tensor "b": data at [0 1]`},
		"data ends":         {file(`{"a":{"dtype":"I64","shape":[1000000000],"data_offsets":[0,8000000000]}}`, 0, 0), wide("2 of 8000000000 bytes", "do not fit this machine")},
		"data goes on":      {file(one+"}", 0, 0), `byte 62: the file goes on`},
		"another's file":    {file(one+"}", 0), `without a goqat graph`},
		"checksum mismatch": {file(`{"__metadata__":{"format":"goqat","goqat.graph":"{}","goqat.sha256":"00"}}`), `byte 8 to the end: checksum is`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := DecodeFile(bytes.NewReader(c.file))
			want(t, err, "graph: load: ")
			want(t, err, c.want)
		})
	}
}

func TestHeaderIsAligned(t *testing.T) {
	for _, name := range strings.Split("a ab abc abcd abcde abcdef abcdefg abcdefgh", " ") {
		b := encode(t, &File{Graph: floatNet(t), Metadata: map[string]string{name: ""}})
		if b[0]%8 != 0 || b[8] != '{' {
			t.Errorf("with key %q the data begins at byte %d of 8", name, b[0]%8)
		}
	}
}

// TestOperatorTable: each entry makes the operator it is named after.
func TestOperatorTable(t *testing.T) {
	for name, decode := range maps.All(operators) {
		op, err := decode([]byte("{}"))
		if err != nil || op.Name() != name {
			t.Errorf("%s makes %v, %v", name, op, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	t := &testing.T{}
	for _, g := range []*Graph{floatNet(t), quantNet(t), integerNet(t)} {
		f.Add(encode(f, &File{Graph: g, Metadata: map[string]string{"k": "v"}}))
	}
	f.Add(file(`{"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}`, 7))
	f.Fuzz(func(t *testing.T, data []byte) {
		decoded, err := DecodeFile(bytes.NewReader(data))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "graph: load: ") {
				t.Fatalf("error %q does not say where it comes from", err)
			}
			return
		}
		again, err := DecodeFile(bytes.NewReader(encode(t, decoded)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(show(decoded.Graph), show(again.Graph)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// FuzzDocument fuzzes the graph JSON behind the checksum.
func FuzzDocument(f *testing.F) {
	t := &testing.T{}
	for _, g := range []*Graph{floatNet(t), quantNet(t), integerNet(t)} {
		metadata, err := (&File{Graph: g}).metadata()
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(metadata[graphKey]))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := parseDocument(text)
		if err != nil {
			return
		}
		stored := map[string]*Tensor{}
		for _, g := range []*Graph{floatNet(t), quantNet(t), integerNet(t)} {
			for _, x := range g.allTensors() {
				stored[x.Name] = x
			}
		}
		g, err := d.graph(stored)
		if err != nil {
			return
		}
		again, err := Decode(bytes.NewReader(encode(t, &File{Graph: g})))
		if err != nil {
			t.Fatal(err)
		}
		if g.String() != again.String() {
			t.Fatalf("before:\n%s\nafter:\n%s", g, again)
		}
	})
}

// wide returns the first text where int has 64 bits, and the second elsewhere,
// where sizes are refused earlier.
func wide(on64, on32 string) string {
	if math.MaxInt == math.MaxInt32 {
		return on32
	}
	return on64
}
