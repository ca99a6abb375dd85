"""Checkpoints whose SHA-256 is right and whose content does not fit are refused in one line, and left alone."""

import hashlib
import io
import json
import random
import re
import zipfile

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.errors import InputTypeError
from fastmlp.training.callbacks import Callback
from fastmlp.training.checkpoints import MAGIC, CheckpointStore, Paused
from tests.fuzz.mutators import contents, mutated, refusal

RANDOM = np.random.default_rng(2)
X, Y = RANDOM.standard_normal((60, 4)).astype(np.float32), np.arange(60) % 3
SETTINGS = {
    "hidden": (3,), "batch_size": 10, "epochs": 4, "momentum": 0.9, "schedule": {"name": "plateau", "patience": 1},
    "early_stopping": {"patience": 3}, "engine": "numpy",
}  # fmt: skip


class Best(Callback):
    """Remembers the least loss, which is infinite at first, and an array."""

    def __init__(self):
        self.best = float("inf")

    def state_dict(self):
        return {"best": self.best, "array": np.arange(3)}

    def load_state_dict(self, state):
        self.best = float(state["best"] + state["array"].sum())


def fit(folder, stop_after=None):
    store = CheckpointStore(folder, seconds=0.0)

    class Stop(Callback):
        def on_chunk_end(self, view):
            if stop_after is not None and view.steps >= stop_after:
                store.stop.set()

    return MLP(**SETTINGS).fit(X[:50], Y[:50], (X[50:], Y[50:]), callbacks=[Stop(), Best()], checkpoint=store)


@pytest.fixture
def stopped(tmp_path, monkeypatch):
    """The one checkpoint of a training in the middle of its third epoch: the file, its JSON value and its arrays."""
    monkeypatch.setattr("fastmlp.training.trainer.SECONDS_AT_A_TIME", 1e-9)
    with pytest.raises(Paused):
        fit(tmp_path / "kept", 12)
    older, path = sorted((tmp_path / "kept").iterdir())
    older.unlink()
    with np.load(io.BytesIO(path.read_bytes()[len(MAGIC) + 65 :])) as archive:
        arrays = dict(archive)
    return path, json.loads(arrays.pop("meta").tobytes()), arrays


def write(path, body):
    path.write_bytes(MAGIC + hashlib.sha256(body).hexdigest().encode() + b"\n" + body)


def packed(text, arrays, save=np.savez):
    stream = io.BytesIO()
    save(stream, meta=np.frombuffer(text.encode(errors="surrogatepass"), np.uint8), **arrays)
    return stream.getvalue()


def refused(path):
    before = contents(path.parent)
    message = refusal(fit, path.parent)
    if message:
        assert contents(path.parent) == before
    return message


def test_a_checkpoint_that_is_packed_again_is_read(stopped):
    path, value, arrays = stopped
    write(path, packed(json.dumps(value), arrays))
    assert refused(path) == ""


