"""What another process compiles during the first fit."""

import pytest

from fastmlp.kernels import epoch  # noqa: F401  whose units are known then
from fastmlp.kernels.cache import unit_makers

FIT = """
import numpy as np
from numba.core import event
from fastmlp import MLP


class Compiled(event.Listener):
    names, depth = [], 0

    def on_start(self, begun):
        if not self.depth:
            self.names.append(begun.data["dispatcher"].py_func.__qualname__.split(".")[0])
        self.depth += 1

    def on_end(self, ended):
        self.depth -= 1


event.register("numba:compile", Compiled())
{change}
random = np.random.default_rng(0)
X = (random.integers(1, 256, (80, 9)) * (random.random((80, 9)) < {density})).astype(np.uint8)
y = np.arange(80) % 2
network = MLP(hidden=(4,), epochs=2, batch_size=8, scaling="pixels").fit(X, y)
measured = network.evaluate(X, y)
print(*Compiled.names)
print(network.history["train_loss"][-1].hex(), *measured, network.predict_proba(X).tobytes().hex())
"""


def fit(run_python, folder, threads, density=1, change=""):
    """(names of the entries that the process compiled itself, what it computed, names of the kernels that are kept)"""
    script = FIT.format(density=density, change=change)
    done = run_python(script, FASTMLP_CACHE=str(folder), FASTMLP_THREADS=str(threads))
    compiled, computed = done.stdout.splitlines()
    return compiled.split(), computed, {path.name for path in folder.rglob("*.bin")}


@pytest.mark.slow
@pytest.mark.parametrize("density", [1, 0.2], ids=["dense", "sparse"])
def test_another_process_compiles_what_measures_and_predicts(run_python, tmp_path, density):
    alone, expected, kept = fit(run_python, tmp_path / "alone", 1, density)
    assert {"evaluate", "predict"} <= set(alone)
    beside, found, kept_beside = fit(run_python, tmp_path / "beside", 2, density)
    assert not {"evaluate", "predict", "predict_skipping"} & set(beside)
    assert found == expected
    assert kept_beside >= kept
    assert fit(run_python, tmp_path / "beside", 2, density)[:2] == ([], expected)


@pytest.mark.slow
@pytest.mark.parametrize("executable", ["/nowhere/python", None])
def test_without_another_process_a_fit_compiles_all_itself(run_python, tmp_path, executable):
    change = f"import sys; sys.executable = {executable!r}"
    compiled, _, kept = fit(run_python, tmp_path, 2, change=change)
    assert {"evaluate", "predict"} <= set(compiled)
    assert len({name for name in kept if name.split("-")[0] not in unit_makers}) == len(compiled)
