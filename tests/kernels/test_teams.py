"""Teams of any size, also of far more threads than the machine has cores: the same bits, and they end."""

import multiprocessing

import numpy as np
import pytest
from small_trainings import ADAM_RULE, DROPPED, ROWS, numbers, pictures, predict, train

from fastmlp import MLP
from fastmlp.kernels import epoch
from fastmlp.kernels import thread_team as team
from fastmlp.kernels.compress import compress

TEAMS = (1, 2, 3, 4, 7, 8, 16, 64)
BATCH = 300  # rows for 64 threads, and steps worth sharing


@pytest.fixture
def team_sizes(monkeypatch):
    """The sizes of all teams that are started."""
    sizes, run = [], team.run

    def run_and_tell(function, threads, *arguments):
        sizes.append(threads)
        run(function, threads, *arguments)

    monkeypatch.setattr(team, "run", run_and_tell)
    return sizes


def as_bytes(arrays):
    return b"".join(array.tobytes() for array in arrays)


TRAININGS = {
    "dense": lambda threads: train(numbers("float32"), batch_size=BATCH, threads=threads, passes=1),
    "sparse": lambda threads: train(compress(pictures()[0], "float32"), batch_size=BATCH, threads=threads, passes=1),
    "Adam with dropout": lambda threads: train(
        numbers("float32"), ADAM_RULE, batch_size=BATCH, threads=threads, keep=DROPPED, passes=1
    ),
}


@pytest.mark.parametrize("name", TRAININGS)
def test_teams_of_any_size_end_with_the_same_bits(name, team_sizes):
    results, reached = set(), []
    for threads in TEAMS:
        team_sizes.clear()
        results.add(as_bytes(TRAININGS[name](threads)))
        reached.append(max(team_sizes))
    assert len(results) == 1
    assert tuple(reached) == TEAMS


@pytest.mark.parametrize("threads", [7, 64])
def test_small_batches_by_columns_end_with_the_same_bits(threads, team_sizes, monkeypatch):
    monkeypatch.setattr(epoch, "STEP_WORTH_SHARING", 0)
    pixels, size = compress(pictures()[0], "float32"), epoch.COLUMNS_BATCH
    alone, shared = (as_bytes(train(pixels, batch_size=size, threads=count, passes=1)) for count in (1, threads))
    assert alone == shared
    assert max(team_sizes) == min(threads, size // epoch.GRAIN)


def test_passes_without_training_give_the_same_bits_to_teams_of_any_size(team_sizes, network, monkeypatch):
    monkeypatch.setattr(epoch, "PASS_WORTH_SHARING", 1)
    X, p = np.tile(numbers("float32"), (7, 1)), network((144, 20, 5), ("tanh",))
    results = {
        epoch.predict(p.layers, p.buffer, X, np.empty((7 * ROWS, 5), "float32"), threads).tobytes() for threads in TEAMS
    }
    assert len(results) == 1
    assert tuple(team_sizes) == TEAMS


def test_64_threads_by_the_environment_train_the_same_network(team_sizes, monkeypatch):
    weights = []
    for threads in ("1", "64"):
        monkeypatch.setenv("FASTMLP_THREADS", threads)
        mlp = MLP(hidden=(80,), batch_size=BATCH, epochs=2, seed=0).fit(numbers("float32"), pictures()[1])
        weights.append(as_bytes((*mlp.weights, *mlp.biases)))
    assert weights[0] == weights[1]
    assert max(team_sizes) == 64


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_process_started_in_any_way_computes_the_same(method):
    """Linux forks, macOS and Windows spawn; from Python 3.14 on Linux has a server that forks."""
    with multiprocessing.get_context(method).Pool(1) as pool:
        (there,) = pool.apply_async(predict, (numbers("float32"),)).get(120)
        trained = pool.apply_async(train, (numbers("float32"),), {"batch_size": BATCH, "threads": 2}).get(120)
    assert there.tobytes() == predict(numbers("float32"))[0].tobytes()
    assert as_bytes(trained) == as_bytes(train(numbers("float32"), batch_size=BATCH, threads=2))
