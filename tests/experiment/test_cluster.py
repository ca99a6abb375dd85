"""Sweeps on a cluster: a real scheduler and real worker processes, on this machine."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from fastmlp.cli.main import main
from fastmlp.data import load_split
from fastmlp.errors import InputError
from fastmlp.experiment.executors.base import SweepData, fit_network
from fastmlp.experiment.executors.registry import open_executor
from fastmlp.runs.cells import Cell
from fastmlp.training.callbacks import Callback
from fastmlp.training.history import History

distributed = pytest.importorskip("distributed", reason="the extra `dask` is not installed")

KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # which is the same on Windows
SECONDS = 60  # that anything here may take on a busy machine


class DaskOnLoopback:
    """A scheduler, and workers that are processes of their own, without a nanny that would start them again."""

    def __init__(self, folder):
        self.folder, self.processes, self.memory = folder, [], "auto"
        file = folder / "scheduler.json"
        self._run("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
        self.address = until(lambda: json.loads(file.read_text()) if file.exists() else None)["address"]
        self.client = distributed.Client(self.address, timeout=SECONDS, set_as_default=False)

    def _run(self, subcommand, *arguments):
        command = [sys.executable, "-m", "dask", subcommand, *arguments, "--no-dashboard"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.processes.append(subprocess.Popen(command, cwd=self.folder, **quiet))

    def with_workers(self, threads, memory="auto"):
        """One worker for each number of threads, which gets so much memory, and no others."""
        there = sorted(self.client.ncores().values())
        if (there, self.memory) != (sorted(threads), memory):
            self.memory = memory
            self.client.retire_workers(list(self.client.ncores()), close_workers=True)
            for count in threads:
                options = ("--no-nanny", "--nthreads", str(count), "--memory-limit", memory)
                self._run("worker", self.address, *options)
            until(lambda: sorted(self.client.ncores().values()) == sorted(threads))
        return self

    def kill_a_busy_worker(self):
        busy = until(lambda: [address for address, keys in self.client.processing().items() if keys])
        os.kill(self.client.run(os.getpid, workers=busy[:1])[busy[0]], KILL)

    def cells_that_lost_a_worker(self):
        return self.client.run_on_scheduler(
            lambda dask_scheduler: sum(prefix.suspicious for prefix in dask_scheduler.task_prefixes.values())
        )

    def sent(self):
        """Whether data were sent to the workers: they hold something that is no result of a cell."""
        return any(not key.startswith("fastmlp-") for keys in self.client.has_what().values() for key in keys)

    def close(self):
        self.client.close()
        for process in self.processes:
            process.kill()
            process.wait()


def until(condition):
    """What `condition` returns, when that is true at last."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        with contextlib.suppress(json.JSONDecodeError):  # a file that is half written
            if value := condition():
                return value
        time.sleep(0.02)
    raise TimeoutError(condition)


@pytest.fixture(scope="module")
def dask(tmp_path_factory):
    cluster = DaskOnLoopback(tmp_path_factory.mktemp("dask"))
    yield cluster
    cluster.close()


@pytest.fixture(scope="module")
def data(train_file):
    """The training and the validation part, with the arguments of load_split that gave them."""
    options = {"name": str(train_file), "validation": 0.25}
    return SweepData(*load_split(train_file, validation=0.25), options)


def cell(seed, **settings):
    shared = {"hidden": (8,), "batch_size": 20, "learning_rate": 0.1, "epochs": 5, "seed": seed}
    slug, label = f"seed-{seed}", f"seed {seed}"
    return Cell(slug, label, {**shared, **settings}, slug, label)


SHORT_AND_LONG = [cell(0), *(cell(seed, epochs=3000) for seed in range(1, 5))]


@contextlib.contextmanager
def on_dask(dask):
    """The executor, connected to the scheduler."""
    with contextlib.closing(open_executor("dask", scheduler=dask.address)) as executor:
        yield executor


def bits(mlp):
    return [array.tobytes() for array in (*mlp.weights, *mlp.biases)]


