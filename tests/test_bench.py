"""The benchmarks that call kernels directly: a kernel whose parameters change must not leave them behind."""

import heapq
import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg

from fastmlp import MLP
from fastmlp.data import load

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
    "speedrun": ["--validate", "--only", "half-second", "--peers", "scikit-learn", "--rows", "1000", "--seeds", "1"],
    "compare": ["--only", "batch500", "--peers", "course", "--rows", "1000", "--repetitions", "1"],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_a_small_measurement_runs_to_its_end(name):
    command = [sys.executable, "-m", f"bench.{name}", *SMALL[name]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) if "--json" in command else done.stdout.count("|") > 20


def test_the_page_of_benchmarks_and_the_table_of_the_readme_are_those_that_the_figures_give(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    from bench.report import page, readme

    measured = json.loads((ROOT / "docs" / "benchmarks.json").read_text(encoding="utf-8"))
    assert page(measured) == (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    first = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme(first, measured) == first


def test_exponentials_of_matrices_are_those_of_scipy(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    from bench.samples import exponentials

    X, y = exponentials(50)
    for matrix, exponential in zip(X, y, strict=True):
        expected = scipy.linalg.expm(matrix.reshape(2, 2).astype(float))
        np.testing.assert_allclose(exponential.reshape(2, 2), expected, rtol=1e-5, atol=1e-6)


# Of each kind one: plain SGD and Adam, classes and numbers, relu and tanh, some rows a step and all.
@pytest.mark.parametrize("name", ["a9a", "digits", "numbers", "tiny"])
def test_the_competitors_take_the_same_steps(name, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    from bench import peers
    from bench.workloads import WORKLOADS, Task, loss, write_task

    workload = next(workload for workload in WORKLOADS if workload.name == name)
    if workload.data == "a9a":
        workload = replace(workload, data="glyphs")
    write_task(workload, tmp_path, limit=400)
    task, losses = Task(tmp_path), {}
    for kind in (peers.CourseNumpy, peers.CarefulNumpy, peers.ScikitLearn, peers.Fastmlp):
        peer = kind(task, 1)
        for _ in range(2):  # the second time from the start again
            peer.start()
            peer.begin(task.order)
            peer.train()
            losses.setdefault(kind.title, []).append(loss(task, *peer.arrays()))
    gained = loss(task, task.weights, task.biases) - losses[peers.CourseNumpy.title][0]
    assert gained > 0
    for found in losses.values():
        assert found == pytest.approx([losses[peers.CourseNumpy.title][0]] * 2, abs=1e-3 * gained)


def test_what_was_measured_as_another_cpu_is_kept_beside_and_only_for_this_machine(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    from bench.compare import _beside
    from bench.report import page

    path = tmp_path / "benchmarks.json"
    here = json.loads((ROOT / "docs" / "benchmarks.json").read_text(encoding="utf-8")) | {"cpus": {}}
    path.write_text(json.dumps(here), encoding="utf-8")
    slower = json.loads(json.dumps(here))
    del slower["cpus"]
    for entry in slower["workloads"][0]["entries"]:
        entry["median_ms"] *= 3
    both = _beside(slower, "haswell", path)
    assert both == here | {"cpus": {"haswell": slower}}
    assert "fastmlp, held to AVX2" in page(both)
    assert "Held to AVX2 (on the same machine" in page(both)
    path.write_text(json.dumps(both), encoding="utf-8")
    again = _beside(here, "native", path)
    assert again["cpus"] == both["cpus"]
    assert [each["entries"] for each in again["workloads"]] == [each["entries"] for each in both["workloads"]]
    assert _beside(here | {"machine": {"cpu": "another"}}, "native", path)["cpus"] == {}


def test_what_a_later_run_on_the_same_machine_left_out_stays_with_its_command(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    from bench.compare import _beside
    from bench.report import page

    path = tmp_path / "benchmarks.json"
    whole = json.loads((ROOT / "docs" / "benchmarks.json").read_text(encoding="utf-8"))
    path.write_text(json.dumps(whole), encoding="utf-8")
    first = whole["workloads"][0]
    part = whole | {"workloads": [first], "command": "measure the first", "date": "2026-01-01"}
    both = _beside(part, "native", path)
    names = [[each["workload"]["name"] for each in one["workloads"]] for one in (whole, both)]
    assert names[0] == names[1]
    assert both["workloads"][0] == first
    assert both["workloads"][1]["command"] == whole["workloads"][1].get("command", whole["command"])
    assert "`measure the first` wrote it, on 2026-01-01." in page(both)
    assert f"What this left out stands from `{both['workloads'][1]['command']}`" in page(both)
    assert _beside(part | {"machine": {"cpu": "another"}}, "native", path)["workloads"] == [first]

    path.write_text(json.dumps(whole | {"cpus": {"haswell": whole}}), encoding="utf-8")
    held = _beside(part, "haswell", path)
    assert [each["workload"]["name"] for each in held["cpus"]["haswell"]["workloads"]] == names[0]
    assert "by `measure the first` on 2026-01-01, what this left out by `" in page(held)


FEATURES = """
try:
    import numpy._core._multiarray_umath as umath
except ModuleNotFoundError:  # numpy 1
    import numpy.core._multiarray_umath as umath
from fastmlp.kernels.cpu import REGISTER_BYTES
used = [name for name in umath.__cpu_dispatch__ if umath.__cpu_features__[name]]
print(REGISTER_BYTES, any("512" in name or name == "X86_V4" for name in used))
"""


def test_libraries_can_be_held_to_the_instructions_of_an_older_cpu(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    from bench.cpus import CPUS
    from fastmlp.kernels.cpu import REGISTER_BYTES

    if platform.machine() not in ("x86_64", "AMD64") or REGISTER_BYTES < 32:
        pytest.skip("this CPU has no AVX2")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FEATURES],
        cwd=ROOT, env={**os.environ, **CPUS["haswell"]}, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["32", "False"]


def test_another_cpu_is_refused_where_there_is_no_page_to_put_it_beside(tmp_path):
    command = [sys.executable, "-m", "bench.compare", "--cpu", "haswell", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert done.returncode == 2
    assert "benchmarks.json is not there" in done.stderr
    assert list(tmp_path.iterdir()) == []


def ran(budget, accuracies, seconds):
    """What the speed run finds for a budget: fastmlp's accuracies, each after so many seconds, and one of PyTorch's."""
    runs = [{"peer": "fastmlp", "seed": i, "seconds": seconds, "accuracy": found} for i, found in enumerate(accuracies)]
    runs.append({"peer": "torch", "seed": 0, "seconds": 4 * seconds, "accuracy": 0.9})
    return {"budget": asdict(budget), "runs": runs, "absent": {"scikit-learn": "sklearn is not installed"}}


def test_the_speed_run_shows_medians_and_keeps_what_the_same_machine_ran_before(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    from bench import machine, speedrun
    from bench.speedrun_budgets import BUDGETS

    about = {"date": "2026-01-01", "command": "run", "machine": machine.describe(), "minutes": 1.0}
    short, longer = BUDGETS[:2]
    (tmp_path / "images").mkdir()
    speedrun.write({**about, "budgets": [ran(longer, [0.99], 1.5)]}, tmp_path)
    speedrun.write({**about, "budgets": [ran(short, [0.7, 0.983, 0.982], 0.4)]}, tmp_path)
    measured = json.loads((tmp_path / "speedrun.json").read_text(encoding="utf-8"))
    assert [result["budget"]["name"] for result in measured["budgets"]] == [short.name, longer.name]
    text = (tmp_path / "speedrun.md").read_text(encoding="utf-8")
    assert "| fastmlp | **98.20%** | 70.00% to 98.30% | 0.40 | 3 |" in text
    assert "| PyTorch, eager | 90.00% |  | 1.60 | 1 |" in text
    assert "sklearn is not installed" in text
    assert (tmp_path / "images" / "speedrun.png").read_bytes().startswith(b"\x89PNG")
    alone = ran(short, [0.984], 0.3)
    alone = {**alone, "runs": alone["runs"][:1], "absent": dict.fromkeys(("torch", "scikit-learn"), speedrun.LEFT_OUT)}
    speedrun.write({**about, "budgets": [alone]}, tmp_path)
    text = (tmp_path / "speedrun.md").read_text(encoding="utf-8")
    assert "| fastmlp | **98.40%** |  | 0.30 | 1 |" in text
    assert "| PyTorch, eager | 90.00% |  | 1.60 | 1 |" in text
    assert "sklearn is not installed" in text


def test_the_judge_of_the_speed_run_counts_as_the_network_does(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    from bench.speedrun import judge

    dataset = load("glyphs")
    X, y = dataset.X[:300], dataset.y[:300]
    mlp = MLP(hidden=(16,), scaling="pixels", epochs=5, batch_size=20, learning_rate=0.1).fit(X, y)
    assert 0.2 < judge(mlp.weights, mlp.biases, X, y) == pytest.approx(mlp.score(X, y))


def test_scikit_learn_follows_the_schedule_of_the_speed_run(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    from bench.speedrun_budgets import BUDGETS
    from bench.speedrun_trainers import fastmlp, scikit_learn

    dataset = load("glyphs")
    X, y = dataset.X[:2000], dataset.y[:2000]
    budget = replace(BUDGETS[0], hidden=(16,), epochs=3)
    for train in (scikit_learn, fastmlp):
        (first, second), (_, biases) = train(budget, X, y, seed=0)
        assert (first.shape, second.shape, biases.shape) == ((X.shape[1], 16), (16, 10), (10,))
        frozen, _ = train(replace(budget, learning_rate=1e-12), X, y, seed=0)
        moved = np.abs(first - frozen[0]).mean()
        assert 1e-4 < moved < 1


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
