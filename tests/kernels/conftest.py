"""What the tests of the kernels share: compiled kernels for arrays of any layout, guarded arrays, other processes."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numba import types

import fastmlp
from fastmlp.kernels import activations, dense, epoch, jit, softmax, thread_team
from fastmlp.training.parameters import Parameters

PACKAGE_ROOT = Path(fastmlp.__file__).parents[1]

# M a matrix of any strides, V a vector, L labels, F float64 values, I a code, R a real number.
PARAMETERS = {
    "activate": (activations.activate, "MIM"),
    "affine": (dense.affine, "MMVIM"),
    "delta": (dense.delta, "MMMIM"),
    "gradient": (dense.gradient, "MMMV"),
    "update": (dense.update, "MMMVR"),
    "softmax": (softmax.softmax, "MM"),
    "cross_entropy": (softmax.cross_entropy, "MLMF"),
}


def _signature(codes, element):
    kinds = {
        "M": types.Array(element, 2, "A"),
        "V": types.Array(element, 1, "C"),
        "L": types.Array(types.int64, 1, "C"),
        "F": types.Array(types.float64, 1, "C"),
        "I": types.int64,
        "R": types.float64,
    }
    return tuple(kinds[code] for code in codes)


class Compiled:
    """The public kernels, each compiled when it is first asked for."""

    def __getattr__(self, name):
        if name not in PARAMETERS:
            raise AttributeError(name)
        function, codes = PARAMETERS[name]
        dispatcher = jit.entry(f"tests.{name}", function.py_func, counts=True)
        for element in (types.float32, types.float64):
            dispatcher.compile(_signature(codes, element))
        dispatcher.disable_compile()
        setattr(self, name, dispatcher)
        return dispatcher


@pytest.fixture(scope="session")
def compiled() -> Compiled:
    """The public kernels, compiled once per float type for matrices of any strides and not for every layout again."""
    return Compiled()


class Guarded:
    """A random matrix inside a buffer of nan: rows `pad` elements apart, `offset` elements after an aligned start."""

    def __init__(self, random, shape, dtype, pad=0, offset=0, scale=1.0):
        rows, columns = shape
        stride = columns + pad
        raw = np.full((offset + rows * stride + 32) * np.dtype(dtype).itemsize + 64, 0xFF, np.uint8)
        start = -raw.ctypes.data % 64
        self._buffer = raw[start : start + (offset + rows * stride + 32) * np.dtype(dtype).itemsize].view(dtype)
        assert np.isnan(self._buffer).all()
        self.values = self._buffer[offset : offset + rows * stride].reshape(rows, stride)[:, :columns]
        self.values[...] = scale * random.standard_normal(shape)

    def is_whole(self) -> bool:
        """True while every element of the matrix is a number and nothing around it has been written to."""
        return bool(np.isfinite(self.values).all()) and (
            np.count_nonzero(np.isnan(self._buffer)) == self._buffer.size - self.values.size
        )


@pytest.fixture(scope="session")
def guarded() -> type[Guarded]:
    return Guarded


@pytest.fixture(scope="session")
def network() -> Callable[..., Parameters]:
    """A function (widths, activations, dtype, seed) -> Parameters with weights and biases that are all non-zero."""

    def build(widths, activations, dtype="float32", seed=0):
        parameters = Parameters(widths, activations, dtype, states=2)
        parameters.initialise("auto", None, "same", seed)
        return parameters

    return build


@pytest.fixture(scope="session")
def shared_steps() -> Callable[[], contextlib.AbstractContextManager[list[int]]]:
    """A context in which threads share steps and passes of any size, though it does not pay; gives the teams' sizes."""

    @contextlib.contextmanager
    def context() -> Iterator[list[int]]:
        sizes: list[int] = []
        run = thread_team.run

        def run_and_record(function, threads, *arguments):
            sizes.append(threads)
            run(function, threads, *arguments)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(epoch, "STEP_WORTH_SHARING", 0)
            patch.setattr(epoch, "PASS_WORTH_SHARING", 1)
            patch.setattr(thread_team, "run", run_and_record)
            yield sizes

    return context


@pytest.fixture(scope="session")
def run_python() -> Callable[..., subprocess.CompletedProcess]:
    """Run a script in a new interpreter with this fastmlp and the given environment; fails unless it exits with 0."""

    def run(script, *arguments, path=PACKAGE_ROOT, **environment):
        searched = os.pathsep.join(filter(None, (str(path), os.environ.get("PYTHONPATH"))))
        done = subprocess.run(
            [sys.executable, "-W", "default", "-c", script, *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": searched, **environment},
            cwd=path,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done

    return run
