"""The version of the package."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

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
