"""Training sets in memory and in files, and the training on them."""

import threading

import h5py
import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.config.losses import CrossEntropy
from fastmlp.config.sample_weights import of_classes
from fastmlp.data import Stream
from fastmlp.errors import InputError, InputTypeError
from fastmlp.inputs.encoder import InputEncoder
from fastmlp.inputs.scaling import Scaling
from fastmlp.kernels.sparse_rows import Sparse, part, to_network
from fastmlp.training.batches import InMemory, Streamed
from fastmlp.training.first_layer import compact
from fastmlp.training.parameters import epoch_order
from fastmlp.training.state import TrainingState
from fastmlp.training.trainer import Trainer

ROWS, COLUMNS, CLASSES = 2000, 30, 4
WINDOW_ROWS, BLOCK_ROWS = 450, 8
RANDOM = np.random.RandomState(0)
LABELS = RANDOM.randint(0, CLASSES, ROWS)
PIXELS = RANDOM.randint(0, 256, (ROWS, COLUMNS)).astype(np.uint8)
PIXELS[RANDOM.random_sample(PIXELS.shape) < 0.7] = 0
INPUTS = {
    "sparse": PIXELS,
    "dense": (np.maximum(PIXELS, 1)),
    "floats": (PIXELS / 255).astype(np.float32),
}


def encoder(kind="pixels"):
    return InputEncoder(Scaling.constant("none" if kind == "floats" else "pixels", COLUMNS))


@pytest.fixture
def open_stream(tmp_path):
    def open_stream(X, window_rows=WINDOW_ROWS, labels=LABELS):
        with h5py.File(tmp_path / "large.h5", "w") as file:
            file["xdata"], file["ydata"] = X, labels
        row_bytes = X.shape[1] * X.itemsize
        return Stream(tmp_path / "large.h5", window_rows * row_bytes, BLOCK_ROWS * row_bytes)

    return open_stream


def fit(mlp, source):
    """What `MLP.fit` does, for either kind of source: its weights and the summed loss and hits of the last epoch."""
    trainer = Trainer.of(mlp.config, TrainingState.fresh(mlp.config, source.shape[1], CLASSES), source.shape[0])
    for epoch in range(1, mlp.epochs + 1):
        rates = np.full(trainer.steps_of(source.shape[0]), mlp.learning_rate)
        trainer.state.epoch, trainer.state.position, trainer.state.totals = epoch, 0, np.zeros(2)
        trainer.epoch(source, mlp.shuffle, rates)
    return trainer.state.parameters.buffer.copy(), trainer.state.totals


class Reordered:
    """All rows in memory, visited in the order of a stream's epochs, as one span each."""

    def __init__(self, X, stream):
        self.shape, self._X, self._stream = stream.shape, X, stream

    def training_chunks(self, seed, epoch, batch_size, shuffle):
        windows = self._stream.epoch(seed, epoch, batch_size, shuffle)
        yield self._X, LABELS, np.empty(0), np.concatenate([window.rows[window.order] for _, window in windows])


def network(**settings):
    usual = {"hidden": (16, 8), "epochs": 2, "batch_size": 48, "momentum": 0.5, "seed": 3, "scaling": "pixels"}
    return MLP(**{**usual, **settings})


@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shuffle", [True, False])
def test_a_stream_trains_the_bits_of_its_order_in_memory(open_stream, kind, dtype, shuffle):
    X = INPUTS[kind]
    with open_stream(X) as stream:
        source = Streamed(stream, np.arange(CLASSES), encoder(kind), dtype)
        assert source.first_layer == ("dense" if kind == "dense" else "sparse")
        assert len(list(source.training_chunks(0, 1, 48, shuffle))) == 5
        weights, totals = fit(network(dtype=dtype, shuffle=shuffle), source)
        expected, expected_totals = fit(network(dtype=dtype, shuffle=shuffle), Reordered(X, stream))
    np.testing.assert_array_equal(weights, expected)
    assert totals[1] == expected_totals[1]
    assert totals[0] == pytest.approx(expected_totals[0], rel=1e-12)


