"""Every setting that is no schedule is refused, in one line with the value, what was expected and the mend."""

import functools
import math
import re
import threading
import tomllib
from pathlib import Path

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.config.schedule_shapes import SHAPES
from fastmlp.config.schedules import from_setting
from fastmlp.errors import InputError, InputTypeError

EPOCHS, STEPS, RATE = 12, 7, 0.4
PAGE = Path(__file__).parents[2] / "docs" / "schedules.md"

BAD = [
    (5, InputTypeError, "5; expected a name"),
    (["cosine"], InputTypeError, "expected a name"),
    ({"name": 3}, InputTypeError, "schedule is 3; expected a name"),
    ("cosin", InputError, "'cosin'; did you mean 'cosine'"),
    ("one_cycle", InputError, "did you mean 'one-cycle'"),
    ({"every": 3}, InputError, "{'every': 3}, without a name"),
    ({"name": "cosine", "flor": 0.1}, InputError, "'flor'; did you mean 'floor'"),
    ({"name": "cosine", "warmup": 1}, InputError, "'warmup'; did you mean 'warm_up'"),
    ({"name": "constant", "factor": 0.5}, InputError, "unknown key 'factor'"),
    ("step", InputError, "'step' has no 'every'"),
    ({"name": "step", "every": 0}, InputError, "every in schedule 'step' is 0"),
    ({"name": "step", "every": 2.5}, InputTypeError, "2.5; expected a whole number"),
    ({"name": "step", "every": 2, "factor": 1}, InputError, "factor in schedule 'step' is 1; expected a number above"),
    ({"name": "exponential", "factor": 0}, InputError, "'exponential' is 0"),
    ({"name": "exponential", "factor": "0.5"}, InputTypeError, "'0.5'; expected a number"),
    ({"name": "plateau", "factor": 1.5}, InputError, "'plateau' is 1.5"),
    ({"name": "plateau", "patience": -1}, InputError, "patience in schedule 'plateau' is -1"),
    ({"name": "plateau", "threshold": 1}, InputError, "threshold in schedule 'plateau' is 1"),
    ({"name": "plateau", "floor": -0.1}, InputError, "floor in schedule 'plateau' is -0.1"),
    ({"name": "cosine", "floor": 1}, InputError, "floor in schedule 'cosine' is 1"),
    ({"name": "inverse", "decay": 0}, InputError, "decay in schedule 'inverse' is 0"),
    ({"name": "inverse", "power": -1}, InputError, "power in schedule 'inverse' is -1"),
    ({"name": "one-cycle", "peak_at": 1}, InputError, "peak_at in schedule 'one-cycle' is 1"),
    ({"name": "one-cycle", "start": 0}, InputError, "start in schedule 'one-cycle' is 0"),
    ({"name": "one-cycle", "final": 0.5}, InputError, "final in schedule 'one-cycle' is 0.5, above the first rate"),
    (
        {"name": "one-cycle", "shape": "sine"},
        InputError,
        "'sine'; did you mean 'cosine'? expected one of cosine, linear",
    ),
    ({"name": "one-cycle", "warm_up": 1}, InputError, "'one-cycle' has its own warm-up"),
    ({"name": "cosine", "warm_up": EPOCHS}, InputError, "less than the 12 epochs"),
    ({"name": "cosine", "warm_up": -1}, InputError, "warm_up in schedule is -1"),
    ({"name": "cosine", "warm_up": 1, "warm_up_steps": 5}, InputError, "expected one of the two"),
    ({"name": "cosine", "warm_up": 1, "warm_up_from": 1}, InputError, "warm_up_from in schedule is 1"),
    ({"name": "cosine", "warm_up_from": 0.5}, InputError, "warm_up_from without a warm-up"),
    ("decay", InputError, "'decay' without decay_epochs"),
]


@pytest.mark.parametrize(("setting", "kind", "expected"), BAD, ids=str)
def test_a_bad_setting_is_refused_in_one_line(setting, kind, expected):
    with pytest.raises(kind) as caught:
        from_setting(setting, RATE, EPOCHS)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("setting", ["cosine", "constant", {"name": "step", "every": 2}, abs], ids=str)
def test_decay_epochs_beside_another_schedule_are_refused(setting):
    with pytest.raises(InputError, match=r"decay_epochs is \(3,\) and schedule is .*remove one"):
        from_setting(setting, RATE, EPOCHS, (3,), 0.5)


def test_the_factor_of_decay_is_decay_factor():
    with pytest.raises(InputError, match="unknown key 'factor'"):
        from_setting({"name": "decay", "factor": 0.1}, RATE, EPOCHS, (3,), 0.5)


def test_a_warm_up_of_more_steps_than_the_training_has_is_refused_when_they_are_known():
    schedule = from_setting({"name": "cosine", "warm_up_steps": 84}, RATE, EPOCHS)
    with pytest.raises(InputError, match="is 84; expected fewer than the 84 steps"):
        schedule.rates(1, STEPS)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (math.nan, InputError), (-0.5, InputError), (math.inf, InputError),
        ("0.1", InputTypeError), (None, InputTypeError), ([1, 2], InputTypeError), (True, InputTypeError),
    ],
)  # fmt: skip
def test_a_function_that_gives_no_factor_is_refused(answer, kind):
    with pytest.raises(kind) as caught:
        from_setting(lambda t: answer, RATE, EPOCHS).rates(1, 3)
    assert f"returned {answer!r} for t = 0; expected a" in str(caught.value)


def test_a_function_is_saved_as_custom_and_asked_for_again_only_when_a_rate_is_needed():
    schedule = from_setting(functools.partial(max, 0.5), RATE, EPOCHS)
    assert schedule.setting() == "custom"
    loaded = from_setting("custom", RATE, EPOCHS)
    assert loaded.setting() == "custom"
    with pytest.raises(InputError, match="pass it again"):
        loaded.rates(1, 3)


def test_every_setting_on_the_page_about_schedules_is_one():
    lines = re.findall(r"^schedule = .*$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    settings = [tomllib.loads(line)["schedule"] for line in lines]
    named = {setting if isinstance(setting, str) else setting["name"] for setting in settings}
    assert named == set(SHAPES) - {"decay"}
    for setting in settings:
        assert from_setting(setting, RATE, 50).rates(1, 100).shape == (100,)


def test_a_schedule_may_be_an_object_that_cannot_be_copied():
    class Held:
        def __init__(self):
            self.own = threading.Lock()

        def __call__(self, t):
            return 0.5

    mlp = MLP(hidden=(), epochs=1, schedule=Held(), engine="numpy").fit(np.eye(2), [0, 1])
    assert mlp.history["learning_rate"] == [0.05]
