"""The one way in which this package compiles."""

import numba

# error_model="numpy": a division by zero gives inf or nan and no exception, so that nogil code never has to unwind.
# No fastmath: its reassociation would make results depend on the number of lanes, and it deletes tests for nan.
OPTIONS = {"nogil": True, "boundscheck": False, "error_model": "numpy", "fastmath": False}

jit = numba.njit(**OPTIONS)
