"""An optimizer, a loss or a schedule that somebody else's module defines works everywhere, with no edit elsewhere."""

import importlib
import json
import sys

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.cli.main import main
from fastmlp.config.loss_base import LOSSES
from fastmlp.config.network import NetworkConfig
from fastmlp.config.optimizers import OPTIMIZERS
from fastmlp.config.schedule_shapes import SHAPES
from fastmlp.errors import InputError

MODULE = '''
from dataclasses import dataclass
from functools import partial

from fastmlp.config.losses import SquaredError
from fastmlp.config.optimizers import Optimizer, number
from fastmlp.config.schedule_shapes import Shape
from fastmlp.kernels.update_rule import GRADIENT, MOMENTUM, Rule
from fastmlp.utils import validation as check


@dataclass(frozen=True)
class HeavyBall(Optimizer, name="heavy-ball", label="Heavy ball"):
    """SGD with a momentum of its own and weight decay."""

    inertia: float = number(0.5, partial(check.real, hint="0.5 is common", least=0, below=1))
    weight_decay: float = number(0.25, partial(check.real, hint="0.01 is common", least=0))

    def update(self):
        return Rule(MOMENTUM, momentum=self.inertia, decay=self.weight_decay)


@dataclass(frozen=True)
class ConjugateGradient(Optimizer, name="conjugate", label="Conjugate gradients"):
    """The nonlinear conjugate gradients of scipy."""

    is_full_batch = True
    can_resume = False
    has_learning_rate = False
    scipy_method = "CG"

    def update(self):
        return Rule(GRADIENT)


class RoundedError(SquaredError, name="rounded_error", label="rounded error"):
    """The squared error of whole numbers."""

    def decide(self, outputs, classes):
        return super().decide(outputs, classes).round()


@dataclass
class Harmonic(Shape, name="harmonic"):
    """1 / (1 + slope n), with n the whole epochs done."""

    slope: float = 1.0

    def factors(self, clock):
        return 1 / (1 + self.slope * clock.done())
'''


@pytest.fixture(autouse=True)
def toys(tmp_path, monkeypatch):
    """A module on the path, forgotten afterwards."""
    kept = [(registry, dict(registry)) for registry in (OPTIMIZERS, LOSSES, SHAPES)]
    (tmp_path / "toys_of_a_test.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("toys_of_a_test")
    del sys.modules["toys_of_a_test"]
    for registry, before in kept:
        registry.clear()
        registry.update(before)


def samples():
    random = np.random.RandomState(0)
    X = random.standard_normal((60, 5))
    return X, (X[:, 0] > 0).astype(int)


def weights(**settings):
    return MLP(hidden=(4,), epochs=3, batch_size=7, **settings).fit(*samples()).weights


def same(some, others):
    return all(np.array_equal(one, other) for one, other in zip(some, others, strict=True))


def test_a_new_optimizer_trains_as_its_rule_says():
    by_sgd = weights(optimizer={"name": "sgd", "weight_decay": 0.25}, momentum=0.5)
    assert same(weights(optimizer="heavy-ball"), by_sgd)
    assert not same(weights(optimizer={"name": "heavy-ball", "inertia": 0.0}), by_sgd)


def test_the_numbers_of_a_new_optimizer_are_checked_and_kept(tmp_path):
    setting = {"name": "heavy-ball", "inertia": 0.25}
    mlp = MLP(optimizer=setting, hidden=(4,), epochs=1).fit(*samples())
    mlp.save(tmp_path / "model.safetensors")
    assert MLP.load(tmp_path / "model.safetensors").optimizer == setting
    with pytest.raises(InputError, match="inertia of optimizer heavy-ball is 1"):
        MLP(optimizer={"name": "heavy-ball", "inertia": 1})
    with pytest.raises(InputError, match=r"momentum is 0\.9 and optimizer 'heavy-ball', which has none"):
        MLP(optimizer="heavy-ball", momentum=0.9)
    with pytest.raises(InputError, match="did you mean 'heavy-ball'"):
        MLP(optimizer="heavy_ball")


def test_a_new_optimizer_may_leave_its_steps_to_a_method_of_scipy():
    """The objective is convex, so that every method that works ends in the same place."""
    pytest.importorskip("scipy")
    settings = {"hidden": (), "epochs": 200, "l2": 0.1, "dtype": "float64"}
    ours, usual = (MLP(optimizer=name, **settings).fit(*samples()) for name in ("conjugate", "lbfgs"))
    np.testing.assert_allclose(ours.weights[0], usual.weights[0], atol=1e-4)
    assert len(ours.history) > 1
    assert ours.history["train_objective"][-1] < ours.history["train_objective"][0]


def test_a_new_loss_trains_as_its_kernel_and_decides_as_it_says():
    X, y = samples()
    settings = {"hidden": (4,), "epochs": 3, "batch_size": 7}
    rounded, squared = (MLP(loss=loss, **settings).fit(X, y) for loss in ("rounded_error", "squared_error"))
    assert same(rounded.weights, squared.weights)
    np.testing.assert_array_equal(rounded.predict(X), np.round(squared.predict(X)))
    assert rounded.score(X, y) == squared.score(X, y)
    with pytest.raises(InputError, match="a network for the rounded error has no probabilities"):
        rounded.predict_proba(X)


def test_a_new_schedule_gives_its_rates():
    mlp = MLP(hidden=(4,), epochs=4, learning_rate=0.6, schedule={"name": "harmonic", "slope": 0.5}).fit(*samples())
    assert mlp.history["learning_rate"] == pytest.approx([0.6, 0.4, 0.3, 0.24], rel=1e-15)
    warm = MLP(hidden=(4,), epochs=4, schedule={"name": "harmonic", "warm_up": 1})
    assert warm.schedule == {"name": "harmonic", "warm_up": 1.0}


def test_a_configuration_with_new_parts_is_one_like_any_other():
    config = NetworkConfig(optimizer={"name": "heavy-ball", "inertia": 0.25}, schedule={"name": "harmonic", "slope": 2})
    assert NetworkConfig.from_dict(json.loads(json.dumps(config.identity()))) == config
    assert config.optimizer_config.states == 1


def test_a_sweep_with_new_parts_ends_in_a_summary_that_names_them(tmp_path, train_file, written):
    recipe = written(
        """
        [data]
        validation = 0.25
        [network]
        hidden = [4]
        [training]
        epochs = 2
        batch_size = 20
        schedule = { name = "harmonic", slope = 0.5 }
        [grid]
        optimizer = ["sgd", { name = "heavy-ball", inertia = 0.25 }]
        loss = ["cross_entropy", "rounded_error"]
        """
    )
    run = tmp_path / "run"
    assert main(["sweep", "--data", str(train_file), "--recipe", str(recipe), "--out", str(run)]) == 0
    assert main(["retrain", str(run)]) == 0
    assert main(["report", str(run)]) == 0
    summary = (run / "summary.md").read_text(encoding="utf-8")
    assert "Heavy ball, inertia 0.25" in summary
    assert "weight decay 0.25" in summary
    assert "rounded error" in summary
    assert "harmonic schedule (slope 0.5) over 2 epochs" in summary
