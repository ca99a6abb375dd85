"""Train multilayer perceptrons on a CPU: fused Numba kernels, reproducible to the bit.

from fastmlp import MLP
from fastmlp.data import load
"""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .history import History
    from .mlp import MLP

__all__ = ["MLP", "History", "__version__"]

try:
    __version__ = version("fastmlp")
except PackageNotFoundError:  # run from a source tree that is not installed
    __version__ = "0+unknown"
    if not (Path(__file__).parent / "kernels").is_dir():
        raise ImportError(
            "fastmlp/kernels is not the link to the folder kernels that it should be, as git makes none on Windows by "
            "default: `pip install .` needs none; or have it made: `git config core.symlinks true`, then "
            "`git checkout -- fastmlp`"
        ) from None


def __getattr__(name: str) -> object:
    # Numpy and numba are loaded with the first name that needs them, so that `--help` answers at once.
    if name == "MLP":
        from .mlp import MLP

        return MLP
    if name == "History":
        from .history import History

        return History
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
