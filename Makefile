# Usher's errands. `make` alone lists them.

PYTHON  ?= python3
WORKERS ?= $(shell nproc 2>/dev/null || echo 2)

, := ,
VENV := .venv
BIN  := $(VENV)/bin
PIP  := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
        --generate-hashes --no-header --no-emit-index-url --no-emit-find-links

# One step of `make check`: a word when it is fine, everything it said when it is not.
step = @out=$$({ $(2); } 2>&1) && echo "ok      $(1)" || { echo "FAILED  $(1)"; printf "%s\n" "$$out"; exit 1; }

.DEFAULT_GOAL := help
.PHONY: help setup run check test faults bench coverage format docs picture lock \
        python dev servers canaille check-format check-lint check-types check-imports check-layers check-fast check-schema

help: ## List what can be asked for
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: $(VENV)/.runtime ## Make .venv with the exact packages of requirements.lock

run: setup ## Start a demo company on http://127.0.0.1:8080 (PORT=... for another port)
	@$(BIN)/usher demo --serve

check: ## What to run before every commit: style, types, imports, layers, fast tests, schema
	@$(MAKE) --no-print-directory dev
	@$(MAKE) --no-print-directory --keep-going \
	    check-format check-lint check-types check-imports check-layers check-fast check-schema

test: dev servers canaille ## Run the whole suite against real servers, installing those that are missing
	@$(PYTEST)

faults: dev servers ## Run the long soaks and kill series
	@$(PYTEST) -m faults

bench: dev servers ## Run every benchmark, one after the other
	@/usr/bin/python3 -c 'import ldap' 2>/dev/null || sh tests/prepare.sh python3-ldap
	@for file in $(sort $(wildcard benchmarks/*.py)); do echo "== $$file" && $(BIN)/python "$$file" || exit 1; done

coverage: dev servers canaille ## Run the whole suite and list the lines it never reached
	@$(PYTEST) --cov --cov-report=term-missing:skip-covered

format: dev ## Format the code and fix what can be fixed by itself
	@$(BIN)/ruff format --quiet
	@$(BIN)/ruff check --quiet --fix

docs: dev ## Write the documents that are made from code
	@$(BIN)/python -m tests.kit.documents

picture: dev servers ## Take the picture of the README from a running demo
	@$(BIN)/python -m tests.kit.demo docs/overview.png

lock: dev ## Write the lock files, from pyproject.toml first (UPGRADE=--upgrade for newer packages)
	@$(LOCK) $(UPGRADE) pyproject.toml --extra dev --output-file requirements-dev.lock
	@$(LOCK) pyproject.toml --constraint requirements-dev.lock --no-annotate --output-file requirements.lock
	@$(LOCK) $(UPGRADE) tests/canaille.in --no-annotate --output-file tests/canaille.lock

# --- how ------------------------------------------------------------------------------

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo 'Usher needs Python 3.11 or newer; choose one with: make PYTHON=python3.12'; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || sh tests/prepare.sh python3-venv
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	    { echo 'The venv module is missing: apt-get install python3-venv'; exit 1; }

# A stamp is older than its lock file when there is something to do.
$(VENV)/.runtime: pyproject.toml requirements.lock | python
	@echo 'Bringing $(VENV) up to date' >&2
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@$(PIP) --require-hashes --no-deps -r requirements.lock
	@$(PIP) --no-deps --editable .
	@touch $@

dev: $(VENV)/.dev

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	@$(PIP) --require-hashes --no-deps -r requirements-dev.lock
	@touch $@

servers:
	@sh tests/prepare.sh

# An identity provider of the suite: its pins must not meet ours.
canaille: $(VENV)/.canaille

$(VENV)/.canaille: tests/canaille.lock | $(VENV)/.runtime
	@echo 'Bringing $(VENV)/canaille up to date' >&2
	@$(PYTHON) -m venv --clear $(VENV)/canaille
	@$(VENV)/canaille/bin/python -m pip install --quiet --quiet --disable-pip-version-check \
	    --require-hashes --no-deps -r tests/canaille.lock
	@touch $@

check-format:
	$(call step,format,$(BIN)/ruff format --check)

check-lint:
	$(call step,lint,$(BIN)/ruff check)

check-types:
	$(call step,types,$(BIN)/mypy)

# The product may not lean on what is there for the tests.
check-imports:
	$(call step,imports,$(BIN)/deptry . --extend-exclude '^(tests|benchmarks)/' \
	    && $(BIN)/deptry . --ignore DEP002$(,)DEP004)

check-layers:
	$(call step,layers,$(BIN)/lint-imports --no-logo)

check-fast:
	$(call step,fast tests,$(PYTEST) tests/unit provisioning/domain --cov=provisioning.domain \
	    --cov-report=term-missing:skip-covered --cov-fail-under=100)

check-schema:
	@rm -f $(VENV)/schema.*
	$(call step,schema,env DATABASE_URL=sqlite:///$(VENV)/schema.db $(BIN)/usher db check)
