"""Learning rates against hand-computed values, PyTorch and scikit-learn."""

import json
import math
import warnings
from fractions import Fraction

import numpy as np
import pytest

from fastmlp.config.schedule_shapes import SHAPES
from fastmlp.config.schedules import from_setting
from fastmlp.errors import InputError
from fastmlp.utils.exact_math import half_cosine

EPOCHS, STEPS, RATE = 12, 7, 0.4
NO_VALIDATION = math.nan


def all_rates(setting, epochs=EPOCHS, steps=STEPS, rate=RATE, **decays):
    """The rate of every step of a training, (epochs * steps,)."""
    schedule = from_setting(setting, rate, epochs, **decays)
    return np.concatenate([schedule.rates(epoch, steps) for epoch in range(1, epochs + 1)])


def epoch_rates(setting, epochs=EPOCHS, rate=RATE, **decays):
    """The rate of every epoch, (epochs,), of a schedule that changes between epochs only."""
    rates = all_rates(setting, epochs, STEPS, rate, **decays).reshape(epochs, STEPS)
    np.testing.assert_array_equal(rates, rates[:, :1].repeat(STEPS, axis=1))
    return rates[:, 0]


@pytest.mark.oracle
def torch_rates(make, number, rate=RATE):
    """The first `number` rates of a scheduler of PyTorch's, one per call of its step()."""
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)
    scheduler = make(torch.optim.lr_scheduler, optimizer)
    rates = []
    for _ in range(number):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def equal(rates, expected):
    np.testing.assert_allclose(rates, expected, rtol=1e-13, atol=1e-16)


# -------------------------------------------------------------------------------------------- values worked out by hand


def test_no_schedule_keeps_the_rate():
    assert (all_rates(None) == RATE).all()
    assert (all_rates("constant") == RATE).all()


def test_decay_epochs_alone_decay_after_each_of_them():
    expected = [0.8, 0.8, 0.4, 0.4, 0.2, 0.2]
    decays = {"decay_epochs": (2, 4), "decay_factor": 0.5}
    assert epoch_rates(None, 6, 0.8, **decays).tolist() == expected
    assert epoch_rates("decay", 6, 0.8, **decays).tolist() == expected


def test_step_decays_every_few_epochs():
    assert epoch_rates({"name": "step", "every": 2}, 6, 0.8).tolist() == [0.8, 0.8, 0.4, 0.4, 0.2, 0.2]


def test_exponential_decays_after_every_epoch():
    equal(epoch_rates({"name": "exponential", "factor": 0.1}, 4, 1.0), [1, 0.1, 0.01, 0.001])


def test_cosine_is_at_half_the_rate_in_the_middle_and_falls_towards_the_floor():
    rates = all_rates("cosine", epochs=2, steps=2, rate=1.0)
    equal(rates, [1, (2 + math.sqrt(2)) / 4, 0.5, (2 - math.sqrt(2)) / 4])
    rates = all_rates({"name": "cosine", "floor": 0.2}, epochs=2, steps=2, rate=1.0)
    equal(rates, [1, 0.2 + 0.2 * (2 + math.sqrt(2)), 0.6, 0.2 + 0.2 * (2 - math.sqrt(2))])


def test_half_cosine_is_exact_at_the_ends_and_the_cosine_between_them():
    assert half_cosine(np.array([0.0, 1.0])).tolist() == [1, 0]
    x = np.linspace(0, 1, 10_001)
    np.testing.assert_allclose(half_cosine(x), (1 + np.cos(np.pi * x)) / 2, rtol=0, atol=4e-16)


def test_one_cycle_goes_up_to_the_peak_and_down_to_the_final_rate():
    setting = {"name": "one-cycle", "peak_at": 0.5, "start": 0.25, "final": 0.05, "shape": "linear"}
    # 6 steps: the peak is step 0.5 * 6 - 1 = 2, the last one is step 5.
    equal(all_rates(setting, 2, 3, 1.0), [0.25, 0.625, 1, 1 - 0.95 / 3, 1 - 0.95 * 2 / 3, 0.05])
    cosine = all_rates({**setting, "shape": "cosine"}, 2, 3, 1.0)
    equal(cosine, [0.25, 0.625, 1, 0.05 + 0.95 * 0.75, 0.05 + 0.95 * 0.25, 0.05])


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_one_cycle_of_a_few_steps_has_finite_rates(steps):
    rates = all_rates({"name": "one-cycle", "peak_at": 0.3}, 1, steps, 1.0)
    assert np.isfinite(rates).all()
    assert ((rates > 0) & (rates <= 1)).all()


