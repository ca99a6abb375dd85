"""What a report of a fault should say of the machine, the versions and the settings."""

import os
import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import llvmlite.binding as llvm

import fastmlp
from fastmlp._version import __version__
from fastmlp.data.collections.cache import cache_folder
from fastmlp.kernels import cpu
from fastmlp.kernels.thread_team import available_cores
from fastmlp.report.info.facts import Info
from fastmlp.utils.system import cpu_name, installed, memory_gb

# Beginnings of the names of environment variables that change what is computed, how fast, or where files are.
SETTINGS = ("FASTMLP_", "NUMBA_", "MPL", "XDG_CACHE_HOME")
# A line of the package's metadata, such as 'ray>=2.40; extra == "ray"', and the extras that a user has no need of.
REQUIREMENT = r"(?P<name>[\w.-]+)[^;]*(?:; extra == \"(?P<extra>\w+)\")?"
DEVELOPMENT = ("test", "lint", "oracle", "bench", "docs")


def describe_system() -> Info:
    """Describe the machine, the versions of what is installed, and the settings of the environment."""
    required, optional = _packages()
    kernels = {
        "target": os.environ.get("NUMBA_CPU_NAME") or llvm.get_host_cpu_name(),
        "register_bytes": int(cpu.REGISTER_BYTES),
        "fused_multiply_add": bool(cpu.HAS_FMA),
    }
    cache = cache_folder()
    values = {
        "kind": "system",
        "fastmlp": __version__,
        "location": str(Path(fastmlp.__file__).parent),
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "executable": sys.executable,
        "system": platform.platform(),
        "machine": platform.machine(),
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "threads": available_cores(),
        "memory_gb": memory_gb(),
        "kernels": kernels,
        "required": required,
        "optional": optional,
        "environment": {name: value for name, value in sorted(os.environ.items()) if name.startswith(SETTINGS)},
        "cache": None if cache is None else str(cache),
    }
    fma = "" if kernels["fused_multiply_add"] else ", without fused multiply-add"
    memory = "" if values["memory_gb"] is None else f", {values['memory_gb']} GB"
    facts = [
        ("installed in", values["location"]),
        ("Python", f"{values['python']}, {values['implementation']}: {values['executable']}"),
        ("system", values["system"]),
        ("CPU", f"{values['cpu']}: {values['threads']} of {values['cores']} cores are used{memory}"),
        ("kernels", f"compiled for {kernels['target']}: registers of {kernels['register_bytes']} bytes{fma}"),
        ("packages", _versions(required)),
        ("optional", _versions(optional)),
        ("environment", "\n".join(f"{name}={value}" for name, value in values["environment"].items()) or "no settings"),
        ("cache", "none: this user has no home folder" if cache is None else str(cache)),
    ]
    return Info(f"fastmlp {__version__}", facts, values)


def _packages() -> tuple[dict[str, str | None], dict[str, str | None]]:
    """Versions of the packages that fastmlp requires, and of those that it can use; None where one is missing."""
    try:
        requirements = [re.fullmatch(REQUIREMENT, line) for line in requires("fastmlp") or []]
    except PackageNotFoundError:  # run from a source tree that is not installed
        requirements = [re.fullmatch(REQUIREMENT, name) for name in ("numpy", "numba")]
    known = [match for match in requirements if match and match["extra"] not in DEVELOPMENT]
    required = {match["name"]: installed(match["name"]) for match in known if not match["extra"]}
    required["llvmlite"] = installed("llvmlite")  # it is Numba that requires it, and it decides on speed
    return required, {match["name"]: installed(match["name"]) for match in known if match["extra"]}


def _versions(packages: dict[str, str | None]) -> str:
    """Return names and versions for a person; what is missing comes last."""
    missing = [name for name, found in packages.items() if found is None]
    present = ", ".join(f"{name} {found}" for name, found in packages.items() if found is not None)
    return present + ("" if not missing else f"{'; ' if present else ''}missing: {', '.join(missing)}")
