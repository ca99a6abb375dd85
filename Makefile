# Every target sets up what it needs: a virtual environment in .venv, made again when pyproject.toml changes.
PYTHON ?= python3
OLDEST ?= python3.11
BIN := .venv/bin

.PHONY: demo test test-all test-lowest lint bench compare clean

demo: .venv/installed
	$(BIN)/fastmlp demo

test: .venv/test
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not slow"

test-all: .venv/test
	$(BIN)/python -m pytest

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
	rm -rf .venv .venv-lowest build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
