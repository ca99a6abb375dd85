"""The weights of a few trainings, as digests: one seed means one model, on any machine and in any later version.

A digest changes only when the arithmetic of a training is meant to change, which CHANGELOG then says.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.data import Stream
from fastmlp.kernels import epoch

ROWS, SIDE, CLASSES = 300, 12, 4
COMMON = {"hidden": (24, 10), "epochs": 3, "batch_size": 32, "learning_rate": 0.05, "seed": 7}

# Name -> (settings, digest of the weights and biases) by the kernels of larger networks, which all of these were once
# trained by.
GOLDEN = {
    "sgd": ({}, "292fa5d1400a49b6"),
    "sgd with Nesterov's momentum": (
        {"optimizer": {"name": "sgd", "nesterov": True}, "momentum": 0.9},
        "3275b842bf7cfdb9",
    ),
    "adam": ({"optimizer": "adam", "learning_rate": 0.002}, "1ed0416b708f49d5"),
    "adamw": ({"optimizer": "adamw", "learning_rate": 0.002, "activation": "tanh"}, "53506a4623c9c02e"),
    "rmsprop": ({"optimizer": "rmsprop", "learning_rate": 0.002, "momentum": 0.5, "max_norm": 2.0}, "1408624698b0b6d1"),
    "binary cross entropy": (
        {"loss": "binary_cross_entropy", "activation": "sigmoid", "momentum": 0.9},
        "64cd2c3cb4905245",
    ),
    "squared error": (
        {"loss": "squared_error", "learning_rate": 0.01, "l1": 1e-4, "clip_norm": 1.0},
        "c1ea4d92753e9c3d",
    ),
    "dropout": ({"dropout": (0.1, 0.3, 0.3), "l2": 1e-3, "label_smoothing": 0.1}, "1d521ed1aaedf943"),
    "augmentation": ({"augment": {"image_shape": (SIDE, SIDE), "shift": 1.0, "rotation": 10.0}}, "d904c1e08d731795"),
    "sparse": ({"first_layer": "sparse", "class_weight": "balanced", "schedule": "cosine"}, "7f1e2caf250837b9"),
    "stream": ({}, "f0bfc634bfc39ea4"),
    "float64": (
        {"dtype": "float64", "decay_epochs": (1, 2), "init": "uniform", "init_bias": "same"},
        "7d84223da8e5b840",
    ),
    "float64 from normal weights": ({"dtype": "float64"}, "3fa4c781dbd4a08a"),
    "early stopping": (
        {"epochs": 30, "early_stopping": 2, "schedule": {"name": "plateau", "patience": 1}},
        "951c9d0b94d001a1",
    ),
}

# What must not matter, all at once: what a C library and NumPy make of a processor without fused multiply-add and wide
# registers, another BLAS, the order of sets, and how a system writes numbers and tells the time.
ELSEWHERE = {
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2,-AVX2_Usable,-FMA_Usable",
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX2 FMA3 AVX512F AVX512CD AVX512_SKX AVX512_ICL AVX512_SPR",
    "OPENBLAS_CORETYPE": "Prescott", "OMP_NUM_THREADS": "3", "PYTHONHASHSEED": "7", "LC_ALL": "de_DE.UTF-8",
    "TZ": "Pacific/Chatham",
}  # fmt: skip


# The digests of those that the kernels of small networks train.
SMALL = {
    "sgd": "165782361992f5fd",
    "sgd with Nesterov's momentum": "8d547701b2b9c8a6",
    "adam": "96b75319dca3bca2",
    "adamw": "d796d2ef90c81a7b",
    "binary cross entropy": "fae24591fcd04ea8",
    "sparse": "ae1f2fbea077f3f2",
    "stream": "cfc80f37f4f485c6",
    "float64": "6c6f42286a939d44",
    "early stopping": "85355aabe8d8f7ce",
    "float64 from normal weights": "9220a7ab9ff96fcd",
}


def images():
    """(300, 144) uint8 of which three quarters are zero, and labels (300,)."""
    random = np.random.RandomState(11)
    lit = random.rand(ROWS, SIDE * SIDE) < 0.25
    X = np.where(lit, random.randint(1, 256, lit.shape), 0).astype(np.uint8)
    return X, random.randint(0, CLASSES, ROWS)


def fit(name, settings, threads, tmp_path):
    X, y = images()
    mlp = MLP(**{**COMMON, **settings, "threads": threads})
    if name == "stream":
        with h5py.File(tmp_path / "images.hdf5", "w") as file:
            file["xdata"], file["ydata"] = X, y
        with Stream(tmp_path / "images.hdf5", window_bytes=100 * X.shape[1], block_bytes=4 * X.shape[1]) as stream:
            return mlp.fit(stream)
    if mlp.loss != "cross_entropy":
        return mlp.fit(X, np.eye(CLASSES)[y])
    return mlp.fit(X, y, validation=(X[:50], y[:50]))


def digest(mlp):
    hasher = hashlib.sha256()
    for array in (*mlp.weights, *mlp.biases):
        hasher.update(np.ascontiguousarray(array).tobytes())
    return hasher.hexdigest()[:16]


def changed(folder):
    """The trainings that give other digests in this process, with one thread."""
    return [
        name
        for name, (settings, expected) in GOLDEN.items()
        if digest(fit(name, settings, 1, folder)) != SMALL.get(name, expected)
    ]


@pytest.mark.parametrize("name", GOLDEN)
def test_a_seed_means_the_weights_that_it_always_meant(name, tmp_path, monkeypatch):
    settings, expected = GOLDEN[name]
    monkeypatch.setattr(epoch, "SMALL_NETWORK", 0)
    assert digest(fit(name, settings, 2, tmp_path)) == expected


@pytest.mark.parametrize("name", GOLDEN)
def test_the_seed_of_a_small_network_does_too(name, tmp_path):
    settings, expected = GOLDEN[name]
    assert digest(fit(name, settings, 2, tmp_path)) == SMALL.get(name, expected)


@pytest.mark.parametrize("first_layer", ["dense", "sparse"])
def test_the_form_of_the_first_layer_changes_no_bit(first_layer, tmp_path):
    settings, _ = GOLDEN["adam"]
    assert digest(fit("adam", {**settings, "first_layer": first_layer}, 1, tmp_path)) == SMALL["adam"]


def test_processors_libraries_and_settings_of_a_system_change_no_bit(tmp_path):
    here = Path(__file__).parent
    code = "import sys, pathlib, test_golden_bits as golden; print(golden.changed(pathlib.Path(sys.argv[1])))"
    path = os.pathsep.join([str(here), str(here.parent)])
    done = subprocess.run(
        [sys.executable, "-O", "-c", code, tmp_path], env={**os.environ, **ELSEWHERE, "PYTHONPATH": path},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr
