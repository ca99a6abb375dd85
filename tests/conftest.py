import os
import shutil
import time

# One thread for the products of NumPy and SciPy: more processes than there are cores run tests, and more threads would
# mostly spin, waiting for one another. Read when NumPy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import hypothesis
import numpy as np
import pytest

from fastmlp.cli.main import main
from fastmlp.kernels import cache
from fastmlp.kernels.thread_team import available_cores

RECIPE = """
title = "Bars"

[data]
validation = 0.25

[network]
hidden = [8]

[training]
batch_size = 20
epochs = 4
decay_epochs = [2, 3]
seed = 3

[grid]
activation = ["tanh", "relu"]
learning_rate = [0.5, 0.05]
"""

# A machine that does much else besides may take seconds to draw an example or to try it.
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")

# Files whose tests take long together begin first, the longest before others: one that is left for the end keeps all
# other processes waiting. Those that start processes of their own come after those that compile what these need.
LONGEST = (
    *("test_other_cpus.py", "test_kernel_cache.py", "test_docs_commands.py", "test_losses_and_optimizers.py"),
    *("test_golden_bits.py", "test_faults.py", "test_hard_runs.py", "test_cluster.py", "test_kill.py"),
)
MOST_SECONDS = 60  # to wait for a kernel that another process compiles


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """One process more than there are cores: many tests wait for a process of their own."""
    return available_cores() + 1


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """Let each process begin to read the tests elsewhere: what one has compiled to bytecode, the others load."""
    report = yield
    worker, workers = os.environ.get("PYTEST_XDIST_WORKER"), os.environ.get("PYTEST_XDIST_WORKER_COUNT")
    if worker and isinstance(collector, pytest.Dir) and report.passed:
        begin = len(report.result) * int(worker.removeprefix("gw")) // int(workers)
        report.result = report.result[begin:] + report.result[:begin]
    return report


def pytest_collection_modifyitems(items):
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: (places.get(item.path.name, len(places)), item.path))


@pytest.fixture(scope="session", autouse=True)
def no_kernel_compiled_twice(tmp_path_factory):
    """Of the processes that run tests and need the same kernel, one compiles it and the others wait for its file."""
    folder, others = cache.directory(), tmp_path_factory.getbasetemp().parent / "compiling"
    asked = cache.on_miss

    def on_miss(name, path):
        asked(name, path)
        if path.parent != folder:  # a test's own
            return
        mark, end = others / path.name, time.monotonic() + MOST_SECONDS
        try:
            with open(mark, "x") as file:
                file.write(str(os.getpid()))
        except FileExistsError:
            while not path.exists() and mark.read_text() != str(os.getpid()) and time.monotonic() < end:
                time.sleep(0.01)

    with pytest.MonkeyPatch.context() as patch:
        if "PYTEST_XDIST_WORKER" in os.environ:
            others.mkdir(exist_ok=True)
            patch.setattr(cache, "on_miss", on_miss)
        yield


def bars(count, seed):
    """Images (count, 8, 8) uint8 with a bright bar at the top, in the middle or at the bottom, and which it is."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, count)
    images = random.integers(0, 90, (count, 8, 8))
    for image, label in zip(images, labels, strict=True):
        image[1 + 2 * label : 3 + 2 * label] += random.integers(20, 110)
    return images.astype(np.uint8), labels


def write_bars(path, count, seed):
    images, labels = bars(count, seed)
    np.savez(path, images=images, labels=labels)
    return path


@pytest.fixture(scope="session")
def cell_folder():
    """A function that gives the folder of a cell in the folder of a run."""

    def cell_folder(run, slug):
        (folder,) = (run / "cells").glob(f"{slug}-????????")
        return folder

    return cell_folder


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """A folder for what no test changes."""
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="session")
def train_file(shared):
    """A data file with 200 training images of three classes."""
    return write_bars(shared / "bars.npz", 200, seed=1)


@pytest.fixture(scope="session")
def test_file(shared):
    """A data file with 60 other images."""
    return write_bars(shared / "other-bars.npz", 60, seed=2)


@pytest.fixture(scope="session")
def recipe_file(shared):
    """A recipe of four small networks."""
    path = shared / "bars.toml"
    path.write_text(RECIPE, encoding="utf-8")
    return path


@pytest.fixture
def written(tmp_path):
    """A function that writes a recipe and returns its path."""

    def write(text):
        path = tmp_path / "mine.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def sweep_made_once(shared, train_file, recipe_file):
    folder = shared / "swept"
    assert main(["sweep", "--data", str(train_file), "--recipe", str(recipe_file), "--out", str(folder)]) == 0
    return folder


@pytest.fixture(scope="session")
def retraining_made_once(shared, sweep_made_once):
    folder = shutil.copytree(sweep_made_once, shared / "retrained")
    assert main(["retrain", str(folder)]) == 0
    return folder


@pytest.fixture
def swept(tmp_path, sweep_made_once):
    """The folder of a finished sweep."""
    return shutil.copytree(sweep_made_once, tmp_path / "run")


@pytest.fixture
def retrained(tmp_path, retraining_made_once):
    """The folder of a sweep whose best network was trained again."""
    return shutil.copytree(retraining_made_once, tmp_path / "run")
