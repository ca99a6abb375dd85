"""The CPU that Numba compiles for, and every choice that depends on it.

`CHOICES` is the only place where a property of a CPU is turned into a decision. Each row lists alternatives, the best
first, with the features that an alternative needs; the first one whose features are all there is taken. Instructions
of one CPU family are emitted through `instruction`, which refuses what the CPU lacks: LLVM would abort the process.
"""

from typing import NamedTuple

import llvmlite.binding as llvm
from numba.core.registry import cpu_target


class Alternative(NamedTuple):
    """A value, and the names of the CPU features that it needs, as LLVM spells them."""

    value: int | bool
    needs: frozenset[str]


class UnsupportedInstruction(RuntimeError):
    """An instruction was asked for that the CPU compiled for does not have."""


def read_features() -> frozenset[str]:
    """Features of the CPU that Numba compiles for, plus "x86" or "arm64" for its family.

    Numba is asked and not LLVM: `NUMBA_CPU_FEATURES`, `NUMBA_ENABLE_AVX` and Numba's own list of CPUs without usable
    AVX all take features away that the host has. On macOS, LLVM lists no features of an ARM processor at all.
    """
    triple, _, features = cpu_target.target_context.codegen().magic_tuple()
    present = {name[1:] for name in features.split(",") if name.startswith("+")}
    machine = (triple or llvm.get_process_triple()).split("-")[0]
    if machine in ("aarch64", "arm64"):
        present.add("arm64")
    elif machine in ("x86_64", "amd64") or (machine.startswith("i") and machine.endswith("86")):
        present.add("x86")
    return frozenset(present)


def _row(*alternatives: tuple[int | bool, str]) -> tuple[Alternative, ...]:
    return tuple(Alternative(value, frozenset(needs.split())) for value, needs in alternatives)


CHOICES = {
    # Bytes in the widest SIMD register, and how many registers there are.
    "register_bytes": _row((64, "avx512f"), (32, "avx"), (16, "")),
    "register_count": _row((32, "avx512f"), (32, "arm64"), (16, "")),
    # Registers of columns in the dense tile of four rows: accumulators, a row of B and a broadcast of A must fit.
    "tile_registers": _row((4, "avx512f"), (4, "arm64"), (2, "")),
    # Rows of the taller tile of two registers of columns.
    "tall_rows": _row((8, "avx512f"), (8, "arm64"), (6, "")),
    # Rows of a tile of four columns whose terms stand in the lanes; its columns where there are two rows more.
    "dot_rows": _row((4, "avx512f"), (4, "arm64"), (3, "")),
    "below_columns": _row((4, "avx512f"), (4, "arm64"), (2, "")),
    # Entries of a row ahead of which the place of an entry's row of W is known: of narrow registers it has more loads,
    # which must not wait.
    "rows_ahead": _row((0, "avx512f"), (2, "")),
    # A fused multiply-add in one instruction; without one it is computed from plain additions and multiplications.
    "has_fma": _row((True, "fma"), (True, "avx512f"), (True, "arm64"), (False, "")),
    # One instruction moves the chosen lanes of a register of any element type to its front.
    "packs_lanes": _row((True, "x86 avx512f avx512bw avx512vl avx512vbmi2"), (False, "")),
    # One instruction chooses the lanes of a register of bytes by those of another one.
    "shuffles_bytes": _row((True, "x86 avx2"), (False, "")),
    # A hint to the core that a loop only waits.
    "has_pause": _row((True, "x86 sse2"), (False, "")),
}

# The instructions of one CPU family that the kernels may emit, and the choice that permits each.
INSTRUCTIONS = {
    "llvm.x86.avx512.mask.compress": "packs_lanes",
    "llvm.x86.ssse3.pshuf.b.128": "shuffles_bytes",
    "llvm.x86.sse2.pause": "has_pause",
}


def choose(name: str, features: frozenset[str]) -> int | bool:
    """The first alternative of `CHOICES[name]` that a CPU with these features can execute."""
    return next(alternative.value for alternative in CHOICES[name] if alternative.needs <= features)


def instruction(name: str) -> str:
    """Return the name of an LLVM intrinsic of one CPU family; call it when a module is imported.

    Raises
    ------
    UnsupportedInstruction
        If the CPU compiled for lacks the instruction, or `INSTRUCTIONS` does not list it.
    """
    choice = INSTRUCTIONS.get(name)
    if choice is None or not choose(choice, FEATURES):
        raise UnsupportedInstruction(
            f"{name} was asked for, and the CPU compiled for has {', '.join(sorted(FEATURES)) or 'no listed feature'}; "
            "emit it only where its row of kernels/cpu.py permits it"
        )
    return name


FEATURES = read_features()
REGISTER_BYTES = choose("register_bytes", FEATURES)
REGISTER_COUNT = choose("register_count", FEATURES)
TILE_REGISTERS = choose("tile_registers", FEATURES)
TALL_ROWS = choose("tall_rows", FEATURES)
DOT_ROWS = choose("dot_rows", FEATURES)
BELOW_COLUMNS = choose("below_columns", FEATURES)
ROWS_AHEAD = choose("rows_ahead", FEATURES)
HAS_FMA = choose("has_fma", FEATURES)
PACKS_LANES = choose("packs_lanes", FEATURES)
SHUFFLES_BYTES = choose("shuffles_bytes", FEATURES)
HAS_PAUSE = choose("has_pause", FEATURES)
