"""A training that is interrupted goes on to the bits it would have had."""

import threading
from pathlib import Path

import h5py
import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.data import CSR, Stream
from fastmlp.errors import InputError
from fastmlp.kernels import reference
from fastmlp.training.callbacks import Callback
from fastmlp.training.checkpoints import CheckpointStore, Paused

random = np.random.default_rng(5)
X = random.integers(0, 256, (240, 30)).astype(np.uint8)
Y = X.reshape(240, 3, 10).sum(axis=2).argmax(axis=1)
HELD_OUT = X[200:], Y[200:]
SETTINGS = {"hidden": (16, 8), "batch_size": 10, "epochs": 4, "threads": 2, "seed": 3, "scaling": "pixels"}


class StopAfter(threading.Event):
    """An event that is set when it was looked at so many times."""

    def __init__(self, looks):
        super().__init__()
        self._looks = looks

    def is_set(self):
        self._looks -= 1
        return self._looks < 0


def fit(folder=None, looks=None, data=(X[:200], Y[:200]), **settings):
    checkpoint = folder
    if looks is not None:
        checkpoint = CheckpointStore(folder, seconds=0.0, stop=StopAfter(looks))
    return MLP(**{**SETTINGS, **settings}).fit(*data, HELD_OUT, checkpoint=checkpoint)


def fit_with_interruptions(folder, **settings):
    """The network, and how often its training was stopped: ever later, so that it is stopped at ever other places."""
    for looks in range(1, 1000):
        try:
            return fit(folder, looks, **settings), looks - 1
        except Paused:
            continue
    raise AssertionError("the training never came to its end")


def same(one, other):
    columns, others = one.history.to_dict(), other.history.to_dict()
    del columns["seconds"], others["seconds"]
    np.testing.assert_equal(columns, others)
    return all(
        np.array_equal(a, b) for a, b in zip(one.weights + one.biases, other.weights + other.biases, strict=True)
    )


@pytest.fixture
def short_spans(monkeypatch):
    """Spans of single batches, between which a training may be stopped."""
    monkeypatch.setattr("fastmlp.training.trainer.SECONDS_AT_A_TIME", 1e-6)


@pytest.mark.usefixtures("short_spans")
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"optimizer": "adam", "learning_rate": 0.01, "dropout": 0.3, "train_metrics": "running"},
        {"momentum": 0.9, "schedule": {"name": "plateau", "patience": 1, "factor": 0.5}},
        {"early_stopping": {"patience": 1, "monitor": "validation_accuracy"}, "learning_rate": 1.0, "epochs": 8},
        {"engine": "numpy", "dtype": "float64", "schedule": "one-cycle"},
        {"first_layer": "sparse", "clip_norm": 0.1},
    ],
    ids=["plain", "adam and dropout", "plateau", "early stopping", "numpy", "sparse"],
)
def test_an_interrupted_training_ends_with_the_same_bits_and_history(tmp_path, settings):
    interrupted, times = fit_with_interruptions(tmp_path / "kept", **settings)
    assert times >= 3
    assert same(interrupted, fit(**settings))


@pytest.mark.usefixtures("short_spans")
def test_a_stream_goes_on_in_the_middle_of_a_window(tmp_path):
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        file["xdata"], file["ydata"] = X[:200], Y[:200]
    with Stream(tmp_path / "rows.h5", window_bytes=60 * 30, block_bytes=3 * 30) as stream:
        interrupted, times = fit_with_interruptions(tmp_path / "kept", data=(stream, None))
        assert times >= 3
        assert same(interrupted, fit(data=(stream, None)))


@pytest.mark.parametrize("other", [{"window_bytes": 120 * 30}, {"block_bytes": 2 * 30}], ids=["windows", "blocks"])
def test_a_stream_with_other_windows_or_blocks_comes_in_another_order_and_is_another_training(tmp_path, other):
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        file["xdata"], file["ydata"] = X[:200], Y[:200]
    sizes = {"window_bytes": 60 * 30, "block_bytes": 3 * 30}
    with Stream(tmp_path / "rows.h5", **sizes) as stream, pytest.raises(Paused):
        fit(tmp_path / "kept", looks=3, data=(stream, None))
    another = pytest.raises(InputError, match="of another training")
    with Stream(tmp_path / "rows.h5", **{**sizes, **other}) as stream, another:
        fit(tmp_path / "kept", data=(stream, None))


