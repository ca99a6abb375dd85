"""Details of a training: penalties, checkpoints on the disk, teams, forms of the inputs, the clock."""

import math
import random

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.config.network import NetworkConfig
from fastmlp.kernels.update_rule import Rule, penalty
from fastmlp.training.callbacks import Callback
from fastmlp.training.checkpoints import CheckpointStore
from fastmlp.training.first_layer import BREAK_EVEN_DENSITY, compact, rows_at
from fastmlp.training.state import TrainingState
from fastmlp.training.team_size import (
    CHUNKS_BETWEEN_CLOSE_TRIALS,
    CHUNKS_BETWEEN_TRIALS,
    SECONDS_TO_START,
    TeamSize,
    cores_shared,
    team_size,
)
from fastmlp.training.trainer import SECONDS_AT_A_TIME

RANDOM = np.random.RandomState(8)


# --------------------------------------------------------------------------------------------------------- penalties


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_penalty_is_the_sum_over_all_weights(dtype):
    weights = [RANDOM.standard_normal(shape).astype(dtype) for shape in ((31, 17), (17, 1), (1, 5))]
    squares = math.fsum(float(w) ** 2 for W in weights for w in W.ravel())
    sizes = math.fsum(abs(float(w)) for W in weights for w in W.ravel())
    assert penalty(Rule(l2=0.3), weights) == pytest.approx(0.15 * squares, rel=1e-14)
    assert penalty(Rule(l1=0.2), weights) == pytest.approx(0.2 * sizes, rel=1e-14)
    assert penalty(Rule(l1=0.2, l2=0.3), weights) == pytest.approx(0.15 * squares + 0.2 * sizes, rel=1e-14)
    assert penalty(Rule(), weights) == 0


def folded(values):
    """The sum in the order that is promised, by Python's floats: no SIMD unit has a part in it."""
    while len(values) > 1:
        half = (len(values) + 1) // 2
        values = [v + values[half + k] if half + k < len(values) else v for k, v in enumerate(values[:half])]
    return values[0]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000, 4097])
def test_the_penalty_has_the_same_bits_on_every_cpu(size):
    numbers = [random.Random(size).uniform(-1e3, 1e3) for _ in range(size)]
    W = np.array(numbers).reshape(size, 1)
    assert penalty(Rule(l2=1.0), [W]) == 0.5 * folded([v * v for v in numbers])
    assert penalty(Rule(l1=1.0), [W]) == folded([abs(v) for v in numbers])


def test_the_penalty_changes_no_weight_and_takes_views_with_gaps():
    table = RANDOM.standard_normal((9, 16))
    before, view = table.copy(), table[:, :5]
    assert penalty(Rule(l2=2.0), [view]) == pytest.approx((view**2).sum(), rel=1e-14)
    np.testing.assert_array_equal(table, before)


# ------------------------------------------------------------------------------------------------------- checkpoints


def test_however_many_checkpoints_are_written_two_are_on_the_disk(tmp_path):
    store = CheckpointStore(tmp_path, identity="one")
    for number in range(1, 6):
        state = TrainingState.fresh(NetworkConfig(), 2, 3)
        state.learning_rate = 0.5
        store.write(number, *state.to_arrays())
        assert len(list(tmp_path.iterdir())) == min(number, 2)
        assert store.newest().record.epochs == number
    store.remove()
    assert not tmp_path.exists()


# ------------------------------------------------------------------------------------------------------------- teams


def trained(team, seconds_per_row, chunks):
    """The sizes of the team in so many chunks of 10,000 to 70,000 rows, each size taking its seconds per row."""
    sizes = []
    for chunk in range(chunks):
        rows = 10_000 * (1 + chunk % 7)
        sizes.append(team.choose(rows))
        team.record(sizes[-1], rows * seconds_per_row[sizes[-1]], rows)
    return sizes


@pytest.mark.parametrize(("seconds", "fastest", "slowest"), [({4: 1e-6, 1: 2e-6}, 4, 1), ({4: 2e-6, 1: 1e-6}, 1, 4)])
def test_the_fastest_team_trains_and_the_other_is_tried_now_and_then(seconds, fastest, slowest):
    sizes = trained(TeamSize(4), seconds, 10 * CHUNKS_BETWEEN_TRIALS)
    assert set(sizes[:4]) == {4, 1}
    assert 5 <= sizes[4:].count(slowest) <= 15
    assert sizes.count(fastest) > 0.9 * len(sizes)


def test_a_team_that_was_hardly_slower_when_it_was_first_tried_is_soon_tried_again():
    team = TeamSize(2)
    trained(team, {2: 1.2e-6, 1: 1e-6}, 5)
    assert trained(team, {2: 0.6e-6, 1: 1e-6}, CHUNKS_BETWEEN_CLOSE_TRIALS)[-3:] == [2, 2, 2]