def test_a_stream_of_one_window_trains_the_bits_of_fit(open_stream):
    mlp = network(threads=1).fit(PIXELS, LABELS)
    with open_stream(PIXELS, window_rows=ROWS) as stream:
        weights, _ = fit(network(), Streamed(stream, mlp.classes, encoder()))
    np.testing.assert_array_equal(weights, mlp._fitted.parameters.buffer)


def test_memory_is_one_span_in_the_order_of_the_epoch():
    source = InMemory(PIXELS, LABELS)
    ((X, y, _, order),) = source.training_chunks(3, 2, 48, True)
    assert X is PIXELS
    assert y is LABELS
    np.testing.assert_array_equal(order, epoch_order(ROWS, 3, 2, True))
    weights, _ = fit(network(), source)
    np.testing.assert_array_equal(weights, network(threads=1).fit(PIXELS, LABELS)._fitted.parameters.buffer)


@pytest.mark.parametrize("kind", INPUTS)
def test_two_passes_at_once_do_not_disturb_each_other(open_stream, kind):
    X, dtype = INPUTS[kind], np.dtype("float32")
    with open_stream(X) as stream:
        source = Streamed(stream, np.arange(CLASSES), encoder(kind))
        first_row = 0
        for inputs, y, _, _ in source.training_chunks(0, 1, 48, False):
            for part_of_all, _, _ in source.evaluation_chunks():
                assert part_of_all.shape[1] == COLUMNS
            expected = to_network(X, first_row + np.arange(len(y)), dtype)
            np.testing.assert_array_equal(to_network(inputs, np.arange(len(y)), dtype), expected)
            first_row += len(y)


@pytest.mark.parametrize("kind", INPUTS)
def test_reader_ends_when_the_spans_are_given_up(open_stream, kind):
    def reading():
        return [thread for thread in threading.enumerate() if thread.name.startswith("fastmlp-read")]

    with open_stream(INPUTS[kind]) as stream:
        spans = Streamed(stream, np.arange(CLASSES), encoder(kind)).training_chunks(0, 1, 48, True)
        next(spans)
        assert reading()
        spans.close()
        assert not reading()


@pytest.mark.parametrize("threads", [1, 3])
def test_parts_and_head_are_the_rows_in_the_order_of_the_file(open_stream, threads):
    everything, dtype = np.arange(ROWS), np.dtype("float32")
    with open_stream(PIXELS) as stream:
        streamed = Streamed(stream, np.arange(CLASSES), encoder(), threads=threads)
        for source in (streamed, InMemory(compact(PIXELS)[0], LABELS)):
            rows = [(to_network(X, np.arange(len(y)), dtype), y) for X, y, _ in source.evaluation_chunks()]
            np.testing.assert_array_equal(np.concatenate([X for X, _ in rows]), to_network(PIXELS, everything, dtype))
            np.testing.assert_array_equal(np.concatenate([y for _, y in rows]), LABELS)
            head = source.head(100)
            assert isinstance(head, Sparse)
            np.testing.assert_array_equal(to_network(head, np.arange(100), dtype), part(rows[0][0], 0, 100))
            np.testing.assert_array_equal(np.bincount(source.y), np.bincount(LABELS))
    assert streamed.y.dtype == np.uint8


def test_labels_become_positions_among_the_classes(open_stream):
    classes = np.array([2, 4, 6, 8, 10])
    with open_stream(PIXELS, labels=LABELS * 2 + 4) as stream:
        np.testing.assert_array_equal(Streamed(stream, classes, encoder()).y, LABELS + 1)
        with pytest.raises(InputError, match=r"ydata has the label .* out of range; expected one of the 3 classes"):
            Streamed(stream, classes[:3], encoder())


