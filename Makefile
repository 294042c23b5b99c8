# Everything that is done with superindex from a shell; `make help` lists it.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS   += --no-builtin-rules
.DEFAULT_GOAL := build
.DELETE_ON_ERROR:
.ONESHELL:

GO        ?= go
NPM       ?= npm
TOOL      := $(GO) tool -modfile=tools/go.mod
PKG       ?= ./...

# The variables to turn: make sim SIM_HISTORIES=100, make fuzz FUZZTIME=5m ...
DEMO_FOR      ?=
TEST_FLAGS    ?=
SIM_HISTORIES ?= 5000
SIM_ACTIONS   ?= 200
SIM_SEED      := $(or $(SIM_SEED),$(shell date +%s))
BENCH         ?= .
BENCH_COUNT   ?= 1
FUZZTIME      ?= 10s
SCENARIOS     ?=
BENCH_FLAGS   ?=
# A tarball of the whole oss-directory; without one the scenario of the start-up says so.
OSS_DIRECTORY ?= $(wildcard ../shared/data/oss-directory.tar.gz)

# A build knows its commit from the repository; outside one (a tarball) there is none to know.
VCS := $(if $(shell git rev-parse --verify --quiet HEAD 2>/dev/null),true,false)

BUILD := $(GO) build -trimpath -buildvcs=$(VCS) -o bin/superindex

# The CPU profile that a release is compiled by.
PROFILE := cmd/superindex/release.pgo

# The parts that are no Go modules. The stamp carries the lock file's digest, so
# that a lock that was only touched installs nothing; `npm ci` removes old stamps
# with the folder.
NPM_DIR := tools/npm
PARTS   := $(NPM_DIR)/node_modules/.installed-$(shell sha256sum $(NPM_DIR)/package-lock.json | cut -c1-16)

.PHONY: help build release profile demo picture deps test lint sim sim-mutants bench bench-rpc bench-go fuzz clean

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## bin/superindex
	$(BUILD) ./cmd/superindex

release: ## bin/superindex as it is released: compiled by the profile of its benchmarks, which takes minutes
	@echo "compiling every module by $(PROFILE): some minutes on two cores, the first time"
	$(BUILD) -pgo=$(PROFILE) ./cmd/superindex

