# make demo   the main job on a copy of examples/
# make test   all that CI runs: lint, format, types, import contracts, tests
# make fix    format, and write again what is generated (docs)
# make clean  removes .venv and caches
#
# PYTHON=python3.12 chooses another interpreter; PYTEST="-k words" adds to pytest's arguments.

PYTHON ?= python3
PYTEST ?=
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --quiet

.PHONY: help demo test fix clean

help:
	@sed -n 's/^# \(make.*\)/\1/p' Makefile

demo: .venv/demo.stamp
	@sh examples/demo.sh "$(CURDIR)/$(BIN)/dockstrata"

test: .venv/dev.stamp
	@echo "== ruff check"
	@$(BIN)/ruff check . || { echo "make test: ruff check failed" >&2; exit 1; }
	@echo "== ruff format --check"
	@$(BIN)/ruff format --check . || { echo "make test: files are not formatted; 'make fix' does it" >&2; exit 1; }
	@echo "== mypy"
	@$(BIN)/mypy || { echo "make test: mypy failed" >&2; exit 1; }
	@echo "== lint-imports"
	@$(BIN)/lint-imports || { echo "make test: an import contract is broken" >&2; exit 1; }
	@echo "== pytest"
	@$(BIN)/python -m pytest -n auto $(PYTEST)

fix: .venv/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python docs/generate.py
	$(BIN)/python docs/blocks.py

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "make: $(PYTHON) is missing or older than 3.10; try make PYTHON=python3.12" >&2; exit 1; }
	@echo "Making .venv"
	@$(PYTHON) -m venv .venv || \
		{ rm -rf .venv; echo "make: cannot make .venv; on Debian: apt-get install python3-venv" >&2; exit 1; }

.venv/demo.stamp: pyproject.toml | .venv/bin/python
	@echo "Installing dockstrata into .venv"
	@$(PIP) --editable .
	@touch $@

.venv/dev.stamp: pyproject.toml | .venv/bin/python
	@echo "Installing dockstrata and what its tests need into .venv"
	@$(PIP) --editable '.[dev]'
	@touch $@ .venv/demo.stamp
