# make demo    the main job on a real city (a synthetic one where its extract cannot be fetched): build, run, draw the map
# make test    every test: Rust, Python, doc examples, notebooks, the documentation, the page in Chromium where there is one
# make check   formatting, lints, types
# make docs    the documentation, to docs/_build/html; every notebook is run
# make audit   licences and advisories of what we ship
# make peers   our times beside OSRM's and Valhalla's; needs Python 3.12 or newer, see python/tests/peers/README.md
# make fuzz    the readers on broken bytes, FUZZ_S seconds each; needs a C++ compiler
# make bench   speed and memory, answers compared first
# make clean   everything that was built here
#
# Needs git, a Rust toolchain (1.95 or newer), Python 3.10 or newer, make. CARGO_TARGET_DIR may name a folder outside
# the checkout, so that clones share what is compiled.

PYTHON ?= python3
PY := .venv/bin/python
PEERS_PYTHON ?= python3.12
HELSINKI := $(or $(WALKSHED_DATA),../shared/data)/helsinki/centre.osm.pbf
export VIRTUAL_ENV := $(CURDIR)/.venv
# One set of flags for tests and extension: another set would compile every dependency again. The benches stay out of it,
# because criterion asks a dependency of rayon for one more feature; `make check` compiles them too.
CARGO := cargo
FLAGS := --release --locked --workspace --exclude walkshed-benches --exclude walkshed-fuzz
ALL := --release --locked --workspace --all-targets

FUZZ_S ?= 10
FUZZ_TARGETS := $(basename $(notdir $(wildcard engine/fuzz/fuzz_targets/*.rs)))

.PHONY: demo test test-rust test-python docs peers check audit fuzz bench extension clean

demo: extension
	$(PY) datasets/demo.py demo

test: test-rust test-python

test-rust:
	$(CARGO) test $(FLAGS)

test-python: extension .venv/tests.done
	cd python && ../$(PY) -m pytest

docs: extension .venv/tests.done
	$(PY) -m sphinx -W --keep-going -q -c docs -b html . docs/_build/html

peers: extension .venv-peers/build.done
	PYTHONPATH=python/python .venv-peers/bin/python python/tests/peers/compare.py $(HELSINKI)

.venv-peers/build.done: python/requirements.txt python/tests/requirements.txt python/tests/peers/requirements.txt
	$(PEERS_PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --requirement python/tests/peers/requirements.txt
	touch $@

check: .venv/tests.done
	$(CARGO) fmt --all --check
	$(CARGO) clippy $(ALL) -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --locked --workspace --no-deps
	.venv/bin/ruff check python datasets benches docs notebooks
	.venv/bin/ruff format --check python datasets benches docs

audit:
	@command -v cargo-deny >/dev/null || $(CARGO) install --locked cargo-deny@0.20.2
	$(CARGO) deny --all-features check licenses bans sources advisories

# Members alone are instrumented; what they depend on is the main build's.
fuzz:
	RUSTC_WORKSPACE_WRAPPER=$(CURDIR)/engine/fuzz/instrument.sh $(CARGO) build --release --locked --workspace --exclude walkshed-benches --bins
	for target in $(FUZZ_TARGETS); do engine/fuzz/run.sh $$target $(FUZZ_S) || exit; done

bench: extension
	$(CARGO) bench --workspace --locked

extension: .venv/build.done
	.venv/bin/maturin develop --quiet --release --locked --manifest-path python/Cargo.toml

.venv/build.done: python/requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "walkshed needs Python 3.10 or newer: make PYTHON=python3.x")'
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --requirement python/requirements.txt
	touch $@

.venv/tests.done: .venv/build.done python/tests/requirements.txt docs/requirements.txt
	$(PY) -m pip install --quiet --requirement python/tests/requirements.txt --requirement docs/requirements.txt
	touch $@

clean:
	$(CARGO) clean
	rm -rf .venv .venv-peers demo docs/_build python/python/walkshed/_engine*.so