def test_a_team_that_became_slower_is_left():
    team = TeamSize(2)
    assert trained(team, {2: 1e-6, 1: 2e-6}, 20)[-1] == 2
    assert trained(team, {2: 9e-6, 1: 2e-6}, 2 * CHUNKS_BETWEEN_TRIALS)[-1] == 1


def test_a_single_chunk_that_something_else_held_up_changes_nothing():
    team = TeamSize(2)
    trained(team, {2: 1e-6, 1: 2e-6}, 5)
    team.record(team.choose(10_000), 1.0, 10_000)
    assert trained(team, {2: 1e-6, 1: 2e-6}, 10) == [2] * 10


def test_the_time_of_the_first_chunk_in_which_kernels_are_loaded_says_nothing():
    team = TeamSize(2)
    team.record(team.choose(100), 60.0, 100)
    assert trained(team, {2: 1e-6, 1: 2e-6}, 12)[4:] == [2] * 8


def test_what_a_team_takes_to_start_counts_in_short_chunks_alone():
    team = TeamSize(2)
    team.record(2, 60.0, 1000)
    for size, seconds in ((2, SECONDS_TO_START + 1e-4), (1, 2e-4)) * 2:
        team.record(size, seconds, 1000)
    assert (team.choose(100), team.choose(10_000)) == (1, 2)


def test_sizes_are_tried_in_short_chunks_until_both_are_known():
    team, tried = TeamSize(2), []
    for _ in range(7):
        tried.append(team.is_trying)
        trained(team, {2: 1e-6, 1: 2e-6}, 1)
    assert tried == [True] * 5 + [False] * 2
    assert not TeamSize(1).is_trying


def test_the_next_training_of_a_kind_knows_what_the_last_one_took():
    team = team_size(2, "network", 32)
    assert team.rows_in(0.1) == 1
    trained(team, {2: 1e-6, 1: 2e-6}, 6)
    assert 100_000 <= team_size(2, "network", 32).rows_in(0.1) < 120_000
    assert not team_size(2, "network", 32).is_trying
    assert team_size(2, "network", 64).is_trying


def test_one_thread_is_a_team_of_one():
    assert set(trained(TeamSize(1), {1: 1e-6}, 100)) == {1}


def test_predictions_at_the_same_time_divide_the_cores_and_one_that_is_alone_has_them_all():
    with cores_shared(8) as alone, cores_shared(8) as second, cores_shared(8) as third, cores_shared(2) as fourth:
        assert (alone, second, third, fourth) == (8, 4, 2, 1)
    with pytest.raises(KeyboardInterrupt), cores_shared(8):
        raise KeyboardInterrupt
    with cores_shared(8) as alone_again:
        assert alone_again == 8


# ---------------------------------------------------------------------------------------------- forms of the inputs


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("density", [BREAK_EVEN_DENSITY - 0.1, BREAK_EVEN_DENSITY + 0.1])
def test_inputs_are_compressed_where_most_of_them_are_zero_and_only_there(dtype, density):
    X = np.where(RANDOM.random_sample((512, 100)) < density, 1, 0).astype(dtype)
    inputs, measured = compact(X, "float64" if dtype == "float64" else "float32")
    assert measured == pytest.approx(density, abs=0.02)
    assert (inputs is X) == (density > BREAK_EVEN_DENSITY)
    y = np.arange(512) % 2
    mlp = MLP(hidden=(3,), epochs=1, dtype="float64" if dtype == "float64" else "float32").fit(X, y)
    assert mlp.fit_info["first_layer"] == ("dense" if density > BREAK_EVEN_DENSITY else "sparse")
    assert mlp.fit_info["density"] == measured


def test_rows_of_compressed_inputs_are_those_of_dense_ones():
    X = np.where(RANDOM.random_sample((40, 9)) < 0.3, RANDOM.standard_normal((40, 9)), 0)
    X[5] = 0
    rows = np.array([5, 0, 39, 7, 7])
    compressed, density = compact(X, "float64", "sparse")
    assert density == compact(compressed, "float64")[1] == (X != 0).mean()
    picked = rows_at(compressed, rows)
    np.testing.assert_array_equal(compact(picked, "float64", "dense")[0], X[rows])
    np.testing.assert_array_equal(rows_at(X, rows), X[rows])


# --------------------------------------------------------------------------------------------------------- the clock


def test_ctrl_c_is_felt_within_a_tenth_of_a_second_or_so():
    assert 0.02 <= SECONDS_AT_A_TIME <= 0.2

    class Positions(Callback):
        def __init__(self):
            self.seen = []

        def on_chunk_end(self, view):
            self.seen.append(view.position)

    # So much work that an epoch takes seconds: Python is entered on the way.
    X, y = RANDOM.standard_normal((30_000, 64)).astype(np.float32), np.arange(30_000) % 5
    positions = Positions()
    MLP(hidden=(400, 400), batch_size=50, epochs=1, train_metrics="running", threads=1).fit(X, y, callbacks=[positions])
    assert len(positions.seen) > 3