def test_inverse_is_one_over_t():
    equal(epoch_rates("inverse", 4, 1.0), [1, 1 / 2, 1 / 3, 1 / 4])
    equal(epoch_rates({"name": "inverse", "decay": 3, "power": 0.5}, 3, 1.0), [1, 1 / 2, 1 / math.sqrt(7)])


def test_warm_up_of_a_fraction_of_an_epoch_is_a_straight_line():
    rates = all_rates({"name": "constant", "warm_up": 0.5, "warm_up_from": 0.2}, 2, 8, 1.0)
    equal(rates[:5], [0.2, 0.4, 0.6, 0.8, 1])
    assert (rates[4:] == 1).all()


def test_warm_up_in_steps_is_that_of_as_many_epochs():
    steps = {"name": "cosine", "warm_up_steps": 3 * STEPS}
    np.testing.assert_array_equal(all_rates(steps), all_rates({"name": "cosine", "warm_up": 3}))


def test_a_cosine_begins_where_the_warm_up_ends():
    rates = all_rates({"name": "cosine", "warm_up": 2}, epochs=4, steps=2, rate=1.0)
    equal(rates[4:], all_rates("cosine", epochs=2, steps=2, rate=1.0))
    equal(rates[:4], [0.1, 0.325, 0.55, 0.775])


def test_warm_up_does_not_move_the_epochs_at_which_a_rate_decays():
    warmed = all_rates({"name": "decay", "warm_up": 1}, decay_epochs=(4,), decay_factor=0.1)
    plain = all_rates(None, decay_epochs=(4,), decay_factor=0.1)
    np.testing.assert_array_equal(warmed[STEPS:], plain[STEPS:])
    assert (warmed[:STEPS] < plain[:STEPS]).all()


def test_a_function_gives_the_factor_at_the_epochs_done():
    seen = []

    def falling(t):
        seen.append(t)
        return 1 / (1 + t)

    rates = from_setting(falling, 2.0, 3).rates(2, 4)
    assert seen == [1.0, 1.25, 1.5, 1.75]
    assert all(type(t) is float for t in seen)
    equal(rates, [2 / (1 + t) for t in seen])


# ------------------------------------------------------------------------------------------------------ other libraries


@pytest.mark.parametrize(
    ("setting", "make"),
    [
        ({"name": "step", "every": 5, "factor": 0.3}, lambda s, o: s.StepLR(o, 5, gamma=0.3)),
        ({"name": "exponential", "factor": 0.8}, lambda s, o: s.ExponentialLR(o, gamma=0.8)),
    ],
)
def test_schedules_of_epochs_are_pytorchs(setting, make):
    equal(epoch_rates(setting), torch_rates(make, EPOCHS))


def test_decay_epochs_are_pytorchs_milestones():
    expected = torch_rates(lambda s, o: s.MultiStepLR(o, [3, 8], gamma=0.2), EPOCHS)
    equal(epoch_rates(None, decay_epochs=(3, 8), decay_factor=0.2), expected)


@pytest.mark.parametrize("floor", [0.0, 0.05])
def test_cosine_is_pytorchs_stepped_every_batch(floor):
    total = EPOCHS * STEPS
    expected = torch_rates(lambda s, o: s.CosineAnnealingLR(o, total, eta_min=floor * RATE), total)
    np.testing.assert_allclose(all_rates({"name": "cosine", "floor": floor}), expected, rtol=1e-10)


@pytest.mark.parametrize("shape", ["cosine", "linear"])
@pytest.mark.parametrize("peak_at", [0.1, 0.3, 0.47])
def test_one_cycle_is_pytorchs(shape, peak_at):
    expected = torch_rates(
        lambda s, o: s.OneCycleLR(
            o, RATE, epochs=EPOCHS, steps_per_epoch=STEPS, pct_start=peak_at, cycle_momentum=False,
            anneal_strategy={"cosine": "cos"}.get(shape, shape),
        ),
        EPOCHS * STEPS - 1,  # PyTorch refuses the step() behind the last
    )  # fmt: skip
    rates = all_rates({"name": "one-cycle", "peak_at": peak_at, "shape": shape})
    np.testing.assert_allclose(rates[:-1], expected, rtol=1e-12)
    assert rates[-1] == pytest.approx(RATE * 4e-6)


