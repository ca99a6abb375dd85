"""Callbacks: when they are called, what they see, how they end a training, and that their state survives a kill."""

import contextlib
import threading
import time
import weakref

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.errors import InputTypeError
from fastmlp.training.callbacks import Callback, StopTraining
from fastmlp.training.checkpoints import CheckpointStore, Paused
from fastmlp.training.diagnostics import DiagnosticsCallback
from fastmlp.training.metrics import MetricsCallback

RANDOM = np.random.RandomState(3)
X = RANDOM.standard_normal((120, 6)).astype(np.float32)
Y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
SETTINGS = {"hidden": (5,), "batch_size": 20, "epochs": 4, "learning_rate": 0.2, "seed": 1}


class Recorder(Callback):
    """Notes what it is called for."""

    def __init__(self):
        self.calls, self.predictions = [], []

    def on_fit_start(self, view):
        assert view.record is None
        self.calls.append(("start", view.epoch))

    def on_epoch_end(self, view):
        assert view.record["epoch"] == view.epoch == len(view.history)
        assert view.config.hidden == (5,)
        self.calls.append(("epoch", view.epoch))
        self.predictions.append(view.predict(X))

    def on_fit_end(self, view):
        self.calls.append(("end", view.epoch, view.error, view.failure_reason))


class Counter(Callback):
    """Counts epochs, and remembers an array, over interruptions."""

    def __init__(self):
        self.count, self.last = 0, np.zeros(2)

    def on_epoch_end(self, view):
        self.count += 1
        self.last = np.array([view.epoch, view.steps])

    def state_dict(self):
        return {"count": self.count, "last": self.last}

    def load_state_dict(self, state):
        self.count, self.last = state["count"], state["last"]


@pytest.fixture
def short_chunks(monkeypatch):
    """Chunks of single batches."""
    monkeypatch.setattr("fastmlp.training.trainer.SECONDS_AT_A_TIME", 1e-6)


def weights(mlp):
    return [W.tobytes() for W in mlp.weights + mlp.biases]


@pytest.mark.parametrize("engine", ["numba", "numpy"])
def test_a_callback_is_called_at_the_start_after_every_epoch_and_at_the_end(engine):
    recorder = Recorder()
    mlp = MLP(**SETTINGS, engine=engine).fit(X, Y, callbacks=[recorder])
    assert recorder.calls == [("start", 0), *(("epoch", epoch) for epoch in (1, 2, 3, 4)), ("end", 4, None, None)]
    np.testing.assert_array_equal(recorder.predictions[-1], mlp.predict(X))
    short = MLP(**{**SETTINGS, "epochs": 2}, engine=engine).fit(X, Y)
    np.testing.assert_array_equal(recorder.predictions[1], short.predict(X))


def test_callbacks_change_no_bit():
    assert weights(MLP(**SETTINGS).fit(X, Y, callbacks=[Recorder(), Counter()])) == weights(MLP(**SETTINGS).fit(X, Y))


def test_true_ends_the_training_after_the_epoch_and_other_answers_do_not():
    class Stop(Callback):
        def on_epoch_end(self, view):
            return view.epoch == 2

    recorder = Recorder()
    mlp = MLP(**SETTINGS).fit(X, Y, callbacks=[Stop(), recorder])
    assert len(mlp.history) == 2
    assert recorder.calls[-2:] == [("epoch", 2), ("end", 2, None, None)]
    assert weights(mlp) == weights(MLP(**{**SETTINGS, "epochs": 2}).fit(X, Y))


def test_a_view_can_change_nothing():
    class Meddler(Callback):
        def on_epoch_end(self, view):
            with pytest.raises(AttributeError):
                view.epoch = 7
            view.record["train_loss"] = -1
            view.history.append(dict.fromkeys(view.record, 0))
            with pytest.raises((AttributeError, TypeError)):
                view.config.epochs = 1

    meddled, alone = MLP(**SETTINGS).fit(X, Y, callbacks=[Meddler()]), MLP(**SETTINGS).fit(X, Y)
    assert meddled.history["train_loss"] == alone.history["train_loss"]
    assert len(meddled.history) == 4


@pytest.mark.usefixtures("short_chunks")
def test_a_chunk_ends_between_two_steps_also_within_an_evaluation():
    seen = []

    class Chunks(Callback):
        def on_chunk_end(self, view):
            seen.append((view.epoch, view.position, view.rows))

    MLP(**{**SETTINGS, "epochs": 1}).fit(X, Y, callbacks=[Chunks()])
    positions = [position for _, position, _ in seen]
    assert positions == sorted(positions)
    assert set(positions) <= set(range(20, 121, 20))
    assert positions.count(120) >= 2  # the last chunk, and the evaluation
    assert {(epoch, rows) for epoch, _, rows in seen} == {(0, 120)}


