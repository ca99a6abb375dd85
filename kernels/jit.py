"""The ways in which this package compiles."""

import itertools
import secrets

import numba
from numba.core.bytecode import FunctionIdentity

from .cache import KernelCache

# Numba numbers the functions that a process compiles and makes the number a part of their symbols. Code that two
# processes have compiled and a third one loads together must not share a symbol, or the linker would take the one
# function for the other: so the numbers start anywhere.
FunctionIdentity._unique_ids = itertools.count(secrets.randbits(48))

# error_model="numpy": a division by zero gives inf or nan and no exception, so that nogil code never has to unwind.
# No fastmath: its reassociation would make results depend on the number of lanes, and it deletes tests for nan.
# No wrappers for callers in C, which there are none of: a twentieth of the time of compiling.
OPTIONS = {
    "nogil": True, "boundscheck": False, "error_model": "numpy", "fastmath": False, "no_cfunc_wrapper": True,
}  # fmt: skip

jit = numba.njit(**OPTIONS)

# For the layer between an entry point and the kernels: Numba optimises the whole code below every function again, so
# each level of calls above the tiles would cost half a second of compiling.
inlined = numba.njit(inline="always", **OPTIONS)


def entry(name, function):
    """Compile a function that Python calls; its code is kept on disk under `name`, which no other may have."""
    dispatcher = jit(function)
    dispatcher._cache = KernelCache(name, OPTIONS)
    return dispatcher
