"""Other CPUs than this one: what holds every library of the competitors to their instructions."""

# numpy's own loops: all groups of instructions beyond AVX2. What a CPU does not have may be named.
_NUMPY_BEYOND_AVX2 = "X86_V4 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR"

# By name, the environment variables of a competitor's process.
CPUS = {
    "native": {},
    "haswell": {
        "NUMBA_CPU_NAME": "haswell",
        "NUMBA_CPU_FEATURES": "+avx,+avx2,+fma,+bmi,+bmi2,+f16c,+popcnt,+sse4.2",
        "NPY_DISABLE_CPU_FEATURES": _NUMPY_BEYOND_AVX2,
        "OPENBLAS_CORETYPE": "Haswell",
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "TORCHINDUCTOR_CPP_MARCH": "haswell",
        "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
    },
}
TITLES = {"native": "this CPU", "haswell": "held to AVX2"}