def test_without_a_callback_for_chunks_none_is_called():
    class Spy(MetricsCallback):
        def on_fit_start(self, view):
            hooks.append(self.session.trainer.after_chunk.__name__)

    hooks = []
    MLP(**SETTINGS).fit(X, Y, callbacks=[Spy(), Recorder()])
    assert hooks == ["<lambda>"]


@pytest.mark.usefixtures("short_chunks")
@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, StopTraining])
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "lbfgs"])
def test_what_ends_a_training_leaves_the_network_of_the_last_whole_epoch(kind, optimizer):
    if optimizer == "lbfgs":
        pytest.importorskip("scipy")
    settings = {**SETTINGS, "optimizer": optimizer, "hidden": ()}

    class Trip(Callback):
        def on_chunk_end(self, view):
            if view.epoch == 2 and view.predict(X) is not None:
                raise kind("tripped")

    network = MLP(**settings)
    if kind is StopTraining:
        assert network.fit(X, Y, callbacks=[Trip()]) is network
    else:
        with pytest.raises(kind, match="tripped") as caught:
            network.fit(X, Y, callbacks=[Trip()])
        assert caught.value.__notes__ == ["raised by on_chunk_end of callback Trip, after 2 whole epochs"]
    assert len(network.history) == 2
    if optimizer != "lbfgs":
        whole = MLP(**{**settings, "epochs": 2}).fit(X, Y)
        assert weights(network) == weights(whole)
        assert weights(network.partial_fit(X, Y)) == weights(whole.partial_fit(X, Y))
    else:
        assert network.evaluate(X, Y)[0] == network.history["train_loss"][-1]


def test_an_error_before_the_first_whole_epoch_leaves_the_network_that_was_there():
    class Trip(Callback):
        def on_fit_start(self, view):
            raise RuntimeError("at once")

    network = MLP(**SETTINGS).fit(X, Y)
    before = weights(network)
    with pytest.raises(RuntimeError, match="at once"):
        network.fit(X[:, ::-1], Y, callbacks=[Trip()])
    assert weights(network) == before


def test_an_error_at_the_end_is_raised_when_all_callbacks_were_called_and_the_network_is_kept():
    class Trip(Callback):
        def __init__(self, text):
            self.text = text

        def on_fit_end(self, view):
            raise RuntimeError(self.text)

    recorder, network = Recorder(), MLP(**SETTINGS)
    with pytest.raises(RuntimeError, match="the first") as caught:
        network.fit(X, Y, callbacks=[Trip("the first"), Trip("the second"), recorder])
    assert caught.value.__notes__ == ["raised by on_fit_end of callback Trip, after 4 whole epochs"]
    assert recorder.calls[-1] == ("end", 4, None, None)
    assert weights(network) == weights(MLP(**SETTINGS).fit(X, Y))


def test_an_error_of_the_training_is_not_hidden_by_one_at_its_end():
    class Trip(Callback):
        def on_epoch_end(self, view):
            raise RuntimeError("enough")

        def on_fit_end(self, view):
            raise RuntimeError("and at the end")

    with pytest.raises(RuntimeError, match="enough"):
        MLP(**SETTINGS).fit(X, Y, callbacks=[Trip()])


@pytest.mark.usefixtures("short_chunks")
@pytest.mark.parametrize("kind", [KeyboardInterrupt, ValueError, StopTraining])
def test_whatever_ends_it_a_training_that_stops_early_leaves_the_best_epoch(kind, tmp_path):
    class Trip(Callback):
        def on_chunk_end(self, view):
            if view.epoch == 3:
                raise kind

    settings = {**SETTINGS, "learning_rate": 1.0, "early_stopping": 4}
    network, held_out = MLP(**settings), (X[90:], Y[90:])
    with contextlib.suppress(kind):
        network.fit(X[:90], Y[:90], held_out, callbacks=[Trip()])
    losses = network.history["validation_loss"]
    assert len(losses) == 3
    assert min(losses) < losses[-1]
    assert network.evaluate(*held_out)[0] == min(losses)
    assert network.kept_epoch == 1 + losses.index(min(losses))
    network.save(tmp_path / "network.h5")
    assert MLP.load(tmp_path / "network.h5").kept_epoch == network.kept_epoch


def test_a_callback_that_its_user_keeps_does_not_keep_the_data():
    kept, samples = DiagnosticsCallback(log=False), X.copy()
    MLP(**SETTINGS, first_layer="dense").fit(samples, Y, callbacks=[kept])
    data = weakref.ref(samples)
    del samples
    assert data() is None