def test_warm_up_is_pytorchs():
    setting = {"name": "constant", "warm_up": 2.5, "warm_up_from": 1 / 3}
    total = EPOCHS * STEPS
    length = 2.5 * STEPS
    np.testing.assert_allclose(
        all_rates(setting),
        torch_rates(lambda s, o: s.LambdaLR(o, lambda i: min(1, 1 / 3 + 2 / 3 * i / length)), total),
        rtol=1e-12,
    )
    setting = {"name": "constant", "warm_up_steps": 17, "warm_up_from": 1 / 3}
    expected = torch_rates(lambda s, o: s.LinearLR(o, 1 / 3, total_iters=17), total)
    np.testing.assert_allclose(all_rates(setting), expected, rtol=1e-12)


def test_warm_up_before_a_cosine_is_pytorchs_sequence():
    total, length = EPOCHS * STEPS, 10

    def sequence(s, optimizer):
        parts = [s.LinearLR(optimizer, 0.1, total_iters=length), s.CosineAnnealingLR(optimizer, total - length)]
        return s.SequentialLR(optimizer, parts, [length])

    with warnings.catch_warnings(action="ignore"):  # PyTorch warns of how SequentialLR itself calls its parts
        expected = torch_rates(sequence, total)
    np.testing.assert_allclose(all_rates({"name": "cosine", "warm_up_steps": length}), expected, rtol=1e-10)


@pytest.mark.oracle
@pytest.mark.parametrize("seed", range(5))
def test_plateau_is_pytorchs(seed):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    losses = np.round(np.random.RandomState(seed).uniform(0.5, 1, 60), 2).tolist()
    losses[10] = math.nan
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE)
    oracle = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=3, threshold=0.01, min_lr=0.02)
    schedule = from_setting(
        {"name": "plateau", "factor": 0.5, "patience": 3, "threshold": 0.01, "floor": 0.05}, RATE, 60
    )
    for epoch, loss in enumerate(losses, start=1):
        equal(schedule.rates(epoch, 3), [optimizer.param_groups[0]["lr"]] * 3)
        oracle.step(loss)
        schedule.after_epoch({"train_loss": loss, "validation_loss": NO_VALIDATION})


def test_inverse_with_the_samples_as_decay_is_sklearns_invscaling():
    network = pytest.importorskip("sklearn.neural_network", reason="scikit-learn is the oracle")
    X, y = np.random.RandomState(0).standard_normal((30, 3)), np.arange(30) % 2
    model = network.MLPClassifier((2,), solver="sgd", learning_rate="invscaling", learning_rate_init=RATE, power_t=0.5)
    rates = epoch_rates({"name": "inverse", "decay": 30, "power": 0.5}, 4)
    for epoch in range(3):
        model.partial_fit(X, y, classes=[0, 1])
        assert model._optimizer.learning_rate == pytest.approx(rates[epoch + 1])


# ------------------------------------------------------------------------------------------------- plateau, checkpoints


def record(train, validation=NO_VALIDATION):
    return {"train_loss": train, "validation_loss": validation}


def test_plateau_reduces_after_more_than_patience_epochs_without_a_better_loss():
    schedule = from_setting({"name": "plateau", "factor": 0.1, "patience": 1, "threshold": 0}, 1.0, 10)
    rates = []
    for loss in (1.0, 1.0, 1.0, 0.9, 0.9, 0.9, 0.9):
        rates.append(schedule.rates(1, 1)[0])
        schedule.after_epoch(record(loss))
    equal(rates, [1, 1, 1, 0.1, 0.1, 0.1, 0.01])


def test_plateau_looks_at_the_validation_loss_where_there_is_one():
    schedule = from_setting({"name": "plateau", "patience": 0}, 1.0, 10)
    schedule.after_epoch(record(1.0, 1.0))
    schedule.after_epoch(record(0.5, 1.1))
    assert schedule.rates(3, 1)[0] == 0.5


def test_plateau_stays_at_its_floor():
    schedule = from_setting({"name": "plateau", "patience": 0, "floor": 0.25}, 1.0, 10)
    for _ in range(9):
        schedule.after_epoch(record(1.0))
    assert schedule.rates(10, 1)[0] == 0.25


