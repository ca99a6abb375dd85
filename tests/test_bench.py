"""The benchmarks that call kernels directly: a kernel whose parameters change must not leave them behind."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
KERNELS = {"affine, relu", "delta, relu", "update", "sparse affine, relu", "sparse regroup", "sparse update"}


def test_the_roofline_measures_every_kernel():
    command = [sys.executable, "-m", "bench.roofline", "--json", "--seconds", "0.02"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout)
    assert {kernel["kernel"] for kernel in measured["kernels"]} == KERNELS
    assert all(kernel["gflops"] > 0 for kernel in measured["kernels"])
    assert measured["peak_gflops"] > 0
