"""Train multilayer perceptrons on a CPU: fused Numba kernels, reproducible to the bit.

from fastmlp import MLP
from fastmlp.data import load
"""

from typing import TYPE_CHECKING

from fastmlp._version import __version__

if TYPE_CHECKING:
    from fastmlp.mlp import MLP
    from fastmlp.training.history import History

__all__ = ["MLP", "History", "__version__"]


def __getattr__(name: str) -> object:
    # Numpy and numba are loaded with the first name that needs them, so that `--help` answers at once.
    if name == "MLP":
        from fastmlp.mlp import MLP

        return MLP
    if name == "History":
        from fastmlp.training.history import History

        return History
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