def test_changed_values_are_read_or_refused_in_one_line(stopped):
    path, value, arrays = stopped
    choose, count = random.Random(1), 0
    for _ in range(400):
        for other in path.parent.iterdir():
            other.unlink()
        write(path, packed(mutated(value, choose), arrays))
        if message := refused(path):
            count += 1
            assert str(path) in message
    assert count > 200


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda meta: meta.update(epochs=0), "epochs: expected `int` >= 1"),
        (lambda meta: meta.update(epochs=2), "state.epoch is 3, after the last of 2 epochs"),
        (lambda meta: meta.update(more=1), "unknown field `more`"),
        (lambda meta: meta.pop("identity"), "missing required field `identity`"),
        (lambda meta: meta["state"].update(epoch=0), r"state\.epoch: expected `int` >= 1"),
        (lambda meta: meta["state"].update(epoch="3"), r"state\.epoch: expected `int`, got `str`"),
        (lambda meta: meta["state"].update(position=-10), r"state\.position: expected `int` >= 0"),
        (lambda meta: meta["state"].update(position=15), r"state\.position is 15 in 50 rows in batches of 10"),
        (lambda meta: meta["state"].update(position=60), r"state\.position is 60 in 50 rows"),
        (lambda meta: meta["state"].update(steps=-1), r"state\.steps: expected `int` >= 0"),
        (lambda meta: meta["state"].update(steps=13), r"state\.steps is 13; expected 12"),
        (lambda meta: meta["state"].update(learning_rate=float("nan")), r"state\.learning_rate: expected `float`"),
        (lambda meta: meta["state"].update(seconds=float("inf")), r"state\.seconds: expected `float`"),
        (lambda meta: meta["state"]["schedule"].update(best=float("nan")), r"state\.schedule\.best: expected `float`"),
        (lambda meta: meta["state"]["schedule"].update(waited=10**400), r"state\.schedule\.waited: expected `int`"),
        (lambda meta: meta["state"]["schedule"].pop("best"), r"state\.schedule: the state of schedule .* has"),
        (
            lambda meta: meta["state"]["callbacks"]["DiagnosticsCallback"].update(large=-1),
            r"state\.callbacks\.DiagnosticsCallback\.large: expected `int` >= 0",
        ),
        (
            lambda meta: meta["state"]["callbacks"]["EarlyStoppingCallback"].update(best_epoch=3),
            r"state\.callbacks\.EarlyStoppingCallback: best_epoch and waited are beyond the last of 2 epochs",
        ),
        (lambda meta: meta["state"]["callbacks"]["Best"].pop("best"), r"state\.callbacks\.Best: 'best' is missing"),
    ],
)
def test_the_key_that_does_not_fit_is_named(stopped, change, message):
    path, value, arrays = stopped
    change(value)
    write(path, packed(json.dumps(value), arrays))
    assert re.search(rf"{re.escape(str(path))} cannot be read \(.*{message}", refused(path))


ARRAYS = ("parameters", "states", "totals", "history.epoch", "history.seconds")


@pytest.mark.parametrize("name", [*ARRAYS, "callback.EarlyStoppingCallback.best_weights"])
def test_an_array_of_another_shape_or_type_or_none_is_named(stopped, name):
    path, value, arrays = stopped
    array, others = arrays[name], {key: array for key, array in arrays.items() if key != name}
    for changed in (array[..., :-1], array.astype(np.float16), np.zeros(()), np.zeros(3, "U3"), array[None]):
        write(path, packed(json.dumps(value), {**others, name: changed}))
        assert name.rpartition(".")[2] in refused(path)
    write(path, packed(json.dumps(value), others))
    assert name.rpartition(".")[2] in refused(path)


@pytest.mark.parametrize("name", ["extra", "history.extra", "callback.Nobody.x", "callback.Best.best", "callback"])
def test_an_array_that_has_no_place_is_named(stopped, name):
    path, value, arrays = stopped
    write(path, packed(json.dumps(value), {**arrays, name: np.zeros(2)}))
    assert name.removeprefix("history.") in refused(path)


def test_an_archive_that_claims_more_than_it_has_makes_no_room_for_it(stopped):
    path, value, arrays = stopped
    body = packed(json.dumps(value), arrays)
    write(path, packed(json.dumps(value), arrays, np.savez_compressed))
    assert "is compressed" in refused(path)
    huge, stream = io.BytesIO(), io.BytesIO()
    np.lib.format.write_array_header_1_0(huge, {"descr": "<f4", "fortran_order": False, "shape": (10**13,)})
    with zipfile.ZipFile(stream, "w") as archive, zipfile.ZipFile(io.BytesIO(body)) as old:
        for entry in old.namelist():
            archive.writestr(entry, huge.getvalue() if entry == "parameters.npy" else old.read(entry))
    write(path, stream.getvalue())
    assert "parameters.npy is not as long as an array of float32 of shape (10000000000000,)" in refused(path)
    for body in (b"", b"PK", b"\x93NUMPY" + bytes(50)):
        write(path, body)
        assert "cannot be read" in refused(path)


def test_an_array_of_objects_is_refused_when_it_is_written(tmp_path):
    class Odd(Best):
        def state_dict(self):
            return {"array": np.array([object()])}

    with pytest.raises(InputTypeError, match="state_dict of callback Odd cannot be kept"):
        MLP(**SETTINGS).fit(X, Y, (X, Y), callbacks=[Odd()], checkpoint=tmp_path)
