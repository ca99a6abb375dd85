# Every target sets up what it needs: a virtual environment in .venv, installed again when pyproject.toml changes.
# PYTHON=... chooses its Python, and makes it anew where it has another one; without it a .venv stays, and a new one has
# python3. It is made anew too where its Python is gone or too old, or where it was made for another folder, whose code it
# would run: that of a copied or a moved checkout. What something else made is left alone.
OLDEST ?= python3.11
BIN := .venv/bin
# Of an installation that uses this folder setuptools prints eight lines, on folders that are called as a package is.
PIP := PYTHONWARNINGS="ignore:Editable installation" $(BIN)/python -m pip install --quiet --disable-pip-version-check

# Data sets beside the checkout, where there are any and no other folder was chosen.
ifeq ($(origin FASTMLP_DATA),undefined)
ifneq ($(wildcard ../shared/data),)
export FASTMLP_DATA := $(abspath ../shared/data)
endif
endif

# Bytecode is kept, though the environment may say no: tests start Python some hundred times, and would compile the same
# sources each time.
export PYTHONDONTWRITEBYTECODE :=

ifneq ($(MAKECMDGOALS),clean)
VERSION := import sys; v = "%d.%d.%d" % sys.version_info[:3]; print(v if sys.version_info >= (3, 11) else "old " + v)
MADE_FOR := $(shell cat .venv/made-for 2>/dev/null)
$(if $(and $(wildcard .venv),$(if $(MADE_FOR),,other)),$(error .venv is there and was not made by this Makefile; move it \
    away, or use it with pip in place of make, as in .venv/bin/python -m pip install -e ".[test]"))
FOUND := $(if $(subst $(CURDIR),,$(MADE_FOR)),,$(shell $(BIN)/python -c '$(VERSION)' 2>/dev/null))
PRESENT := $(if $(filter old,$(FOUND)),,$(FOUND))
ifeq ($(if $(PYTHON),,$(PRESENT)),)
PYTHON := $(or $(PYTHON),python3)
WANTED := $(shell $(PYTHON) -c '$(VERSION)' 2>/dev/null)
ADVICE := fastmlp needs 3.11 or newer, such as PYTHON=python3.12
$(if $(WANTED),,$(error $(PYTHON) is no Python that can be run; $(ADVICE)))
$(if $(filter old,$(WANTED)),$(error $(PYTHON) is Python $(filter-out old,$(WANTED)); $(ADVICE)))
endif
endif

.PHONY: demo test test-all test-cpus test-arm test-lowest oracles trackers package lint docs bench compare clean anew

demo: .venv/installed
	$(BIN)/fastmlp demo $(DEMO)

QUICK := -n auto --dist loadfile --no-loadscope-reorder -m "not slow and not oracle"

test: .venv/test
	$(BIN)/python -m pytest $(QUICK)

test-all: .venv/test .venv/oracle
	$(BIN)/python -m pytest

# Against PyTorch, where it can be had; no test fails for want of it.
oracles: .venv/test .venv/oracle
	if $(BIN)/python -c "import torch" 2>/dev/null; then $(BIN)/python -m pytest -m oracle; fi

# The fast tests as on an x86-64 CPU with AVX2, and as on one with SSE2 alone.
AVX2 := NUMBA_CPU_NAME=haswell NUMBA_CPU_FEATURES=+avx,+avx2,+fma,+bmi,+bmi2,+f16c,+popcnt,+sse4.2
SSE2 := NUMBA_CPU_NAME=x86-64 NUMBA_CPU_FEATURES=+sse2

test-cpus: .venv/test
	$(AVX2) $(BIN)/python -m pytest $(QUICK)
	$(SSE2) $(BIN)/python -m pytest $(QUICK)

# An ARM processor, emulated: its digests beside this machine's, then kernels against the reference. Needs Debian or
# Ubuntu on x86-64 with root or sudo. About 25 minutes on two busy cores of a server, most of it compiling; half of them
# are the digests.
ARM_TESTS := $(patsubst %,tests/kernels/test_%.py,cpu signatures random_bits activations dense softmax optimizer gradients)

test-arm: .venv/test
	launcher=$$(tests/arm64/python.sh) && $(BIN)/python tests/arm64/compare.py "$$launcher" \
	    && "$$launcher" -m pytest -p no:cacheprovider -m "not slow" $(ARM_TESTS)

# The oldest versions that pyproject.toml allows, in an environment of their own.
test-lowest: .venv-lowest/test
	.venv-lowest/bin/python -m pytest $(QUICK)

# The page on experiment trackers with the real packages, about 200 MB that nothing else needs.
trackers: .venv/test .venv/tracking
	$(BIN)/python -m pytest tests/test_tracking.py

# The archive of the sources and the wheel: whole, and at work in environments of their own, about a minute.
package: .venv/test
	$(BIN)/python -m pytest tests/test_packaging.py

lint: .venv/test .venv/lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy

# The site, to docs/_build/html: a warning is an error.
docs: .venv/docs
	rm -rf docs/_build docs/generated
	$(BIN)/python -m sphinx -q -W --keep-going docs docs/_build/html

bench: .venv/bench
	$(BIN)/python -m pytest -c bench/pytest.ini bench

# Peers that cannot be installed are named as absent. COMPARE="--quick --only table batch500" chooses, COMPARE="--out
# docs" writes the page, COMPARE="--out docs --cpu haswell" beside it what a CPU without AVX-512 takes.
PEERS ?= scikit-learn torch jax keras

compare: .venv/peers
	$(BIN)/python -m bench.compare $(COMPARE)

.venv/peers: .venv/bench
	for peer in $(PEERS); do $(PIP) $$peer || true; done
	touch $@

ifneq ($(PRESENT),$(or $(WANTED),$(PRESENT)))
.venv/pip: anew
endif

.venv/pip:
	rm -rf .venv
	mkdir .venv
	echo "$(CURDIR)" > .venv/made-for
	$(PYTHON) -m venv .venv
	$(PIP) --upgrade pip
	touch $@

.venv/installed: .venv/pip pyproject.toml
	$(PIP) -e .
	touch $@

.venv/test .venv/lint .venv/docs .venv/bench .venv/tracking: .venv/%: .venv/installed
	$(PIP) -e ".[$*]"
	touch $@

# Of this version there is a build for CPUs alone; a build for GPUs brings several GB along, and is not installed.
TORCH ?= torch==2.13.0

NAMES := import json, sys; print(*(item["metadata"]["name"] for item in json.load(sys.stdin)["install"]))

.venv/oracle: .venv/test
	@offered=$$($(PIP) --dry-run --report - "$(TORCH)" 2>/dev/null | $(BIN)/python -c '$(NAMES)' 2>/dev/null) \
	    || offered=nothing; \
	case $$offered in \
	    nothing) echo "$(TORCH) cannot be installed here: its oracles are skipped" ;; \
	    *nvidia*) echo "$(TORCH) is a build for GPUs here: its oracles are skipped; install a CPU build into .venv" ;; \
	    *) $(PIP) "$(TORCH)" "keras>=3" && touch $@ ;; \
	esac

.venv-lowest/test: pyproject.toml
	$(OLDEST) -m venv --clear .venv-lowest
	.venv-lowest/bin/python .ci/lowest.py > .venv-lowest/lowest.txt
	$(subst $(BIN),.venv-lowest/bin,$(PIP)) -c .venv-lowest/lowest.txt -e ".[test]"
	touch $@

clean:
	rm -rf .venv .venv-lowest .arm64 build dist docs/_build docs/generated *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