def test_the_other_callbacks_hear_of_an_error_at_the_end():
    class Trip(Callback):
        def on_epoch_end(self, view):
            raise RuntimeError("enough")

    recorder = Recorder()
    with pytest.raises(RuntimeError, match="enough"):
        MLP(**SETTINGS).fit(X, Y, callbacks=[recorder, Trip()])
    end, epoch, error, _ = recorder.calls[-1]
    assert (end, epoch, str(error)) == ("end", 1, "enough")


@pytest.mark.usefixtures("short_chunks")
def test_the_state_of_a_callback_survives_a_kill(tmp_path):
    for interruption in range(1, 100):
        store, counter, chunks = CheckpointStore(tmp_path, seconds=0.0), Counter(), 0

        class Interrupt(Callback):
            def on_chunk_end(self, view, store=store, interruption=interruption):
                nonlocal chunks
                chunks += 1
                if chunks == 2 * interruption:
                    store.stop.set()

        try:
            mlp = MLP(**SETTINGS).fit(X, Y, callbacks=[counter, Interrupt()], checkpoint=store)
            break
        except Paused:
            continue
    assert interruption > 2
    assert counter.count == 4
    assert counter.last.tolist() == [4, 4 * 6]
    assert weights(mlp) == weights(MLP(**SETTINGS).fit(X, Y))


def test_two_callbacks_of_one_class_keep_states_of_their_own(tmp_path):
    MLP(**SETTINGS).fit(X, Y, callbacks=[Counter(), Counter()], checkpoint=tmp_path)
    first, second = Counter(), Counter()
    first.count = second.count = -1
    MLP(**{**SETTINGS, "epochs": 5}).fit(X, Y, callbacks=[first, second], checkpoint=tmp_path)
    assert (first.count, second.count) == (5, 5)


def test_a_state_that_no_checkpoint_can_hold_is_named(tmp_path):
    class Odd(Counter):
        def state_dict(self):
            return {"lock": threading.Lock()}

    with pytest.raises(InputTypeError, match="state_dict of callback Odd cannot be kept"):
        MLP(**SETTINGS).fit(X, Y, callbacks=[Odd()], checkpoint=tmp_path)


def test_what_is_no_callback_is_refused():
    with pytest.raises(InputTypeError, match=r"callbacks has .*print.*; expected instances of"):
        MLP(**SETTINGS).fit(X, Y, callbacks=[print])


@pytest.mark.usefixtures("short_chunks")
def test_the_time_of_callbacks_and_checkpoints_is_not_that_of_the_training(tmp_path, monkeypatch):
    class Slow(Callback):
        def on_chunk_end(self, view):
            time.sleep(0.05)

    mlp = MLP(**SETTINGS).fit(X, Y)  # the kernels are compiled
    write = CheckpointStore.write

    def slow_write(self, *arguments):
        time.sleep(0.05)
        write(self, *arguments)

    monkeypatch.setattr(CheckpointStore, "write", slow_write)
    begun = time.perf_counter()
    mlp.fit(X, Y, callbacks=[Slow()], checkpoint=CheckpointStore(tmp_path, seconds=0.0))
    assert time.perf_counter() - begun > 1
    assert sum(mlp.history["seconds"]) < 0.5


def test_python_is_entered_about_every_tenth_of_a_second(monkeypatch):
    """With kernels that take 1 ms a row, chunks of an epoch of 2 s are some tenths of a second at most."""
    from fastmlp.kernels import reference

    now, gaps = [0.0], []

    def train(layers, parameters, states, X, y, order, *rest):
        now[0] += 0.001 * len(order)

    monkeypatch.setattr(reference, "train", train)
    monkeypatch.setattr("fastmlp.training.trainer.time.perf_counter", lambda: now[0])

    class Gaps(Callback):
        def __init__(self):
            self.last = 0.0

        def on_chunk_end(self, view):
            gaps.append(now[0] - self.last)
            now[0] += 7  # the clock of a callback is not that of the training
            self.last = now[0]

    many = np.tile(X, (20, 1))
    settings = {**SETTINGS, "epochs": 1, "train_metrics": "running"}
    mlp = MLP(**settings, engine="numpy").fit(many, np.tile(Y, 20), callbacks=[Gaps()])
    assert mlp.history["seconds"] == pytest.approx([2.4])
    assert sum(gaps) == pytest.approx(2.4)
    assert max(gaps) < 0.25
    assert np.median(gaps) > 0.05