def test_rows_with_an_empty_column_more_are_other_data(tmp_path):
    indptr, columns, values = np.arange(201), Y[:200].astype(np.int32), np.ones(200, np.float32)
    narrow, wide = (CSR(indptr, columns, values, (200, width)) for width in (3, 4))
    settings = {**SETTINGS, "batch_size": 50, "epochs": 1}
    MLP(**settings).fit(narrow, Y[:200], checkpoint=tmp_path)
    with pytest.raises(InputError, match="of another training"):
        MLP(**settings).fit(wide, Y[:200], checkpoint=tmp_path)


def test_a_finished_training_is_not_done_again(tmp_path):
    first = fit(tmp_path / "kept")
    epochs = []
    again = MLP(**SETTINGS).fit(X[:200], Y[:200], HELD_OUT, progress=epochs.append, checkpoint=tmp_path / "kept")
    assert not epochs
    assert same(first, again)
    assert again.history["seconds"] == first.history["seconds"]


@pytest.mark.parametrize("damage", ["torn", "flipped", "emptied"])
@pytest.mark.usefixtures("short_spans")
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before_it(tmp_path, damage):
    with pytest.raises(Paused):
        fit(tmp_path, looks=12)
    old, newest = sorted(tmp_path.iterdir())
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 4
    newest.write_bytes({"torn": data[:-7], "flipped": data, "emptied": b""}[damage])
    checkpoints = CheckpointStore(tmp_path, identity=_identity(old))
    older = checkpoints.newest()
    newest.unlink()
    np.testing.assert_equal(older, checkpoints.newest())
    assert older is not None
    assert same(fit(tmp_path), fit())


def test_two_checkpoints_are_kept_and_nothing_else(tmp_path):
    with pytest.raises(Paused):
        fit(tmp_path, looks=6)
    assert len(list(tmp_path.iterdir())) == 2


class Timed(CheckpointStore):
    """Notes after which epoch and row it is written, and lets each writing take some seconds of a clock."""

    def __init__(self, folder, clock, cost):
        super().__init__(folder, identity="timed")
        self.clock, self.cost, self.written = clock, cost, []

    def write(self, epochs, state, arrays):
        self.written.append((state.epoch - 1, state.position))
        self.clock[0] += self.cost


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    return now


@pytest.mark.parametrize(
    ("seconds", "cost", "expected"),
    [
        (2.0, 0.0, range(1, 25)),  # all epochs that are longer than a second
        (0.375, 0.0, range(3, 25, 3)),  # of shorter ones, one in a second
        (2.0, 0.5, [1, 10, 19, 24]),  # 3% of 18 s are more than half a second, those of 16 s are less
    ],
)
def test_a_checkpoint_is_written_after_an_epoch_unless_that_takes_too_much_of_the_time(
    tmp_path, clock, seconds, cost, expected
):
    class Pass(Callback):
        def on_epoch_end(self, view):
            clock[0] += seconds

    store = Timed(tmp_path, clock, cost)
    MLP(**{**SETTINGS, "batch_size": 100, "epochs": 24}).fit(X, Y, callbacks=[Pass()], checkpoint=store)
    assert store.written == [(epoch, 0) for epoch in expected]


@pytest.mark.usefixtures("short_spans")
@pytest.mark.parametrize(
    ("cost", "expected"),
    [(0.0, [30, 60, 90, 120, 150, 180]), (0.5, [30, 80, 130, 180])],  # more than 10 s apart; more than 16.7 s
)
def test_within_an_epoch_a_checkpoint_is_written_every_few_seconds(tmp_path, clock, cost, expected):
    class Pass(Callback):
        def on_chunk_end(self, view):
            clock[0] += 4.0

    store = Timed(tmp_path, clock, cost)
    settings = {**SETTINGS, "epochs": 1, "train_metrics": "running"}
    MLP(**settings).fit(X[:200], Y[:200], callbacks=[Pass()], checkpoint=store)
    assert store.written == [*((0, position) for position in expected), (1, 0)]


