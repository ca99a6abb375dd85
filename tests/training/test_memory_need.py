"""Networks that are too wide for the memory are refused in one line, before any of it is taken."""

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.config.network import NetworkConfig
from fastmlp.errors import OutOfMemoryError
from fastmlp.training.memory_need import new_outputs
from fastmlp.training.parameters import Parameters
from fastmlp.training.preparation import prepare
from fastmlp.training.start import training_bytes
from fastmlp.utils.random_stream import RandomStream

X = np.random.RandomState(3).standard_normal((300, 100)).astype(np.float32)
Y = np.arange(300) % 3


@pytest.mark.parametrize("engine", ["numba", "numpy"])
@pytest.mark.parametrize("width", [10**11, 2**62, 2**64])
def test_a_layer_that_no_machine_has_room_for_is_refused_and_told_what_it_needs(engine, width):
    told = rf"^a network with 100 inputs, hidden layers \({width},\) and 3 outputs needs .* of memory, and .* are free"
    mlp = MLP(hidden=width, engine=engine)
    with pytest.raises(OutOfMemoryError, match=told):
        mlp.fit(X, Y)
    with pytest.raises(OutOfMemoryError, match=told):
        mlp.partial_fit(X, Y)
    assert mlp.classes is None


def test_its_summary_says_how_large_it_is():
    assert MLP(hidden=2**62).summary(100, 3).weight_bytes > 104 * 4 * 2**62


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"epochs": 1},
        {"optimizer": "adam"},
        {"clip_norm": 1.0, "momentum": 0.9},
        {"first_layer": "sparse"},
        {"engine": "numpy"},
        {"engine": "numpy", "epochs": 1},
        {"hidden": (40, 1500, 1000), "batch_size": 300, "dtype": "float64"},
        {"optimizer": "lbfgs", "hidden": 10000},
    ],
    ids=["sgd", "one epoch", "adam", "clipped", "sparse", "numpy", "one epoch of numpy", "deep", "lbfgs"],
)
def test_a_training_takes_about_as_much_as_was_computed(settings):
    config = NetworkConfig(**{"hidden": 20000, "epochs": 3, "learning_rate": 1e-7, "threads": 1, **settings})
    data = prepare(config, X, Y)
    smaller = [-(-width // 20) for width in config.hidden]
    MLP(**{**config.to_dict(), "hidden": smaller}).fit(data)  # compiles what the larger one runs
    # The arrays alone are counted: what the process holds moves with its compiler and with the tests before this one.
    tracemalloc.start()
    try:
        MLP(**config.to_dict()).fit(data)
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 0.95 * taken < training_bytes(config, data) < 1.25 * taken


def test_outputs_that_find_no_room_are_refused():
    with pytest.raises(OutOfMemoryError, match=r"1000000 units for 1000000000 rows needs 4e\+03 TB|4 PB"):
        new_outputs(10**9, 10**6, np.dtype(np.float32))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is not known")
def test_the_limit_of_a_process_counts():
    program = """
import resource
import numpy as np
from fastmlp import MLP
X, y = np.eye(3), np.arange(3)
MLP(hidden=4, epochs=1, engine="numpy").fit(X, y)
resource.setrlimit(resource.RLIMIT_AS, (1 << 32, 1 << 32))
MLP(hidden=100_000_000, engine="numpy").fit(X, y)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith(
        "fastmlp.errors.OutOfMemoryError: a network with 3 inputs, hidden layers (100000000,) and 3 outputs needs "
    )


@pytest.mark.parametrize("init", ["normal", "uniform"])
def test_weights_drawn_a_block_of_rows_at_a_time_are_those_of_one_draw(init):
    parameters = Parameters((1000, 301, 7), ("relu",), "float64")
    parameters.initialise(init, 1.0, "same", 5)
    random = RandomStream(5)
    for W, b in zip(parameters.weights, parameters.biases, strict=True):
        for array in (W, b):
            drawn = random.normal(array.shape) if init == "normal" else random.uniform(-1, 1, array.shape)
            np.testing.assert_array_equal(array, drawn)
