"""`fastmlp warm`: the kernels that fits need, compiled before there is one."""

import argparse
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastmlp.cli.commands.arguments import absolute
from fastmlp.cli.commands.command import Command, Outcome, computing
from fastmlp.errors import InputError

DTYPES = ("float32", "float64")
SIDE, ROWS = 8, 64  # of the images to compile with, and how many


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Compile the kernels that training and prediction need, for example when a container image is built, so that "
        "the first fit starts at once. They are for this CPU, Python and package versions; existing ones are kept."
    )
    parser.add_argument(
        "--dtype", default="float32", choices=DTYPES, help="of the networks to compile for (default: float32)"
    )


@computing
def _run(options: argparse.Namespace) -> Outcome:
    import llvmlite.binding

    folder, started = _cache(), time.monotonic()
    before = _kernels(folder)
    for inputs, settings in _trainings():
        _use(inputs, settings, options.dtype)
    after, seconds = _kernels(folder), time.monotonic() - started
    if not after:
        raise InputError(f"no kernel was kept in {folder}; set FASTMLP_CACHE to a folder that can be written")
    cpu = llvmlite.binding.get_host_cpu_name()
    made = len(after - before)
    what = f"{made} kernels were compiled in {seconds:.0f} s" if made else "no kernel had to be compiled"
    values = {"folder": absolute(folder), "cpu": cpu, "compiled": made, "kernels": len(after), "seconds": seconds}
    return Outcome(values, f"{what}; {len(after)} for a CPU like this one ({cpu}) are in {folder}")


def _cache() -> Path:
    """Return the folder of the compiled kernels, which can be written to."""
    from fastmlp.kernels.cache import directory

    try:
        folder = Path(directory())
        folder.mkdir(parents=True, exist_ok=True)
    except RuntimeError as error:
        raise InputError(f"{error}; set FASTMLP_CACHE to the folder for compiled kernels") from None
    except OSError as error:
        raise InputError(f"{error.filename} cannot be written to ({error.strerror}); set FASTMLP_CACHE") from None
    if not os.access(folder, os.W_OK):
        raise InputError(f"{folder} cannot be written to; set FASTMLP_CACHE to a folder that can be")
    return folder


def _kernels(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.bin")}


def _trainings() -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yield inputs and settings that have separate kernels, those of most people first."""
    import numpy as np

    from fastmlp.utils.random_stream import RandomStream

    random = RandomStream(0)
    table = random.normal((ROWS, SIDE))
    full = random.uniform(1, 256, (ROWS, SIDE * SIDE)).astype(np.uint8)
    mostly_zero = full * (random.uniform(0, 1, full.shape) < 0.1)
    mostly_zero[0, 0] = 255  # or the pixels are not taken for such
    inputs = table, mostly_zero, full, mostly_zero / 255
    # Single samples have separate kernels, as have small networks, from some batch size on.
    one, small = {"batch_size": 1}, {"batch_size": 32}
    for settings in ({}, {"optimizer": "adam"}, {"loss": "squared_error"}, small, one):
        yield from ((X, settings) for X in inputs)
    yield from ((X, {"augment": {"shift": 1.0}}) for X in (full, mostly_zero / 255))


def _use(X: Any, settings: dict[str, Any], dtype: str) -> None:
    """Train a network on X for an epoch, and predict with it."""
    from fastmlp.mlp import MLP

    y = X[:, 0] * 1.0 if "loss" in settings else [row % 2 for row in range(len(X))]
    common = {"hidden": (4,), "epochs": 1, "batch_size": 8, "learning_rate": 0.02, "dtype": dtype, "threads": 1}
    network = MLP(**(common | settings))
    network.fit(X, y)
    network.predict(X)
    network.predict(X[:1])
    network.evaluate(X, y)


COMMAND = Command("Compile the kernels ahead of time, as for a container image", _arguments, _run, "fastmlp warm")
