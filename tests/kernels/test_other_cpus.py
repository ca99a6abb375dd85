"""The same bits from registers of any width: this process against ones that compile for another CPU."""

import hashlib

import llvmlite.binding as llvm
import numpy as np
import pytest

from fastmlp.kernels import epoch, registers
from fastmlp.kernels.rule import ADAM, DESCENT, MOMENTUM, Rule
from fastmlp.parameters import Parameters

X86 = "86" in llvm.get_process_triple().split("-")[0]
AVX2 = X86 and llvm.get_host_cpu_features().get("avx2") and llvm.get_host_cpu_features().get("fma")
CPUS = {
    "avx2": (32, "haswell", "+avx,+avx2,+fma,+bmi,+bmi2,+f16c,+popcnt,+sse4.2"),
    # No instruction for fma: the C library's is called, which is slow and rounds the same.
    "sse2": (16, "x86-64", "+sse2"),
}
SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from test_other_cpus import digest_of_a_training
from fastmlp.kernels import registers
print(registers.REGISTER_BYTES, digest_of_a_training())
"""


def digest_of_a_training():
    """SHA-256 of the weights, velocities and probabilities of a small network with every activation."""
    random = np.random.RandomState(0)
    X, y = random.standard_normal((50, 21)).astype("float32"), random.randint(0, 3, 50)
    p = Parameters((21, 19, 37, 18, 3), ("relu", "tanh", "sigmoid"), "float32")
    p.initialise("auto", None, "same", 1)
    totals = np.zeros(2)
    p.states = np.zeros((2, len(p.buffer)), "float32")
    rules = (
        DESCENT,
        Rule(MOMENTUM, 0.5, l2=1e-3, clip_norm=0.5),
        Rule(ADAM, 0.9, beta2=0.99, epsilon=1e-8, max_norm=1.0),
    )
    for rule in rules:
        keep = () if rule == DESCENT else (0.9, 0.5, 0.7, 0.8)
        epoch.train(p.layers, p.buffer, p.states, X, y, np.arange(50), 16, 0.1, totals, 1, rule, keep=keep)
    proba = epoch.predict(p.layers, p.buffer, X, np.empty((50, 3), "float32"), 1)
    assert np.isfinite(proba).all()
    return hashlib.sha256(b"".join(part.tobytes() for part in (p.buffer, p.states, totals, proba))).hexdigest()


@pytest.mark.skipif(not AVX2, reason="these CPUs can be had on an x86-64 with AVX2 and FMA alone")
@pytest.mark.parametrize("cpu", ["avx2", pytest.param("sse2", marks=pytest.mark.slow)])
def test_another_cpu_trains_to_the_same_bits(run_python, cpu, request):
    width, name, features = CPUS[cpu]
    done = run_python(SCRIPT, request.path.parent, NUMBA_CPU_NAME=name, NUMBA_CPU_FEATURES=features)
    assert done.stdout.split() == [str(width), digest_of_a_training()]


def test_this_process_compiles_for_registers_that_there_are():
    assert registers.REGISTER_BYTES in (16, 32, 64)