@pytest.fixture(scope="module")
def local(data):
    """The bits that this machine's threads give."""
    return {at: bits(fit_network(one.settings, data, threads=2)) for at, one in enumerate(SHORT_AND_LONG)}


@pytest.mark.parametrize(("threads", "by_path"), [pytest.param((1, 1), True, marks=pytest.mark.slow), ((1, 2), False)])
def test_a_killed_workers_cells_are_trained_again_to_the_bits_of_a_local_run(dask, data, local, threads, by_path):
    dask.with_workers(threads)
    if not by_path:
        data = SweepData(*(replace(part, key="") for part in data.parts), data.options)
    home, sent, lost = {}, False, dask.cells_that_lost_a_worker()
    with on_dask(dask) as executor:
        for position, one in executor.train(SHORT_AND_LONG, data):
            if not home:
                sent = dask.sent()
                dask.kill_a_busy_worker()
            home[position] = bits(one.mlp)
    assert home == local
    assert sent != by_path
    assert dask.cells_that_lost_a_worker() > lost


def test_data_that_a_worker_does_not_find_in_the_file_are_sent(dask, tmp_path, train_file, test_file, local):
    dask.with_workers((1, 1))
    path = shutil.copy(train_file, tmp_path / "bars.npz")
    parts = load_split(path, validation=0.25)
    shutil.copy(test_file, path)
    data = SweepData(*parts, {"name": str(path), "validation": 0.25})
    with on_dask(dask) as executor:
        home = {position: bits(one.mlp) for position, one in executor.train(SHORT_AND_LONG[:2], data)}
    assert home == {position: local[position] for position in (0, 1)}


def test_a_cell_that_fails_or_diverges_is_told_and_the_others_go_on(dask, data, local):
    dask.with_workers((1, 1))
    cells = [
        SHORT_AND_LONG[0],
        cell(1, learning_rate=1e30),
        cell(2, hidden=(10**12,)),
    ]
    with on_dask(dask) as executor:
        home = dict(executor.train(cells, data))
    assert bits(home[0].mlp) == local[0]
    assert home[1].mlp.failure_reason.startswith(("diverged", "died"))
    assert [home[position].failed for position in range(3)] == [False, False, True]
    assert home[2].mlp.failure_reason.startswith("failed: ")


def test_when_nobody_waits_any_more_the_workers_stop(dask, data):
    dask.with_workers((1, 1))
    with (
        on_dask(dask) as executor,
        contextlib.closing(executor.train([cell(0), cell(1, epochs=10**7)], data)) as trained,
    ):
        next(trained)

    def idle():
        running = dask.client.run(lambda dask_worker: dask_worker.state.executing_count)
        return not any(running.values())

    assert until(idle)


def test_epochs_are_reported_when_their_cell_comes_home(dask, data):
    dask.with_workers((1, 1))
    seen = []

    class Recorder(Callback):
        def __init__(self, position):
            self.position = position

        def on_epoch_end(self, view):
            seen.append((self.position, view.record))

    with on_dask(dask) as executor:
        trained = executor.train([cell(0), cell(1)], data, callbacks=lambda position, cell: [Recorder(position)])
        for position, one in trained:
            assert [record for at, record in seen if at == position] == list(one.mlp.history)


@pytest.mark.parametrize("cells", [1, 5])
def test_the_cells_of_a_worker_never_use_more_cores_than_it_has(cells):
    from fastmlp.experiment.executors.dask import _Cores

    cores, lock, used, most = _Cores(), threading.Lock(), 0, 0

    def take(wanted):
        nonlocal used, most
        with cores.taken(wanted, 3):
            with lock:
                used += wanted
                most = max(most, used)
            time.sleep(0.005)
            with lock:
                used -= wanted

    team = [threading.Thread(target=take, args=(1 + number % 3,)) for number in range(4 * cells)]
    for thread in team:
        thread.start()
    for thread in team:
        thread.join()
    assert used == 0
    assert most == 3


# ------------------------------------------------------------------------------------------------- the command line


