"""What the numbers were measured on."""

import platform
from pathlib import Path

import fastmlp
from fastmlp.kernels.thread_team import available_cores
from fastmlp.utils.system import cpu_name, installed, memory_gb

PACKAGES = ("numpy", "numba", "llvmlite", "scikit-learn", "torch", "jax", "jaxlib", "keras", "tensorflow")


def describe():
    """{"cpu", "cores", "caches", "memory_gb", "system", "versions"} of this machine."""
    return {
        "cpu": cpu_name(),
        "cores": available_cores(),
        "caches": _caches(),
        "memory_gb": memory_gb(),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {"python": platform.python_version(), "fastmlp": fastmlp.__version__, **_versions()},
    }


def _caches():
    """Of one core: {"L1d": "32K", "L2": ...}; empty where Linux's files are not there."""
    caches = {}
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = (_text(folder / name) for name in ("level", "type", "size"))
        if kind != "Instruction":
            caches[f"L{level}{'d' if kind == 'Data' else ''}"] = size
    return caches


def _text(path):
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return "?"


def _versions():
    """Of each package that is installed."""
    return {package: found for package in PACKAGES if (found := installed(package)) is not None}
