"""The same bits on every CPU: one list of small trainings, in this process and in ones that compile for others."""

from pathlib import Path

import llvmlite.binding as llvm
import pytest
from small_trainings import digests, trainings

HOST = {name for name, present in llvm.get_host_cpu_features().items() if present}
SKYLAKE = "+avx,+avx2,+fma,+bmi,+bmi2,+f16c,+popcnt,+sse4.2,+avx512f,+avx512bw,+avx512cd,+avx512dq,+avx512vl"

# Optimised less, code compiles in half of the time, and may use the same instructions. `make test-cpus` runs all tests
# with the code that users run.
QUICKLY = {"NUMBA_OPT": "0"}

# Name -> what the host must be able to execute, and the environment that makes Numba compile for that CPU.
CPUS = {
    "AVX-512 without VBMI2": (
        {"avx512f", "avx512vl"},
        {"NUMBA_CPU_NAME": "skylake-avx512", "NUMBA_CPU_FEATURES": SKYLAKE, **QUICKLY},
    ),
    "AVX2": (
        {"avx2", "fma"},
        {
            "NUMBA_CPU_NAME": "haswell",
            "NUMBA_CPU_FEATURES": "+avx,+avx2,+fma,+bmi,+bmi2,+f16c,+popcnt,+sse4.2",
            **QUICKLY,
        },
    ),
    "AVX without FMA": (
        {"avx"},
        {
            "NUMBA_CPU_NAME": "ivybridge",
            "NUMBA_CPU_FEATURES": "+avx,+f16c,+popcnt,+sse4.2",
            "NUMBA_ENABLE_AVX": "1",
            **QUICKLY,
        },
    ),
    "Numba without AVX": ({"sse4.2"}, {"NUMBA_ENABLE_AVX": "0", **QUICKLY}),
    "x86-64-v2": ({"sse4.2"}, {"NUMBA_CPU_NAME": "x86-64-v2", "NUMBA_CPU_FEATURES": "+sse4.2,+popcnt", **QUICKLY}),
    "x86-64": ({"sse2"}, {"NUMBA_CPU_NAME": "x86-64", "NUMBA_CPU_FEATURES": "+sse2", **QUICKLY}),
}


@pytest.fixture(scope="module")
def digests_of_this_cpu():
    """A function of names: the digests of their trainings."""
    known = {}

    def digests_of_this_cpu(names):
        if missing := [name for name in names if name not in known]:
            known.update(digests(missing))
        return {name: known[name] for name in names}

    return digests_of_this_cpu


# Among the quick tests are two kinds. AVX2 does what is computed in float32, but for what trains by code of its own.
# SSE2, which makes the same choices in kernels/cpu.py as every other kind without AVX, does what has the most code:
# dense and sparse rows, both kinds of steps, small networks. `.ci/run cpus` has all kinds do all of it.
ALL = None


def in_float32(name):
    return "float64" not in name and name not in ("sparse float32, 70,000 columns", "augmentation", "small, sparse")


def has_most_code(name):
    return name in (
        *("dense", "sparse uint8", "Adam, dense", "Adam, sparse", "small", "small, softmax"),
        *("evaluate, dense", "predict, dense"),
    )


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        *(pytest.param(name, ALL, id=name, marks=pytest.mark.slow) for name in CPUS),
        pytest.param("AVX2", in_float32, id="AVX2, float32"),
        pytest.param("x86-64", has_most_code, id="x86-64, some"),
    ],
)
def test_another_cpu_computes_the_same_bits(name, wanted, digests_of_this_cpu, run_python):
    needed, environment = CPUS[name]
    if not needed <= HOST:
        pytest.skip(f"this machine cannot execute {', '.join(sorted(needed - HOST))}")
    names = [*filter(wanted, trainings())]
    script = Path(__file__).with_name("small_trainings.py").read_text(encoding="utf-8")
    lines = run_python(script, *names, **environment).stdout.splitlines()
    assert {line[18:]: line[:16] for line in lines} == digests_of_this_cpu(names)