profile: ## what a release is compiled by, of the CPU profiles that `make bench` kept
	$(GO) tool pprof -proto -output=$(PROFILE) benchmarks/profiles/*-cpu-*.pprof

demo: deps build ## three dev chains, ClickHouse and JetStream on this machine, live rows (DEMO_FOR=90s ends by itself)
	bin/superindex demo $(if $(DEMO_FOR),--for $(DEMO_FOR))

picture: deps build ## docs/img/demo.svg: what the demo's terminal shows after a minute
	rm -rf demo
	script -qec "stty rows 60 cols 150; bin/superindex demo --for 60s --dir demo" bin/demo.typescript >/dev/null
	$(GO) run ./internal/picture <bin/demo.typescript >docs/img/demo.svg
	rm -rf demo

deps: bin/libchdb.so bin/anvil ## ClickHouse's library and the dev chain, from npm into bin/

$(PARTS):
	$(NPM) ci --prefix $(NPM_DIR) --ignore-scripts --no-audit --no-fund
	touch $@

bin/libchdb.so: | $(PARTS)
	mkdir -p bin
	ln -sfn ../$(NPM_DIR)/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so $@

bin/anvil: | $(PARTS)
	mkdir -p bin
	ln -sfn ../$(NPM_DIR)/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil $@

# op-geth needs a module of its own: it replaces go-ethereum.
bin/op-geth: tools/opgeth/go.mod tools/opgeth/go.sum
	$(GO) build -C tools/opgeth -o $(CURDIR)/$@ github.com/ethereum/go-ethereum/cmd/geth

test: deps build bin/op-geth ## every test, with the race detector
	$(GO) test -race -timeout 20m $(TEST_FLAGS) $(PKG)

sim: ## random histories of the engine against the canonical chain, one process a core (SIM_HISTORIES, SIM_ACTIONS, SIM_SEED)
	@$(GO) test -c -o bin/world.test ./internal/world
	cores=$$(nproc)
	echo "$(SIM_HISTORIES) histories of $(SIM_ACTIONS) actions in $$cores processes, seeds $(SIM_SEED) and up by 1,000,000,000"
	cd internal/world
	seq 0 $$((cores - 1)) | xargs -P $$cores -I{} bash -c 'exec ../../bin/world.test -test.run "^TestHistories$$" -test.v -test.timeout 60m \
		-rapid.checks '$$((($(SIM_HISTORIES) + cores - 1) / cores))' -rapid.steps $(SIM_ACTIONS) -rapid.seed $$(($(SIM_SEED) + {} * 1000000000))'

sim-mutants: ## each known mistake, put in on purpose, must be caught by the simulation
	SIM_MUTANTS=1 $(GO) test ./internal/world -run '^TestMutants$$' -v -count 1 -timeout 60m

bench: deps release ## superindex against a load node on this machine, into benchmarks/results/ (SCENARIOS, BENCH_FLAGS)
	bin/superindex bench --dir benchmarks/data --out benchmarks/results --profiles benchmarks/profiles --oss-directory "$(OSS_DIRECTORY)" $(BENCH_FLAGS) $(SCENARIOS)

bench-rpc: SCENARIOS := parse rpc
bench-rpc: bench ## the same of reading answers, alone and within the limits of a provider

bench-go: deps ## Go's own benchmarks, beside the code, into benchmarks/results/ (BENCH, BENCH_COUNT, PKG)
	@mkdir -p benchmarks/results
	out=benchmarks/results/go-$$(date -u +%Y%m%d-%H%M%S).txt
	{ echo "commit: $$(git describe --always --dirty 2>/dev/null || echo unknown)"
	  echo "machine: $$(nproc) cores, $$(uname -srm)"
	  echo "command: go test -run '^$$' -bench '$(BENCH)' -benchmem -count $(BENCH_COUNT) $(PKG)"
	  $(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -count $(BENCH_COUNT) $(PKG); } | tee "$$out"
	echo "kept in $$out"

# Minimizing is cut short: of a tarball it takes all the time there is.
fuzz: ## every fuzz target for FUZZTIME
	@list=$$($(GO) test -list '^Fuzz' $(PKG))
	targets=$$(awk '/^Fuzz/ { name[n++] = $$1 } /^ok/ { for (i = 0; i < n; i++) print $$2, name[i]; n = 0 }' <<<"$$list")
	[[ -n $$targets ]] || { echo "no fuzz target in $(PKG)" >&2; exit 1; }
	while read -r package target; do
		echo "== $$package $$target"
		$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5x "$$package" </dev/null
	done <<<"$$targets"

lint: ## go vet, gofumpt, golangci-lint, deadcode, govulncheck, go mod tidy -diff
	@failed=()
	step() { echo "== $$1"; "$${@:2}" || failed+=("$$1"); }
	quiet() { out=$$("$$@"); [[ -z $$out ]] || { echo "$$out"; return 1; }; }
	step "go vet"            $(GO) vet $(PKG)
	step "gofumpt"           quiet $(TOOL) gofumpt -l $$(git ls-files -co --exclude-standard '*.go')
	step "golangci-lint"     $(TOOL) golangci-lint run $(PKG)
	step "deadcode"          quiet $(TOOL) deadcode -test $(PKG)
	step "go mod tidy -diff" $(GO) mod tidy -diff
	step "govulncheck"       tools/vulncheck.sh
	(($${#failed[@]} == 0)) || { printf 'failed: %s\n' "$${failed[@]}"; exit 1; }

clean: ## removes what was built and installed
	rm -rf bin $(NPM_DIR)/node_modules coverage.out benchmarks/data
