# Every target sets up what it needs: a virtual environment in .venv, made again when pyproject.toml changes.
PYTHON ?= python3
OLDEST ?= python3.11
BIN := .venv/bin

# Data sets beside the checkout, where there are any and no other folder was chosen.
ifeq ($(origin FASTMLP_DATA),undefined)
ifneq ($(wildcard ../shared/data),)
export FASTMLP_DATA := $(abspath ../shared/data)
endif
endif

.PHONY: demo test test-all test-cpus test-arm test-lowest lint bench compare clean

demo: .venv/installed
	$(BIN)/fastmlp demo $(DEMO)

test: .venv/test
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not slow"

test-all: .venv/test
	$(BIN)/python -m pytest

# The fast tests as on an x86-64 CPU with AVX2, and as on one with SSE2 alone.
AVX2 := NUMBA_CPU_NAME=haswell NUMBA_CPU_FEATURES=+avx,+avx2,+fma,+bmi,+bmi2,+f16c,+popcnt,+sse4.2
SSE2 := NUMBA_CPU_NAME=x86-64 NUMBA_CPU_FEATURES=+sse2

test-cpus: .venv/test
	$(AVX2) $(BIN)/python -m pytest -n auto --dist loadfile -m "not slow"
	$(SSE2) $(BIN)/python -m pytest -n auto --dist loadfile -m "not slow"

# An ARM processor, emulated: its digests beside this machine's, then kernels against the reference. Needs Debian or
# Ubuntu on x86-64 with root or sudo. About 25 minutes on two busy cores of a server, most of it compiling; half of them
# are the digests.
ARM_TESTS := $(patsubst %,tests/kernels/test_%.py,cpu signatures random_bits activations dense softmax optimizer gradients)

test-arm: .venv/test
	launcher=$$(tests/arm64/python.sh) && $(BIN)/python tests/arm64/compare.py "$$launcher" \
	    && "$$launcher" -m pytest -p no:cacheprovider -m "not slow" $(ARM_TESTS)

# The oldest versions that pyproject.toml allows, in an environment of their own.
test-lowest: .venv-lowest/test
	.venv-lowest/bin/python -m pytest -n auto --dist loadfile -m "not slow"

lint: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/bench
	$(BIN)/python -m pytest -c bench/pytest.ini bench

# Peers that cannot be installed are named as absent. COMPARE="--quick --only batch500" chooses, COMPARE="--out docs"
# writes the page.
PEERS ?= scikit-learn torch jax

compare: .venv/peers
	$(BIN)/python -m bench.compare $(COMPARE)

.venv/peers: .venv/bench
	for peer in $(PEERS); do $(BIN)/python -m pip install --quiet --disable-pip-version-check $$peer || true; done
	touch $@

.venv/pip:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	touch $@

.venv/installed: .venv/pip pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

.venv/test .venv/bench: .venv/%: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[$*]"
	touch $@

.venv-lowest/test: pyproject.toml
	$(OLDEST) -m venv --clear .venv-lowest
	.venv-lowest/bin/python .ci/lowest.py > .venv-lowest/lowest.txt
	.venv-lowest/bin/python -m pip install --quiet --disable-pip-version-check -c .venv-lowest/lowest.txt -e ".[test]"
	touch $@

clean:
	rm -rf .venv .venv-lowest .arm64 build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
