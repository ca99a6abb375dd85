"""One network in several threads: each call sees one whole network, whatever `fit` does meanwhile."""

import mmap
import threading
import time
from multiprocessing import shared_memory

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.utils.borrowed_memory import memory_held

SETTINGS = {"hidden": (4,), "epochs": 1, "batch_size": 400, "threads": 1, "train_metrics": "running", "scaling": "none"}


@pytest.fixture(scope="module")
def samples():
    return np.random.RandomState(0).standard_normal((400, 10)).astype(np.float32)


@pytest.mark.parametrize("seconds", [1.0, pytest.param(60.0, marks=pytest.mark.slow)])
def test_who_predicts_and_saves_while_a_network_is_fitted_again_gets_one_network_or_the_other(
    samples, tmp_path, seconds
):
    few, many = np.arange(400) % 3, np.arange(400)
    answers, models = set(), set()
    for labels in (few, many):
        network = MLP(**SETTINGS).fit(samples, labels)
        answers.add(network.predict_proba(samples).tobytes())
    network = MLP(**SETTINGS).fit(samples, few)
    seen, wrong, stop = set(), [], threading.Event()

    def predict():
        while not stop.is_set():
            seen.add(network.predict_proba(samples).tobytes())

    def save(path=tmp_path / "model.safetensors"):
        while not stop.is_set():
            network.save(path)
            loaded = MLP.load(path)
            models.add((len(loaded.classes), loaded.weights[-1].shape[1], len(loaded.history)))

    def watched(work):
        try:
            work()
        except Exception as error:
            wrong.append(error)

    others = [threading.Thread(target=watched, args=(work,)) for work in (predict,) * 8 + (save,)]
    for other in others:
        other.start()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        network.fit(samples, many)
        network.fit(samples, few)
    stop.set()
    for other in others:
        other.join()
    assert wrong == []
    assert seen == answers
    assert models <= {(3, 3, 1), (400, 400, 1)}


def test_a_fit_that_is_interrupted_keeps_its_last_epoch_and_one_that_is_refused_the_network_that_was_there(samples):
    network = MLP(**SETTINGS).fit(samples, np.arange(400) % 3)

    def interrupt(record):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        network.fit(samples, np.arange(400) % 5, progress=interrupt)
    assert network.predict_proba(samples).shape == (400, 5)
    with pytest.raises(ValueError, match="class"):
        network.fit(samples, np.arange(400) % 7, classes=[0, 1])
    assert network.predict_proba(samples).shape == (400, 5)


def test_shared_memory_cannot_go_while_a_network_trains_on_it(samples):
    block = shared_memory.SharedMemory(create=True, size=samples.nbytes)
    try:
        X = np.ndarray(samples.shape, samples.dtype, buffer=block.buf)
        X[...] = samples
        refused = []

        def close(record):
            with pytest.raises(BufferError):
                block.close()
            refused.append(record["epoch"])

        fitted = MLP(**SETTINGS).fit(X, np.arange(400) % 3, progress=close)
        expected = MLP(**SETTINGS).fit(samples, np.arange(400) % 3)
        assert refused == [1]
        assert fitted.weights[0].tobytes() == expected.weights[0].tobytes()
        del X
    finally:
        block.close()
        block.unlink()


def test_a_memory_map_cannot_be_closed_or_resized_while_it_is_held(tmp_path, samples):
    path = tmp_path / "samples.bin"
    path.write_bytes(samples.tobytes())
    with open(path, "r+b") as file:
        mapped = mmap.mmap(file.fileno(), 0)
    X = np.frombuffer(mapped, np.float32).reshape(samples.shape)
    with memory_held((X, None)):
        with pytest.raises(BufferError):
            mapped.close()
        with pytest.raises((BufferError, OSError)):
            mapped.resize(8)
    del X
    mapped.close()


def test_an_array_can_be_resized_once_it_has_been_predicted(samples):
    network = MLP(**{**SETTINGS, "hidden": (200,), "threads": 2}).fit(samples, np.arange(400) % 3)
    for _ in range(50):
        X = samples.repeat(20, axis=0)
        out = network.predict_proba(X)
        out.resize((10, 3))  # numpy refuses it where anybody else still has the array
        X.resize((10, 10))
