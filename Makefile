# Run `make` alone for the list of targets. Everything lands in .venv/ and target/; the models go to the user's model
# directory, or to $FERROCR_MODEL_DIR.

PYTHON ?= python3
CARGO ?= cargo
# Which build of ONNX Runtime goes into the environment: cpu, gpu or openvino.
EXTRA ?= cpu
# Tests that run at once. Each of them may load models, and reads with as many threads as there are cores.
JOBS ?= 2
# The sources of paperless-ngx 3, in which `make test-plugins` tests the parser: it is in no package index.
PAPERLESS ?=
# What `make bench` reads, and the engines beside ferrocr, as NAME=INTERPRETER.
PICTURES ?=
ENGINES ?=

VENV := .venv
STAMP := $(VENV)/.stamp
# For programs that bring much, whose adapters are tested with them.
PLUGINS := .venv-plugins
IN_VENV := $(VENV)/bin
WHEEL := target/wheel

# pyo3 and maturin take the interpreter from here, whatever environment is active in the shell.
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
unexport CONDA_PREFIX
# cargo would look for the job server of this make, which is for other makes alone.
unexport MAKEFLAGS MFLAGS
# Where rustup puts cargo, for shells that have not been told.
export PATH := $(PATH):$(HOME)/.cargo/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# What runs beside something else says it when it is done; make on macOS does not know how, and mixes the lines.
SYNC := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

.DEFAULT_GOAL := help
.PHONY: help run test check format bench clean lint lint-core lint-package test-core build types models test-package \
	test-plugins docs needs-cargo

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s%s\n", $$1, $$2 }' Makefile

run: build models ## Build, fetch the default models, read a picture that the project draws itself.
	@echo "== examples/read_picture.py =="
	@mkdir -p target/sample
	@$(IN_VENV)/python examples/sample.py target/sample/invoice.png
	@$(IN_VENV)/python examples/read_picture.py target/sample/invoice.png

# Two at a time, since compilers and tests both leave a second core idle now and then: the core in Cargo's directory for
# debugging, the package in the one for releases.
test: ## Everything that must hold before a commit.
	@echo "== the core and the package are checked side by side; each step is shown when it is done =="
	@+$(MAKE) --no-print-directory -j2 $(SYNC) lint test-core types test-package docs
	@echo "== all passed =="

check: lint-package types ## The inner loop: formatters, linters, types, and the tests that need neither models nor processes.
	@echo "== rustfmt, clippy =="
	@$(CARGO) fmt --check
	@$(CARGO) clippy --locked --all-targets --features python -- -D warnings
	@echo "== cargo test, core =="
	@$(CARGO) test --locked --lib
	@echo "== pytest, quick =="
	@$(IN_VENV)/python -m pytest -q -m "not slow"

lint: lint-core lint-package

lint-core: needs-cargo
	@echo "== rustfmt =="
	@$(CARGO) fmt --check
	@echo "== clippy, core =="
	@$(CARGO) clippy --locked --all-targets -- -D warnings
	@echo "== clippy, with the Python module =="
	@$(CARGO) clippy --locked --all-targets --features python -- -D warnings
	@echo "== cargo doc =="
	@RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps
	@echo "== licences of crates =="
	@CARGO="$(CARGO)" "$(PYTHON)" tools/licences.py --check

lint-package: $(STAMP)
	@echo "== ruff =="
	@$(IN_VENV)/ruff check
	@$(IN_VENV)/ruff format --check

# The tests of the downloads set up servers of their own, which the variable would forbid to ask.
test-core: lint-core
	@echo "== cargo test, core =="
	@unset FERROCR_OFFLINE; $(CARGO) test --locked

types: build
	@echo "== mypy =="
	@$(IN_VENV)/mypy --strict
	@echo "== stubtest =="
	@$(IN_VENV)/python -m mypy.stubtest ferrocr._core

