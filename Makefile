# `make help` lists the targets. Everything is installed into .venv, in three steps of which each target takes only what it needs:
# the server with what the demo needs, the tests' packages (torch among them), the checks' tools.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
CONSTRAINTS := deploy/constraints.txt
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(CONSTRAINTS) --build-constraint $(CONSTRAINTS)
INPUTS := pyproject.toml $(CONSTRAINTS)
# The first of these that runs and is 3.11 or newer; `make PYTHON=...` decides otherwise.
PYTHON ?= $(shell for python in python3 python3.11 python3.12 python3.13 python3.14 python; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$python"; break; }; done)
KERNELS := $(shell find service/kernels -name build -prune -o -type f -print)
BUF := PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python protos/generate.py --buf
CONTRACT := build --path ours/consilience --exclude-source-info
# More arguments for the program that a target runs: `make test ARGS="-k tie"`, `make serve ARGS="--redis redis://localhost"`.
ARGS ?=
# Where `make serve` keeps its data.
DATA ?= consilience-data

# The kernels' own tests run this often over all instruction sets and hard spaces; one round takes about four seconds.
ROUNDS ?= 20

.PHONY: help demo colour serve test check bench sanitize protos released-protos wheel image clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.server $(VENV)/.kernels ## start a server, compare encoders of the digit images, bridge and match them; the figure lands in demo-output/
	@$(BIN)/python client/examples/digits/demo.py $(ARGS)

colour: $(VENV)/.server $(VENV)/.kernels ## colours from what stands beside what in photographs, against what people see; the figure lands in colour-output/
	@$(BIN)/python client/examples/colour/demo.py $(ARGS)

serve: $(VENV)/.server $(VENV)/.kernels ## leave a server running on localhost:50051 with its data in consilience-data/
	@exec $(BIN)/consilience serve --data "$(DATA)" $(ARGS)

test: $(VENV)/.test ## run all tests, on up to four processes; `make test ARGS="-n 0 --pdb"` is one
	@$(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist worksteal $(ARGS)

check: $(VENV)/.check build/protos/.ready ## lint, types, layers, contract, generated code, alert rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python client/unasync.py --check
	build/protos/bin/python protos/generate.py --check
	$(BUF) lint
	$(BUF) $(CONTRACT) -o "$(CURDIR)/build/contract.binpb"
	$(BIN)/buf breaking build/contract.binpb --against protos/released.binpb --exclude-imports
	@if command -v promtool >/dev/null; then promtool check config deploy/prometheus/prometheus.yml && promtool test rules deploy/prometheus/*.test.yml; \
	else echo "promtool is not installed: the alert rules were not checked"; fi

bench: $(VENV)/.test ## measure against plain FAISS, the paper's method and raw sockets; prints the table for tests/bench/RESULTS.md
	@$(BIN)/python tests/bench/run.py $(ARGS)

sanitize: $(BIN)/python ## the kernels' own tests under the address and undefined-behaviour sanitizers; `make sanitize ROUNDS=100`
	@command -v c++ >/dev/null || { echo "the kernels need a C++ compiler; on Debian and Ubuntu: apt-get install g++" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(CONSTRAINTS) cmake ninja
	@PATH="$(CURDIR)/$(BIN):$$PATH" cmake -G Ninja -S service/kernels -B build/sanitize -DCONSILIENCE_SANITIZE=ON -DCONSILIENCE_PYTHON=OFF >/dev/null
	@PATH="$(CURDIR)/$(BIN):$$PATH" cmake --build build/sanitize
	build/sanitize/kernel_tests $(ROUNDS)

protos: build/protos/.ready ## write the stubs in client/consilience/v1 anew
	build/protos/bin/python protos/generate.py

released-protos: $(VENV)/.check ## with a release: keep its contract, against which `make check` looks for breaking changes
	$(BUF) $(CONTRACT) -o "$(CURDIR)/protos/released.binpb"

wheel: $(BIN)/python ## build dist/consilience-*.whl, and dist/consilience_kernels-*.whl where a C++ compiler stands
	@rm -rf dist
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --build-constraint $(CONSTRAINTS) --wheel-dir dist .
	@if command -v c++ >/dev/null; then \
		$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --build-constraint $(CONSTRAINTS) --wheel-dir dist ./service/kernels; \
	else echo "no C++ compiler: the wheel of the kernels was not built"; fi
	@ls dist

image: wheel ## build the container image; `make image ARGS="--target gpu"`, and see the head of the Dockerfile
	@"$$(command -v buildah || command -v podman || command -v docker)" build --tag consilience $(ARGS) .

clean: ## remove everything that make made, the stores of the demo and of `make serve` excepted
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Consilience needs Python 3.11 or newer; none was found on PATH. Name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "making $(VENV) with $$("$(PYTHON)" --version)"
	@"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); echo "On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade --constraint $(CONSTRAINTS) pip

$(VENV)/.server: $(INPUTS) | $(BIN)/python
	@echo "installing the server (a minute the first time)"
	@$(INSTALL) --editable '.[server,demo]'
	@touch $@

# Without a compiler the server computes the same with FAISS, and says so.
$(VENV)/.kernels: $(KERNELS) $(CONSTRAINTS) | $(VENV)/.server
	@if command -v c++ >/dev/null; then echo "building the native kernels" && $(INSTALL) ./service/kernels; \
	else echo "no C++ compiler was found: the native kernels are not built, FAISS finds the neighbours, several times slower"; fi
	@touch $@

$(VENV)/.test: $(VENV)/.server $(VENV)/.kernels
	@echo "installing what the tests need, torch among it"
	@$(INSTALL) --editable '.[server,demo,report]' --group test
	@touch $@

$(VENV)/.check: $(VENV)/.test
	@$(INSTALL) --group check
	@touch $@

build/protos/.ready: protos/requirements.txt | $(BIN)/python
	@rm -rf build/protos
	@"$(PYTHON)" -m venv build/protos
	@build/protos/bin/python -m pip install --quiet --disable-pip-version-check --requirement protos/requirements.txt
	@touch $@