@pytest.mark.parametrize("cut", range(9))
def test_a_restored_plateau_goes_on_as_if_nothing_had_happened(cut):
    losses = [1, 0.9, 0.95, 0.93, 0.8, 0.9, 0.9, 0.9, 0.9]
    setting = {"name": "plateau", "patience": 1}
    whole, first, resumed = (from_setting(setting, 1.0, 9) for _ in range(3))
    for loss in losses:
        whole.after_epoch(record(loss))
    for loss in losses[:cut]:
        first.after_epoch(record(loss))
    resumed.restore(json.loads(json.dumps(first.state())))
    for loss in losses[cut:]:
        resumed.after_epoch(record(loss))
    assert resumed.state() == whole.state()
    assert resumed.rates(10, 1) == whole.rates(10, 1) == 0.125


SETTINGS = [
    None,
    "constant",
    {"name": "step", "every": 3, "factor": 0.5},
    "exponential",
    {"name": "cosine", "floor": 0.1, "warm_up": 1.5},
    {"name": "one-cycle", "peak_at": 0.2, "shape": "linear"},
    {"name": "inverse", "warm_up_steps": 3},
    {"name": "plateau", "patience": 2},
]


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_rates_depend_on_the_epoch_alone_not_on_those_asked_for_before(setting):
    forward = all_rates(setting)
    schedule = from_setting(setting, RATE, EPOCHS)
    backward = [schedule.rates(epoch, STEPS) for epoch in range(EPOCHS, 0, -1)]
    np.testing.assert_array_equal(forward, np.concatenate(backward[::-1]))
    assert forward.dtype == np.float64


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_the_setting_survives_a_model_file(setting):
    saved = from_setting(setting, RATE, EPOCHS).setting()
    assert saved == setting
    np.testing.assert_array_equal(all_rates(json.loads(json.dumps(saved))), all_rates(setting))


def test_every_kind_has_an_example_here():
    named = {setting["name"] if isinstance(setting, dict) else setting for setting in SETTINGS}
    assert named - {None} == set(SHAPES) - {"decay"}


def test_numpys_numbers_are_as_good_as_pythons():
    setting = {"name": "step", "every": np.int64(3), "factor": np.float32(0.5), "warm_up": np.float64(1)}
    saved = from_setting(setting, RATE, EPOCHS).setting()
    assert json.dumps(saved) == '{"name": "step", "every": 3, "factor": 0.5, "warm_up": 1.0}'


def test_only_plateau_has_a_state_and_no_other_takes_it():
    state = from_setting("plateau", RATE, EPOCHS).state()
    cosine = from_setting("cosine", RATE, EPOCHS)
    cosine.after_epoch(record(1.0))
    assert cosine.state() == {}
    cosine.restore({})
    with pytest.raises(InputError, match=r"'cosine' has .*'best'.* the setting that it was saved with"):
        cosine.restore(state)


def test_rates_beyond_the_last_epoch_stay_at_the_last_one():
    assert (from_setting({"name": "cosine", "floor": 0.5}, 1.0, 3).rates(4, 5) == 0.5).all()
    equal(from_setting({"name": "one-cycle", "final": 0.01}, 1.0, 3).rates(5, 5), [0.01] * 5)


@pytest.mark.parametrize("factor", [0.95, 0.1, 0.7, 1 / 3])
def test_powers_are_rounded_once_so_that_no_library_of_mathematics_decides_their_last_bit(factor):
    for epoch in range(1, 60):
        exact = float(Fraction(factor) ** (epoch - 1))
        for setting in ("exponential", "step"):
            options = {"every": 1} if setting == "step" else {}
            rates = from_setting({"name": setting, "factor": factor, **options}, 1.0, 100).rates(epoch, 2)
            assert rates.tolist() == [exact, exact]
        inverse = from_setting({"name": "inverse", "decay": factor, "power": 2.0}, 1.0, 100).rates(epoch, 1)
        assert inverse[0] == float(1 / Fraction(1 + factor * (epoch - 1)) ** 2)


def test_a_function_is_given_the_epochs_done_as_a_float_that_is_fractional_within_an_epoch():
    times = []

    def halved(t):
        times.append(t)
        return 0.5**t

    rates = from_setting(halved, 0.8, epochs=2).rates(2, steps=4)
    assert times == [1.0, 1.25, 1.5, 1.75]
    assert {type(t) for t in times} == {float}
    np.testing.assert_allclose(rates, [0.4, 0.8 * 0.5**1.25, 0.8 * 0.5**1.5, 0.8 * 0.5**1.75], rtol=1e-15)
