# make test   everything that must hold before a change is accepted (needs Go, and Python 3.11 or newer with venv)
# make build race cross levels fuzz bench schema asm clean   see below

export CGO_ENABLED = 0

PYTHON      ?= python3
FUZZTIME    ?= 10s
VENV         = .venv
STATICCHECK  = honnef.co/go/tools/cmd/staticcheck@v0.8.2
PLATFORMS    = linux/arm64 windows/amd64 darwin/arm64 js/wasm
# The packages that start goroutines or are called from several.
CONCURRENT   = ./internal/parallel ./internal/oracle ./internal/progress ./internal/kernels/... ./data/... ./interp/... ./train/... ./posttrain/...

.PHONY: test build race cross levels schema asm fuzz bench clean

test: $(VENV)/ready
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "gofmt -w is due on:" $$unformatted; exit 1; fi
	go vet ./...
	go run $(STATICCHECK) ./...
	go test ./internal/arch
	@echo "How well fake quantization predicts the integers, operator by operator:"
	go test -count=1 -v -run TestSimulationPredictsIntegers ./internal/endtoend
	GOQAT_REQUIRE_ORACLE=1 go test ./...
	PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m unittest discover bench

# LiteRT, Google's runtime, against which the tests hold this module's files. Made once, and again when the pins change.
$(VENV)/ready: internal/oracle/requirements.txt
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: -r $<
	touch $@

build:
	go build -o goqat ./cmd/goqat

# The race detector needs a C compiler; nothing else here does.
race: export CGO_ENABLED = 1
race:
	go test -race -short $(CONCURRENT)

cross:
	@for p in $(PLATFORMS); do echo "build $$p"; GOOS=$${p%/*} GOARCH=$${p#*/} go build ./... || exit 1; done

# What depends on the processor: training must give the bytes that are recorded on AVX2 as on AVX-512, in plain Go, and the
# same code must hold where int has 32 bits. The kernels' own tests run every level of the processor that they run on.
NUMERIC = ./internal/kernels/... ./interp ./train/...
levels:
	GODEBUG=cpu.avx512f=off go test ./train/...
	go test -tags purego $(NUMERIC)
	GOARCH=386 go test -short ./quant ./graph ./data/... ./tflite $(NUMERIC)

# Needs flatc (Debian: flatbuffers-compiler). The generated code is committed.
schema:
	go generate ./tflite/internal/schema

# The committed assembly is generated.
asm:
	go generate ./internal/kernels/...

# Each fuzz target for FUZZTIME.
fuzz:
	@grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . | while IFS=: read -r file func; do \
		go test -run '^$$' -fuzz "^$${func#func }\$$" -fuzztime $(FUZZTIME) "$$(dirname "$$file")" || exit 1; done

bench:
	go test -run '^$$' -bench . -benchmem ./...

clean:
	rm -rf $(VENV) goqat out
