# make          install, run the pipeline on MNIST, print the results
# make verify   run the pipeline again in a temporary clone and compare every file with dvc.lock
# make test     run the tests
# make check    lint, check the format and the types
# make format   fix what the linter can fix
# make docs     write docs/parameters.md, docs/tour.ipynb and the pictures of docs (after make; needs Chromium)
# make benchmarks  measure and write the tables of docs/results.md; KERNEL=Haswell chooses the BLAS kernel
# make lock     update all dependencies (needs uv)
# make clean    remove .venv and the caches of tools (not the data)

PYTHON ?= python3
BIN := $(CURDIR)/.venv/bin
# DVC runs the stages with the first `python` in PATH.
export PATH := $(BIN):$(PATH)

INSTALL = "$(BIN)/python" -m pip install -qq --disable-pip-version-check -c constraints.txt -e

.PHONY: all repository verify test check format docs benchmarks lock clean

all: repository .venv/installed
	@# A kill while DVC writes dvc.lock leaves an empty file, with which no command of DVC works.
	@if "$(BIN)/dvc" stage list 2>&1 | grep "dvc.lock'"; then git checkout dvc.lock; fi
	@echo "Running the pipeline$$(test -e data/raw || echo ": a download of 15 MB, then about two minutes")."
	@# Each stage prints one line; with --quiet, DVC adds neither its command nor messages of its own.
	@# `dvc stage list` prints what is wrong in dvc.yaml and params.yaml, if that is why it stopped.
	@trap 'echo "Interrupted; run make again to continue."; exit 130' INT; \
	"$(BIN)/dvc" repro --quiet || { \
		"$(BIN)/dvc" stage list > /dev/null && echo "The pipeline stopped; .venv/bin/dvc repro says more."; \
		exit 1; \
	}
	@"$(BIN)/python" -m tools.results

# A download as ZIP has no .git, without which DVC does not work.
repository:
	@test -e .git || { echo "Expected a git repository, got a plain folder; run: git init && git add --all && git commit -m start"; exit 1; }

verify: .venv/installed
	"$(BIN)/python" -m tools.verify

# One thread for BLAS, because there are as many workers as cores; tests of threads set their number.
test: .venv/installed-test
	OPENBLAS_NUM_THREADS=1 "$(BIN)/python" -m pytest -n logical --maxprocesses 8 --dist loadgroup --no-loadscope-reorder

check: .venv/installed-test
	"$(BIN)/ruff" check .
	"$(BIN)/ruff" format --check .
	"$(BIN)/mypy"

format: .venv/installed-test
	"$(BIN)/ruff" check --fix .
	"$(BIN)/ruff" format .

docs: .venv/installed-test
	"$(BIN)/python" -m tools.parameters
	"$(BIN)/python" -m tools.notebook
	cp data/evaluation/overview.png data/evaluation/weights.png docs
	"$(BIN)/python" tests/support/page_picture.py
	OPENBLAS_NUM_THREADS=1 "$(BIN)/python" -m pytest -m slow

# Frameworks to compare with, as far as they are installed: pip install torch jax onnx onnxruntime
BENCHMARKS = epoch optimizers accuracy prediction scale stage classifier cluster

benchmarks: .venv/installed
	set -e; for name in $(BENCHMARKS); do \
		"$(BIN)/python" -m benchmarks.$$name $(if $(KERNEL),--kernel $(KERNEL)); \
	done
	"$(BIN)/python" -m benchmarks.report

# One list of versions for every supported version of Python and every platform.
lock:
	uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 \
		--all-extras --no-header --no-annotate --upgrade pyproject.toml --output-file constraints.txt

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11) and "expected Python 3.11 to 3.14, got %d.%d; name another: make PYTHON=python3.12" % sys.version_info[:2])'
	@$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing the dependencies into .venv: about 800 MB, one to five minutes."
	@$(INSTALL) .
	@touch $@

.venv/installed-test: .venv/installed
	@echo "Installing the dependencies of the tests into .venv."
	@$(INSTALL) '.[test]'
	@touch $@
