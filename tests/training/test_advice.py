"""What a training is advised: never one thing and its opposite."""

import itertools
import re

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.training.advice import advise, split_advice

CLASSES = 4


def clouds(rows=300, features=12):
    """Clouds of points that hardly overlap, and which cloud each is from."""
    random = np.random.RandomState(0)
    centres = 1.5 * random.standard_normal((CLASSES, features))
    y = np.arange(rows) % CLASSES
    return (random.standard_normal((rows, features)) + centres[y]).astype(np.float32), y


X, Y = clouds()


def fit(y=Y, **settings):
    with np.errstate(all="ignore"):
        mlp = MLP(**{"hidden": (16, 8), "batch_size": 20, "epochs": 8, "scaling": "none", **settings})
        return mlp.fit(X, y, validation=(X[200:], y[200:]))


@pytest.mark.parametrize("hints", [["a"], ["a", "b=1"], ["inputs scaled to about 1 (they go up to 16)", "b", "c"]])
def test_a_sentence_is_divided_into_what_was_seen_and_its_hints(hints):
    sentence = advise("a step is short; it vanishes", hints)
    assert sentence.startswith("a step is short; it vanishes; try ")
    assert split_advice(sentence) == ("a step is short; it vanishes", hints)
    assert split_advice("out of memory") == ("out of memory", [])


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_no_network_is_advised_a_larger_and_a_smaller_rate(activation):
    starts = ({}, {"init": "normal", "init_scale": 0.01}, {"init": "normal", "init_scale": 50.0})
    advised = set()
    for rate, start, hidden in itertools.product((1e-6, 1e-3, 1e-2, 1.0, 100.0), starts, ((16, 8), (16,) * 5)):
        mlp = fit(activation=activation, learning_rate=rate, hidden=hidden, **start)
        sentences = [diagnosis["sentence"] for diagnosis in mlp.history.diagnoses]
        text = " ".join([*sentences, mlp.failure_reason or ""])
        found = set(re.findall("(larger|smaller) learning rate", text))
        assert len(found) < 2, (rate, start, hidden, text)
        advised |= found
    assert advised == {"larger", "smaller"}


SLOW = {"activation": "sigmoid", "hidden": (32, 16, 8), "learning_rate": 0.003, "epochs": 30}
WAITING = {"activation": "sigmoid", "hidden": (16,) * 4, "learning_rate": 0.1}  # its steps are long enough
DIED = {"activation": "relu", "learning_rate": 0.1, "decay_epochs": (4,), "decay_factor": 30.0, "epochs": 20}


def test_a_sigmoid_network_that_learns_slowly_is_told_to_learn_faster():
    slow, waiting = fit(**SLOW).failure_reason, fit(**WAITING).failure_reason
    assert slow.kind == waiting.kind == "stuck"
    assert slow.endswith("; try a larger learning rate than 0.003")
    assert waiting.endswith("; try a larger learning rate than 0.1 or more epochs")
    # And that is good advice.
    for better in ({**SLOW, "learning_rate": 1.0}, {**WAITING, "epochs": 500}):
        assert fit(**better).failure_reason is None


def test_a_network_that_had_learned_and_lost_it_is_told_to_learn_more_slowly():
    died = fit(**DIED)
    assert died.history["train_loss"][3] < 0.5
    assert died.failure_reason.kind == "died"
    assert died.failure_reason.endswith("; try a smaller learning rate than 0.1")


def test_the_usual_first_weights_are_advised_where_they_are_not_in_use():
    for settings in (SLOW, WAITING, DIED, {"learning_rate": 1e30}):
        assert "init='auto'" not in fit(**settings).failure_reason
    assert "init='auto'" in fit(learning_rate=1e-6, init="normal", init_scale=50.0, epochs=3).failure_reason
