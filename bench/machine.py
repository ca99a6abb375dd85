"""What the numbers were measured on."""

import contextlib
import os
import platform
from importlib import metadata
from pathlib import Path

import fastmlp
from fastmlp.kernels.thread_team import available_cores

PACKAGES = ("numpy", "numba", "llvmlite", "scikit-learn", "torch", "jax", "jaxlib", "keras", "tensorflow")


def describe():
    """{"cpu", "cores", "caches", "memory_gb", "system", "versions"} of this machine."""
    return {
        "cpu": _cpu(),
        "cores": available_cores(),
        "caches": _caches(),
        "memory_gb": _memory(),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {"python": platform.python_version(), "fastmlp": fastmlp.__version__, **_versions()},
    }


def _cpu():
    """The CPU's name, as Linux reports it, with the model's numbers where the name is ambiguous."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    fields = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    name = fields.get("model name", platform.machine())
    family, model = fields.get("cpu family"), fields.get("model")
    return f"{name} (family {family}, model {model})" if family and model else name


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


def _memory():
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
    except (AttributeError, ValueError, OSError):
        return None


def _versions():
    """Of each package that is installed."""
    found = {}
    for package in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found
