# make          set up, run the pipeline on real MNIST, print the metrics
# make test     run the tests
# make check    lint, format and types
# make clean    remove .venv and the caches of tools (not the data)

PYTHON ?= python3
BIN := $(CURDIR)/.venv/bin
# DVC runs the stages with whatever `python` comes first.
export PATH := $(BIN):$(PATH)

.PHONY: all test check format lock clean

all: .venv/installed
	$(BIN)/dvc repro
	$(BIN)/dvc metrics show

test: .venv/installed-test
	$(BIN)/python -m pytest -n logical --maxprocesses 8 --dist loadfile

check: .venv/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Pins every version anew, for all supported versions of Python and all platforms; needs uv.
lock:
	uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 \
		--all-extras --no-header --no-annotate --upgrade pyproject.toml --output-file constraints.txt

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11) and "Python 3.11 or newer is needed; name one: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e .
	touch $@

.venv/installed-test: .venv/installed
	$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $@
