"""What is decided for CPUs that are not here, and that instructions of one family are named in the table alone."""

import ast
import re
from pathlib import Path

import pytest
from numba import types

from fastmlp.kernels import cpu
from fastmlp.kernels.jit import jit
from fastmlp.kernels.registers import pointer, register_map

SSE = "x86 sse sse2"
AVX = f"{SSE} sse3 ssse3 sse4.1 sse4.2 popcnt avx f16c"
HASWELL = f"{AVX} avx2 fma bmi bmi2 lzcnt"
SKYLAKE = f"{HASWELL} avx512f avx512cd avx512bw avx512dq avx512vl"

# Name of a CPU -> its features, and the choices: bytes and number of registers, tiles, rows
# ahead, fma, packing, shuffling, pause.
CPUS = {
    "x86-64": (SSE, (16, 16, 2, 6, 3, 2, 2, False, False, False, True)),
    "ivybridge": (AVX, (32, 16, 2, 6, 3, 2, 2, False, False, False, True)),
    "haswell": (HASWELL, (32, 16, 2, 6, 3, 2, 2, True, False, True, True)),
    "skylake-avx512": (SKYLAKE, (64, 32, 4, 8, 4, 4, 0, True, False, True, True)),
    "zen4": (f"{SKYLAKE} avx512vbmi avx512vbmi2 avx512vnni", (64, 32, 4, 8, 4, 4, 0, True, True, True, True)),
    "x86 without SSE2": ("x86", (16, 16, 2, 6, 3, 2, 2, False, False, False, False)),
    "an ARM server": ("arm64 neon fp-armv8 crc lse", (16, 32, 4, 8, 4, 4, 2, True, False, False, False)),
    "an ARM server with SVE": ("arm64 neon fp-armv8 sve sve2", (16, 32, 4, 8, 4, 4, 2, True, False, False, False)),
    "macOS on ARM, of which LLVM lists nothing": ("arm64", (16, 32, 4, 8, 4, 4, 2, True, False, False, False)),
    "a family that nobody has thought of": ("vsx altivec", (16, 16, 2, 6, 3, 2, 2, False, False, False, False)),
}
NAMES = (
    "register_bytes", "register_count", "tile_registers", "tall_rows", "dot_rows", "below_columns", "rows_ahead",
    "has_fma", "packs_lanes", "shuffles_bytes", "has_pause",
)  # fmt: skip

KERNELS = Path(cpu.__file__).resolve().parent
FAMILIES = ("llvm.x86", "llvm.aarch64", "llvm.arm")


@pytest.mark.parametrize("name", CPUS)
def test_each_cpu_gets_what_it_can_execute(name):
    features, expected = CPUS[name]
    assert tuple(cpu.choose(choice, frozenset(features.split())) for choice in NAMES) == expected


@pytest.mark.parametrize("name", CPUS)
def test_the_tiles_fit_into_the_registers(name):
    features = frozenset(CPUS[name][0].split())
    columns, tall, high, below, count = (
        cpu.choose(choice, features)
        for choice in ("tile_registers", "tall_rows", "dot_rows", "below_columns", "register_count")
    )
    # Sums, at least two of the row of B so that one is loaded while the other is used, the four broadcasts of A.
    assert 4 * columns + 2 + 4 <= count
    # Sums, the row of B, a broadcast.
    assert 2 * tall + 2 + 1 <= count
    # Sums, what stands in rows of A, one of D.
    assert 4 * high + high + 1 <= count
    # Sums of four rows and two, the deltas, an input.
    assert (4 + 2) * below + below + 1 <= count


def test_every_choice_is_tested():
    assert set(NAMES) == set(cpu.CHOICES)


@pytest.mark.parametrize("alternatives", cpu.CHOICES.values(), ids=cpu.CHOICES)
def test_every_choice_ends_with_what_any_cpu_can_do(alternatives):
    assert [alternative.needs == frozenset() for alternative in alternatives] == [False] * (len(alternatives) - 1) + [
        True
    ]


@pytest.mark.parametrize("name", CPUS)
def test_an_instruction_that_the_cpu_lacks_is_refused(name, monkeypatch):
    features, (*_, packs, shuffles, pauses) = CPUS[name]
    monkeypatch.setattr(cpu, "FEATURES", frozenset(features.split()))
    for instruction, there in (
        ("llvm.x86.avx512.mask.compress", packs),
        ("llvm.x86.ssse3.pshuf.b.128", shuffles),
        ("llvm.x86.sse2.pause", pauses),
    ):
        if there:
            assert cpu.instruction(instruction) == instruction
        else:
            with pytest.raises(cpu.UnsupportedInstruction, match=f"{instruction} was asked for"):
                cpu.instruction(instruction)


def test_an_instruction_outside_of_the_table_is_refused():
    with pytest.raises(cpu.UnsupportedInstruction, match=r"llvm\.x86\.rdtsc was asked for"):
        cpu.instruction("llvm.x86.rdtsc")


def _names_instruction(node):
    """Whether a node of a syntax tree is text, perhaps a part of an f-string, with a name of one CPU family."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and any(f in node.value for f in FAMILIES)


def _permitted(tree, is_table):
    """The texts of a module that may name an instruction: arguments of `instruction`, and the table of cpu.py."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "instruction":
            yield from node.args
        elif is_table and isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "INSTRUCTIONS":
            yield from node.value.keys


def unguarded_instructions(source, is_table=False):
    """Lines of a module with a name of one CPU family's instruction that no check stands before."""
    tree = ast.parse(source)
    permitted = set(_permitted(tree, is_table))
    return [node.lineno for node in ast.walk(tree) if _names_instruction(node) and node not in permitted]


@pytest.mark.parametrize("path", sorted(KERNELS.glob("*.py")), ids=lambda path: path.name)
def test_instructions_of_one_family_are_named_in_the_table_alone(path):
    assert unguarded_instructions(path.read_text(encoding="utf-8"), path.name == "cpu.py") == []


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ('a = "llvm.x86.sse2.pause"', [1]),
        ('a = f"llvm.aarch64.hint{1}"', [1]),
        ('call(builder, "llvm.arm.hint")', [1]),
        ('INSTRUCTIONS = {"llvm.x86.sse2.pause": "has_pause"}', [1]),
        ('a = 1\nb = instruction("llvm.x86.sse2.pause") if HAS_PAUSE else "llvm.x86.avx.vzeroall"', [2]),
        ('a = instruction("llvm.x86.sse2.pause")', []),
        ('a = "llvm.fma.v4f32"', []),
    ],
)
def test_the_search_for_such_names_finds_them(source, lines):
    assert unguarded_instructions(source) == lines


@pytest.mark.skipif(not cpu.HAS_FMA, reason="this CPU has no fused multiply-add")
@pytest.mark.parametrize("element", [types.float32, types.float64])
def test_a_fused_multiply_add_is_an_instruction_and_no_call_of_the_c_library(element):
    fused, _ = register_map(lambda v, x: v.fma(x, x, x))

    @jit
    def run(source, target):
        fused(pointer(source), pointer(target), 0)

    kind = types.Array(element, 1, "C")
    run.compile((kind, kind))
    (assembly,) = run.inspect_asm().values()
    assert re.search(r"\b(vfmadd|fmla)", assembly)
    assert not re.search(r"\bfmaf?\b", assembly)