@pytest.mark.usefixtures("short_spans")
def test_an_epoch_that_was_taken_up_in_its_middle_and_never_ended_leaves_the_network_that_was_there(tmp_path):
    class Trip(Callback):
        def on_chunk_end(self, view):
            assert (view.epoch, view.position > 10) == (1, True)
            raise RuntimeError("at once")

    with pytest.raises(Paused):
        fit(tmp_path, looks=30)
    mlp = fit(data=(X[:100], Y[:100]))
    before = [W.tobytes() for W in mlp.weights]
    with pytest.raises(RuntimeError, match="at once"):
        mlp.fit(X[:200], Y[:200], HELD_OUT, callbacks=[Trip()], checkpoint=tmp_path)
    assert [W.tobytes() for W in mlp.weights] == before


def test_the_seconds_of_an_epoch_are_those_of_all_its_parts(tmp_path, clock, monkeypatch):
    """With kernels that take 10 ms a row."""

    def train(layers, parameters, states, X, y, order, *rest):
        clock[0] += 0.01 * len(order)

    monkeypatch.setattr(reference, "train", train)
    interrupted, times = fit_with_interruptions(tmp_path / "kept", engine="numpy")
    assert times >= 3
    assert interrupted.history["seconds"] == pytest.approx([2.0] * 4)


def test_of_what_other_processes_are_writing_only_checkpoints_in_the_folder_itself_are_leftovers(tmp_path):
    mine, below = (
        tmp_path / ".checkpoint-00000001.77.0123abcd.bin",
        tmp_path / "b" / ".checkpoint-00000001.7.01234567.bin",
    )
    model = tmp_path / ".model.77.0123abcd.safetensors"
    below.parent.mkdir()
    for path in (mine, below, model):
        path.write_bytes(b"half")
    fit(tmp_path)
    assert [path.exists() for path in (mine, below, model)] == [False, True, True]


def test_an_optimiser_that_cannot_go_on_is_refused_a_folder(tmp_path):
    for checkpoint in (tmp_path, CheckpointStore(tmp_path), CheckpointStore(tmp_path, identity="mine")):
        with pytest.raises(InputError, match=r"'lbfgs'.*leave checkpoint out"):
            fit(checkpoint, optimizer="lbfgs")


def test_a_file_is_no_folder_for_checkpoints_and_is_refused_before_anything_is_trained(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    for checkpoint in (path, CheckpointStore(path)):
        with pytest.raises(InputError, match=r"notes\.txt, which is a file; expected a folder"):
            fit(checkpoint)
    assert path.read_text() == "mine"


@pytest.mark.parametrize("version", [1, 2])
def test_a_checkpoint_of_another_version_is_refused_in_one_line_and_left_alone(tmp_path, version):
    path = tmp_path / "checkpoint-00000001.bin"
    path.write_bytes(b"fastmlp checkpoint %d\n" % version + bytes(200))
    with pytest.raises(InputError, match="is a checkpoint of another version of fastmlp") as caught:
        fit(tmp_path)
    assert "\n" not in str(caught.value)
    assert path.stat().st_size == 221


def test_with_all_damaged_a_training_begins_anew(tmp_path):
    fit(tmp_path)
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:100])
    assert same(fit(tmp_path), fit())


@pytest.mark.parametrize(
    "change", [{"seed": 4}, {"learning_rate": 0.05}, {"data": (X[:200], Y[:200][::-1])}], ids=["seed", "rate", "labels"]
)
def test_a_checkpoint_of_another_training_is_refused_and_left_alone(tmp_path, change):
    fit(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(InputError, match="of another training"):
        fit(tmp_path, **change)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_number_of_threads_may_change_between_two_parts_of_a_training(tmp_path):
    with pytest.raises(Paused):
        fit(tmp_path, looks=3)
    assert same(fit(tmp_path, threads=1), fit())


def test_a_function_as_schedule_needs_an_identity_of_its_own(tmp_path):
    def schedule(t):
        return 1 / (1 + t)

    with pytest.raises(InputError, match="identity"):
        fit(tmp_path, schedule=schedule)
    kept = CheckpointStore(tmp_path, identity="inverse")
    assert same(fit(kept, schedule=schedule), fit(schedule=schedule))


def _identity(path: Path):
    """The identity in a checkpoint, read without the library: the archive follows two lines of text."""
    text = path.read_bytes()
    start = text.index(b'"identity": "') + len(b'"identity": "')
    return text[start : text.index(b'"', start)].decode()