def test_a_label_among_millions_is_found_and_a_wrong_one_named_by_its_rows(open_stream):
    count = (2 << 20) + 5  # more than are looked at together, twice
    labels, narrow = (np.arange(count) % 251).astype(np.uint8), InputEncoder(Scaling.constant("pixels", 1))
    with open_stream(np.zeros((count, 1), np.uint8), count, labels) as stream:
        np.testing.assert_array_equal(Streamed(stream, np.arange(251), narrow).y, labels)
    labels[-2] = 255
    wrong = pytest.raises(InputError, match=r"ydata\[2097152:2097157\] has the label 255 at row 3, out of range")
    with open_stream(np.zeros((count, 1), np.uint8), count, labels) as stream, wrong:
        Streamed(stream, np.arange(251), narrow)


@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 3.0, 2: 0.5}])
def test_the_loss_of_a_guess_about_a_stream_is_that_about_its_rows_in_memory(open_stream, class_weight):
    labels, classes = np.where(LABELS < 3, 0, LABELS), np.arange(CLASSES + 1)
    weights = of_classes(class_weight, labels, classes)
    rows = InMemory(PIXELS, labels, weights[labels] if len(weights) else weights)
    with open_stream(PIXELS, labels=labels) as stream:
        source = Streamed(stream, classes, encoder(), class_weight=class_weight)
    loss = CrossEntropy()
    assert source.prior_loss(loss) == pytest.approx(rows.prior_loss(loss), rel=1e-12)
    if class_weight is not None:
        assert source.prior_loss(loss) != pytest.approx(InMemory(PIXELS, labels).prior_loss(loss), rel=0.01)


@pytest.mark.parametrize("first_layer", ["dense", "sparse"])
def test_form_of_the_inputs_can_be_forced(open_stream, first_layer):
    with open_stream(PIXELS) as stream:
        source = Streamed(stream, np.arange(CLASSES), encoder(), first_layer=first_layer)
        assert source.first_layer == first_layer
        assert source.density == pytest.approx(0.3, abs=0.03)
        X, *_ = next(source.evaluation_chunks())
        for inputs in (source.head(10), source.sample(10)[0], X):
            assert isinstance(inputs, Sparse) == (first_layer == "sparse")


def test_a_network_fits_a_stream_as_it_fits_its_rows_in_memory(open_stream):
    """All rows in one window are visited in the order of memory."""
    settings = {"epochs": 3, "optimizer": "adam", "momentum": 0.0, "learning_rate": 0.001}
    expected = network(**settings).fit(PIXELS, LABELS, validation=(PIXELS, LABELS))
    with open_stream(PIXELS, ROWS) as stream:
        mlp = network(**settings).fit(stream, validation=(PIXELS, LABELS))
    assert mlp.fit_info["first_layer"] == "sparse"
    for name in ("train_loss", "train_accuracy", "validation_loss"):
        np.testing.assert_allclose(mlp.history[name], expected.history[name], rtol=1e-12)
    np.testing.assert_array_equal(mlp.predict_proba(PIXELS), expected.predict_proba(PIXELS))


def test_a_stream_that_is_closed_or_stands_where_rows_belong_is_refused(open_stream):
    with open_stream(PIXELS) as stream:
        trained = network().fit(stream)
        with pytest.raises(InputTypeError, match=r"X is of type Stream; expected an array \(samples, features\)"):
            trained.predict(stream)
        with pytest.raises(InputTypeError, match="validation X is of type Stream"):
            network().fit(PIXELS, LABELS, validation=(stream, LABELS))
    with pytest.raises(InputError, match=r"is closed; expected an open stream"):
        network().fit(stream)


def test_rows_with_an_attribute_named_as_a_method_of_streams_are_no_stream():
    class Table:
        def __init__(self):
            self.in_order = "a column"

        def __array__(self, dtype=None, copy=None):
            return PIXELS

    assert network().fit(Table(), LABELS).classes.tolist() == sorted(set(LABELS))


def test_labels_and_losses_that_a_stream_does_not_have_are_refused(open_stream):
    with open_stream(PIXELS) as stream:
        with pytest.raises(InputError, match="its own labels; leave it out"):
            network().fit(stream, LABELS)
        with pytest.raises(InputError, match="expected 'cross_entropy'"):
            network(loss="squared_error").fit(stream)
        with pytest.raises(InputError, match="needs all rows at once"):
            network(optimizer="lbfgs", momentum=0.0).fit(stream)