# What users install, not the sources: pyproject.toml may forget a file. It goes first on the path, so that the
# environment keeps the package as it lies in python/.
test-package: build models
	@echo "== models for tests: one with a list of characters beside it =="
	@$(IN_VENV)/ferrocr models pull ppocrv6-tiny
	@echo "== wheel =="
	@rm -rf $(WHEEL)
	@$(IN_VENV)/maturin build --release --quiet --out $(WHEEL)
	@$(IN_VENV)/python -m pip install --quiet --no-deps --no-index --target $(WHEEL)/installed $(WHEEL)/*.whl
	@echo "== pytest =="
	@PYTHONPATH=$(CURDIR)/$(WHEEL)/installed $(IN_VENV)/python -m pytest -n $(JOBS) --dist worksteal

test-plugins: build models ## The adapters for large programs, in environments of their own: PAPERLESS=its sources.
	@echo "== environment of the programs =="
	@"$(PYTHON)" -m venv $(PLUGINS)
	@$(PLUGINS)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	@rm -rf $(WHEEL)-plugins
	@$(IN_VENV)/maturin build --release --quiet --out $(WHEEL)-plugins
	@$(PLUGINS)/bin/python -m pip install --quiet --group plugins
	@$(PLUGINS)/bin/python -m pip install --quiet --force-reinstall --no-deps $(WHEEL)-plugins/*.whl
	@$(PLUGINS)/bin/python -m pip install --quiet "ferrocr[$(EXTRA)]"
	@echo "== pytest, adapters =="
	@$(PLUGINS)/bin/python -m pytest tests/test_integrations.py tests/test_integrations_docling.py \
		tests/test_batch_cluster.py
ifeq ($(PAPERLESS),)
	@echo "no PAPERLESS given: the parser is not tested in paperless-ngx. git clone its sources, and name the folder" >&2
else
	@echo "== environment of paperless-ngx =="
	@"$(PYTHON)" -m venv $(PLUGINS)-paperless
	@$(PLUGINS)-paperless/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	@$(IN_VENV)/python tests/paperless_needs.py "$(PAPERLESS)" > target/paperless.txt
	@$(PLUGINS)-paperless/bin/python -m pip install --quiet --requirement target/paperless.txt --group plugins-paperless
	@$(PLUGINS)-paperless/bin/python -m pip install --quiet --force-reinstall --no-deps $(WHEEL)-plugins/*.whl
	@$(PLUGINS)-paperless/bin/python -m pip install --quiet "ferrocr[$(EXTRA),paperless]"
	@echo "== pytest, paperless-ngx =="
	@PAPERLESS="$(PAPERLESS)" $(PLUGINS)-paperless/bin/python -m pytest tests/test_integrations_paperless.py
endif

docs: build models ## Build the documentation into target/docs. Warnings are errors.
	@echo "== documentation =="
	@$(IN_VENV)/python tools/build_docs.py

format: needs-cargo $(STAMP) ## Format the sources, and fix what the linter can fix.
	@echo "== rustfmt =="
	@$(CARGO) fmt
	@echo "== ruff =="
	@$(IN_VENV)/ruff check --fix
	@$(IN_VENV)/ruff format

bench: build models ## Measure: make bench PICTURES=folder ENGINES="rapidocr=path/to/python".
ifneq ($(wildcard benches/*.rs),)
	@echo "== cargo bench =="
	@$(CARGO) bench --locked --bench '*'
endif
	@echo "== benches/overhead.py =="
	@$(IN_VENV)/python benches/overhead.py
	@echo "== benches/compare.py =="
ifeq ($(PICTURES),)
	@echo "no PICTURES given: reading the drawn sample, which says nothing about accuracy" >&2
	@mkdir -p target/sample
	@$(IN_VENV)/python examples/sample.py target/sample/invoice.png
	@$(IN_VENV)/python benches/compare.py target/sample --repeat 10 $(ENGINES:%=--engine %) --engine ferrocr
else
	@$(IN_VENV)/python benches/compare.py "$(PICTURES)" $(ENGINES:%=--engine %) --engine ferrocr
endif

clean: ## Remove all that the other targets made, except fetched models.
	rm -rf $(VENV) $(PLUGINS) $(PLUGINS)-paperless target build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	rm -f python/ferrocr/_core.*.so
	rm -rf python/ferrocr/docs
	find python tests benches examples tools docs -name __pycache__ -type d -prune -exec rm -rf {} +

# The package in the environment, with the optimised core. Python files are used where they lie.
build: needs-cargo $(STAMP)
	@echo "== build =="
	@$(IN_VENV)/maturin develop --release --extras $(EXTRA)

models: build
	@echo "== models =="
	@$(IN_VENV)/ferrocr models pull

needs-cargo:
	@command -v $(CARGO) >/dev/null || { \
		echo "error: $(CARGO) is not on the PATH" >&2; \
		echo "hint: install Rust from https://rustup.rs, or run: make CARGO=/path/to/cargo" >&2; exit 1; }
	@wanted=$$(awk -F '"' '/^rust-version/ { print $$2 }' Cargo.toml); found=$$($(CARGO) --version); \
	echo "$$found" | awk -v wanted="$$wanted" \
		'{ split($$2, a, "."); split(wanted, b, "."); exit a[1] * 1000 + a[2] < b[1] * 1000 + b[2] }' || { \
		echo "error: ferrocr needs Rust $$wanted or later, and this is $${found:-none that runs}" >&2; \
		echo "hint: run: rustup update" >&2; exit 1; }

# --group needs pip 25.1; the one that comes with Python may be older.
$(STAMP): pyproject.toml
	@echo "== environment =="
	@command -v "$(PYTHON)" >/dev/null || { \
		echo "error: $(PYTHON) is not on the PATH" >&2; \
		echo "hint: run: make PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "error: ferrocr needs Python 3.11 or later, and $(PYTHON) is $$("$(PYTHON)" --version 2>&1)" >&2; \
		echo "hint: run: make PYTHON=/path/to/a/newer/python3" >&2; exit 1; }
	@$(IN_VENV)/python -m pip --version >/dev/null 2>&1 || "$(PYTHON)" -m venv --clear $(VENV) || { \
		echo "error: $(PYTHON) cannot make an environment in $(VENV)" >&2; \
		echo "hint: on Debian and Ubuntu run: apt install python3-venv" >&2; exit 1; }
	@$(IN_VENV)/python -m pip install --quiet --upgrade "pip>=25.1"
	@$(IN_VENV)/python -m pip install --quiet --group dev
	@touch $@
