"""The machine and the versions that a result, its speed or a fault may depend on."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fastmlp._version import __version__


def version_line() -> str:
    """Return what `fastmlp --version` prints: versions, CPU and system, in one line."""
    compiled_by = ", ".join(f"{name} {installed(name) or 'missing'}" for name in ("numpy", "numba"))
    system = f"{platform.system()} {platform.machine()}"
    return f"fastmlp {__version__} (Python {platform.python_version()}, {compiled_by}; {cpu_name()}; {system})"


def installed(package: str) -> str | None:
    """Return the version of an installed package, or None; it is not imported.

    Parameters
    ----------
    package : str
        Its name in the package index.
    """
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def cpu_name() -> str:
    """Return the CPU's name as Linux reports it, with the numbers of family and model; elsewhere as Python does."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    fields = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    name = fields.get("model name", platform.machine())
    family, model = fields.get("cpu family"), fields.get("model")
    return f"{name} (family {family}, model {model})" if family and model else name


def memory_gb() -> int | None:
    """Return the machine's memory in GiB, rounded; None if unknown."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
    except (AttributeError, ValueError, OSError):
        return None
