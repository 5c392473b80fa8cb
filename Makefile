# The two commands: `make demo` and `make test`. Each sets up what it needs in .venv on first use.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3 python3.13 python3.12 python3.11 python3.14
TESTS ?= tests
PYTEST_OPTIONS ?= -n auto --maxprocesses 8 --dist loadscope
BIN := .venv/bin
INPUTS := pyproject.toml uv.lock scripts/set_up.py

# Run scripts/set_up.py with the first Python that is new enough.
define set_up
	@for python in $(PYTHON); do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "Setting up .venv ($(1)) with $$($$python --version) …"; exec $$python scripts/set_up.py $(1); \
	  fi; \
	done; \
	echo "Cloche needs Python 3.11 or newer; tried: $(PYTHON). Install one, or name it: make PYTHON=/path/to/python3.12 …" >&2; exit 1
endef

.PHONY: help
help:  ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/.set-up-demo: $(INPUTS)
	$(call set_up,demo)

.venv/.set-up-dev: $(INPUTS)
	$(call set_up,dev)

.PHONY: demo
demo: .venv/.set-up-demo  ## set up, start a server, and run the demo on real data
	@$(BIN)/cloche demo

.PHONY: test
test: .venv/.set-up-dev  ## set up and run all tests
	@$(BIN)/python -m pytest $(PYTEST_OPTIONS) $(TESTS)

.PHONY: lint
lint: .venv/.set-up-dev shapes  ## format, style, types, imports, sizes
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/python scripts/check_imports.py
	@$(BIN)/python scripts/check_sizes.py
	@$(BIN)/pyright

.PHONY: format
format: .venv/.set-up-dev  ## rewrite the code in the common format
	@$(BIN)/ruff check --select I --fix --quiet . && $(BIN)/ruff format .

.PHONY: shapes
shapes: .venv/.set-up-dev  ## write typed dicts of AWS's models for the type checker
	@$(BIN)/python scripts/generate_shapes.py

.PHONY: kill-tests
kill-tests: .venv/.set-up-dev  ## kill a busy server 20 times and look for what it lost
	@CLOCHE_KILL_ROUNDS=20 $(BIN)/python -m pytest -m kill -p no:xdist --timeout 900 tests

.PHONY: bench
bench: .venv/.set-up-dev  ## measure against the peers, all in one run
	@$(BIN)/python -m benchmarks

.PHONY: bench-athena
bench-athena: .venv/.set-up-dev  ## TPC-H through Athena against DuckDB, pyspark and MiniStack
	@$(BIN)/python -m benchmarks.athena $(BENCH_OPTIONS)

.PHONY: docs
docs: .venv/.set-up-dev  ## write docs/coverage.md from the registry
	@$(BIN)/python scripts/generate_coverage.py