def test_a_sweep_on_a_cluster_is_the_sweep_on_this_machine(dask, tmp_path, swept, train_file, recipe_file, capsys):
    dask.with_workers((1, 1))
    other = tmp_path / "other"
    arguments = ["--data", str(train_file), "--recipe", str(recipe_file), "--out", str(other)]
    assert main(["sweep", *arguments, "--backend", "dask", "--scheduler", dask.address]) == 0
    assert capsys.readouterr().err.count("epoch 4 of 4") == 4
    for folder in (swept / "cells").iterdir():
        ours, theirs = (
            History.from_csv(run / "cells" / folder.name / "history.csv").to_dict() for run in (swept, other)
        )
        del ours["seconds"], theirs["seconds"]
        assert ours == theirs


@pytest.fixture
def silent_port():
    """A port on which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def refusal(capsys, folder, train_file, recipe_file, *options):
    arguments = ["--data", str(train_file), "--recipe", str(recipe_file), "--out", str(folder), *options]
    assert main(["sweep", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert not folder.exists()
    return err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--backend", "slurm"], "expected one of threads, dask, ray"),
        (["--backend", "dask"], "add --scheduler tcp://HOST:PORT"),
        (["--scheduler", "tcp://127.0.0.1:8786"], "add --backend dask"),
        (["--backend", "dask", "--scheduler", "nowhere"], "expected HOST:PORT"),
        (["--backend", "dask", "--scheduler", "tcp://127.0.0.1:port"], "expected HOST:PORT"),
    ],
)
def test_a_cluster_that_makes_no_sense_is_refused(capsys, tmp_path, train_file, recipe_file, options, message):
    assert message in refusal(capsys, tmp_path / "run", train_file, recipe_file, *options)


def test_a_scheduler_that_does_not_answer_is_one_line(capsys, tmp_path, train_file, recipe_file, silent_port):
    options = ("--backend", "dask", "--scheduler", f"tcp://127.0.0.1:{silent_port}")
    error = refusal(capsys, tmp_path / "run", train_file, recipe_file, *options)
    assert f"scheduler tcp://127.0.0.1:{silent_port} does not answer" in error


def test_a_backend_that_is_not_installed_is_named_with_its_mend(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"pip install 'fastmlp\[ray\]'"):
        open_executor("ray")


# Last, as a worker takes seconds to start, and those before share two.


def test_a_cell_that_has_killed_too_many_workers_fails_and_the_others_go_on(dask, data, local):
    dask.with_workers((1, 1))
    cells = [SHORT_AND_LONG[0], cell(1, epochs=10**6), cell(2, epochs=10**6)]
    dask.client.run_on_scheduler(lambda dask_scheduler: setattr(dask_scheduler, "allowed_failures", 0))
    home = {}
    try:
        with (
            on_dask(dask) as executor,
            contextlib.closing(executor.train(cells, data)) as trained,
        ):
            for position, one in trained:
                home[position] = one
                if len(home) == 1:
                    dask.kill_a_busy_worker()
                if len(home) == 2:
                    break
    finally:
        dask.client.run_on_scheduler(lambda dask_scheduler: setattr(dask_scheduler, "allowed_failures", 3))
    assert bits(home.pop(0).mlp) == local[0]
    assert "workers died" in next(iter(home.values())).mlp.failure_reason


def test_a_cell_gets_no_more_memory_than_dask_gives_its_worker(dask, data):
    dask.with_workers((1,), memory="1.5GB")
    with on_dask(dask) as executor:
        home = dict(executor.train([cell(0), cell(1, hidden=(20_000, 20_000), epochs=1)], data))
    assert [home[position].failed for position in range(2)] == [False, True]
    assert re.search(r"failed: .* needs .* of memory, and 1\.[0-4]?\d? GB are free", home[1].mlp.failure_reason)


def test_a_scheduler_without_workers_is_one_line(dask, capsys, tmp_path, train_file, recipe_file):
    dask.with_workers(())
    options = ("--backend", "dask", "--scheduler", dask.address)
    assert "has no worker; start some" in refusal(capsys, tmp_path / "run", train_file, recipe_file, *options)
