# The front door. `make demo` and `make test` need nothing but Python 3.11 and make;
# `make check` is exactly what CI runs.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.SUFFIXES:

PYTHON ?= python3
VENV ?= .venv
# Processes that run tests. Labs mostly wait for packets that never come: two cores have time for three.
JOBS ?= 3
# Random (world, flow) pairs of a nightly run.
FLOWS ?= 1000000
# Seconds of `make fuzz` for each target; TARGET="yaml json" for some of them only.
SECONDS ?= 300
TARGET ?=

# Tests and commands start Python hundreds of times; without this each would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
EXAMPLE := examples/case-management

.PHONY: help
help: ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

# ------------------------------------------------------------------ set-up

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Cloison needs Python 3.11 or newer; name one with PYTHON=..." if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) install --quiet -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-dev: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) install --quiet -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.installed

.PHONY: setup
setup: $(VENV)/.installed-dev ## Make the virtual environment with everything a developer needs

.PHONY: hooks
hooks: $(VENV)/.installed-dev ## Install the git hooks
	$(BIN)/pre-commit install

# Compiled in an environment of its own, so that nothing left over gets pinned.
.PHONY: constraints
constraints: ## Pin the newest versions that fit pyproject.toml in constraints.txt
	rm -rf build/constraints
	$(PYTHON) -m venv build/constraints
	build/constraints/bin/python -m pip --disable-pip-version-check install --quiet '.[dev]'
	{ echo '# Versions that are known to work together. Written by `make constraints`.'; \
	  build/constraints/bin/python -m pip --disable-pip-version-check freeze --exclude cloison; } > build/constraints.txt
	mv build/constraints.txt constraints.txt
	rm -rf build/constraints

# ------------------------------------------------------------------ the job itself

.PHONY: demo
demo: $(VENV)/.installed ## Run the main job on the bundled example
	@run() { printf '\n\033[1m$$ cloison %s\033[0m\n' "$$*"; $(BIN)/cloison "$$@"; }; \
	run map -f $(EXAMPLE); \
	run why web/case-portal evidence/evidence-api:8080 -f $(EXAMPLE); \
	run verify -f $(EXAMPLE); \
	if $(BIN)/python -c 'import duckdb, ibis, pyarrow' 2>/dev/null; then \
		made=$$(mktemp -d); trap 'rm -rf "$$made"' EXIT; \
		$(BIN)/cloison flows generate -f $(EXAMPLE) --days 1 --without measures-to-audit \
			--also 'sandbox/case-api evidence/evidence-store:9000' > "$$made/events.log"; \
		run flows ingest "$$made/events.log" --store "$$made/flows"; \
		run reconcile -f $(EXAMPLE) --store "$$made/flows" --fail-on never; \
	fi

# ------------------------------------------------------------------ checks

.PHONY: check
check: lint types page imports deps spelling docs wheel test fuzz-smoke bench-smoke ## Everything CI runs

.PHONY: lint
lint: $(VENV)/.installed-dev ## Style and mistakes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: format
format: $(VENV)/.installed-dev ## Mend what can be mended by itself
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

.PHONY: types
types: $(VENV)/.installed-dev ## Types, strictly
	$(BIN)/mypy

# The page itself needs no build and no node; only this check of it does.
.PHONY: page
page: ## Types of the html report's JavaScript; left out where there is no npm, but not in CI
	@if command -v npm >/dev/null || [ -n "$${CI:-}" ]; then \
	  npm ci --loglevel=error --prefix tools/page >/dev/null && tools/page/node_modules/.bin/tsc -p tools/page; \
	else echo 'no npm here: the types of the page are not checked'; fi

.PHONY: imports
imports: $(VENV)/.installed-dev ## The walls between packages
	$(BIN)/lint-imports

.PHONY: deps
deps: $(VENV)/.installed-dev ## Dependencies declared and used
	$(BIN)/deptry src

.PHONY: spelling
spelling: $(VENV)/.installed-dev ## Typing slips
	$(BIN)/typos

.PHONY: docs
docs: $(VENV)/.installed-dev ## Build the documentation; a warning is a failure
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html

.PHONY: wheel
wheel: $(VENV)/.installed-dev ## Build the wheel and look inside
	rm -rf dist
	$(PIP) wheel --quiet --no-deps --wheel-dir dist .
	$(BIN)/python tests/packaging/inspect_wheel.py dist/*.whl

.PHONY: test
test: $(VENV)/.installed-dev ## The default test run
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(ARGS)

.PHONY: golden
golden: $(VENV)/.installed-dev ## Write the expected outputs anew; read the diff
	CLOISON_GOLDEN=update $(BIN)/python -m pytest -q tests/golden tests/docs/test_pictures.py $(ARGS)
	$(BIN)/python -m tests.docs

.PHONY: nightly
nightly: $(VENV)/.installed-dev ## Large random runs, planted faults that must be caught, and fuzzing
	$(PIP) install --quiet -c constraints.txt -e '.[spark,clickhouse]'
	CLOISON_FLOWS=$(FLOWS) $(BIN)/python -m pytest -n $(JOBS) --dist worksteal tests/property $(ARGS)
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m nightly tests $(ARGS)
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS) --jobs $(JOBS) $(TARGET)

.PHONY: fuzz
fuzz: $(VENV)/.installed-dev ## Search every reader for inputs that break it, for minutes each
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS) $(TARGET)

.PHONY: fuzz-smoke
fuzz-smoke: $(VENV)/.installed-dev ## The same, a few seconds each
	$(BIN)/python -m tests.fuzz --runs 250 --jobs $(JOBS) $(TARGET)

.PHONY: bench
bench: $(VENV)/.installed-dev ## Measure speed and memory beside baselines; half an hour. ARGS=--write-docs
	$(BIN)/python -m benchmarks $(ARGS)
	$(BIN)/python -m benchmarks.flows

.PHONY: bench-init
bench-init: $(VENV)/.installed-dev ## How much of public applications contracts are drafted; ARGS=FOLDER of the data
	$(BIN)/python -m benchmarks.init $(ARGS)

.PHONY: bench-recommend
bench-recommend: $(VENV)/.installed-dev ## How good recommended policies are, on held-out weeks; ARGS=--write-docs
	$(BIN)/python -m benchmarks.recommend $(ARGS)

.PHONY: bench-smoke
bench-smoke: $(VENV)/.installed-dev ## The same on small worlds; fails where ratios are grossly wrong
	$(BIN)/python -m benchmarks --smoke
	$(BIN)/python -m benchmarks.flows --smoke
	$(BIN)/python -m benchmarks.recommend --smoke

.PHONY: clean
clean: ## Remove what was built, except the virtual environment
	rm -rf build dist docs/_build docs/_generated .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
