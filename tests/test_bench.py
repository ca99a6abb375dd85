"""The benchmarks that call kernels directly: a kernel whose parameters change must not leave them behind."""

import heapq
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
KERNELS = {"affine, relu", "delta, relu", "update", "sparse affine, relu", "sparse regroup", "sparse update"}


@pytest.mark.slow
def test_the_roofline_measures_every_kernel():
    command = [sys.executable, "-m", "bench.roofline", "--json", "--seconds", "0.02"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout)
    assert {kernel["kernel"] for kernel in measured["kernels"]} == KERNELS
    assert all(kernel["gflops"] > 0 for kernel in measured["kernels"])
    assert measured["peak_gflops"] > 0


IMPORTS = """
import importlib, pathlib, sys
sys.path.insert(0, "bench")  # as pytest does for what it collects there
for path in sorted(pathlib.Path("bench").glob("*.py")):
    try:
        importlib.import_module(f"bench.{path.stem}")
    except ModuleNotFoundError as error:
        print(path.stem, error.name)
"""


def test_every_module_of_the_benchmarks_finds_what_it_imports():
    done = subprocess.run([sys.executable, "-c", IMPORTS], cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert {line.split()[1] for line in done.stdout.splitlines()} <= {
        "jax",
        "torch",
        "pytest_benchmark",
        "threadpoolctl",
    }


SMALL = {
    "scaling": ["--quick", "--json"],
    "density": ["--rows", "500", "--repetitions", "1", "--json"],
    "stream": ["--rows", "8000", "--data", "glyphs", "--window", "4"],
    "tables": ["--data", "iris", "diabetes", "--seeds", "2"],
    "compare": ["--only", "batch500", "--peers", "course", "--rows", "1000", "--repetitions", "1"],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_a_small_measurement_runs_to_its_end(name):
    command = [sys.executable, "-m", f"bench.{name}", *SMALL[name]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) if "--json" in command else done.stdout.count("|") > 20


def test_the_page_of_benchmarks_is_the_one_that_its_figures_give(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    from bench.report import page

    measured = json.loads((ROOT / "docs" / "benchmarks.json").read_text(encoding="utf-8"))
    assert page(measured) == (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("cells", "seconds", "workers"), [(10, 5, 3), (7, 1, 7), (100, 2, 9), (12, 1, 4), (5, 3, 8)])
def test_the_computed_length_of_a_sweep_is_that_of_playing_it_through(monkeypatch, cells, seconds, workers):
    monkeypatch.syspath_prepend(ROOT)
    from bench.scaling import makespan

    serial = 0.25  # exact in binary
    free, home = [0.0] * min(workers, cells), []
    for _ in range(cells):
        home.append(heapq.heappop(free) + seconds)
        heapq.heappush(free, home[-1])
    clock = 0.0
    for arrival in sorted(home):
        clock = max(clock, arrival) + serial
    assert makespan(cells, seconds, workers, serial) == clock
