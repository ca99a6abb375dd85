"""Every setting that cannot be used is refused, by a message with the value, what was expected and the mend."""

import copy
import pickle

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.errors import InputError, InputTypeError

X, Y = np.eye(4), [0, 1, 0, 1]

# (setting, bad value, kind of error, what was expected)
BAD = [
    ("schedule", "cosin", InputError, "did you mean 'cosine'"),
    ("schedule", 3, InputTypeError, "a function of the epochs done"),
    ("early_stopping", 0, InputError, "at least 1"),
    ("early_stopping", "yes", InputTypeError, "the patience in epochs"),
    ("class_weight", "equal", InputError, "'balanced' or a weight per label"),
    ("augment", "flip", InputError, "affine, elastic"),
    ("augment", 3, InputTypeError, "a dict such as"),
    ("loss", "hinge", InputError, "cross_entropy, binary_cross_entropy, squared_error"),
    ("optimizer", "adagrad", InputError, "sgd, adam, adam_hat, adamw, rmsprop, lbfgs"),
    ("optimizer", "Adam", InputError, "did you mean 'adam'"),
    ("optimizer", 3, InputTypeError, "a name"),
    ("l1", -1.0, InputError, "from 0"),
    ("dropout", 1.0, InputError, "below 1"),
    ("dropout", "half", InputTypeError, "a number, or one for the inputs"),
    ("dropout", (0.5, 0.5), InputError, "expected 4"),
    ("dropout", (0.2, 0.5, 0.5, 1.5), InputError, "below 1"),
    ("max_norm", 0, InputError, "above 0"),
    ("clip_norm", -1, InputError, "above 0"),
    ("label_smoothing", 1, InputError, "below 1"),
    ("hidden", "100", InputTypeError, "widths"),
    ("hidden", None, InputTypeError, "widths"),
    ("hidden", 2.5, InputTypeError, "widths"),
    ("hidden", (10, 0), InputError, "at least 1"),
    ("hidden", np.array(5), InputTypeError, "widths"),
    ("activation", np.array("relu"), InputTypeError, "a name"),
    ("dropout", np.array(0.5), InputTypeError, "a number, or one for the inputs"),
    ("decay_epochs", np.array(20), InputTypeError, "whole numbers"),
    ("loss", np.zeros(2), InputError, "one of cross_entropy"),
    ("schedule", np.zeros(3), InputTypeError, "a name such as"),
    ("hidden", (10, -3), InputError, "at least 1"),
    ("hidden", (10, 2.0), InputTypeError, "whole number"),
    ("activation", "maxout", InputError, "relu, tanh, sigmoid"),
    ("activation", None, InputTypeError, "a name"),
    ("activation", ("relu",), InputError, "3 hidden layers"),
    ("activation", ("relu", "tanh", "step"), InputError, "one of"),
    ("activation", "GELU", InputError, "its derivative cannot be told from its output"),
    ("activation", ("relu", "silu", "relu"), InputError, "a function that rises"),
    ("learning_rate", 0, InputError, "above 0"),
    ("learning_rate", -0.5, InputError, "above 0"),
    ("learning_rate", float("nan"), InputError, "finite"),
    ("learning_rate", float("inf"), InputError, "finite"),
    ("learning_rate", "0.1", InputTypeError, "a number"),
    ("learning_rate", True, InputTypeError, "a number"),
    ("decay_epochs", "20", InputTypeError, "whole numbers"),
    ("decay_epochs", 20, InputTypeError, "whole numbers"),
    ("decay_epochs", (20, 10), InputError, "rising"),
    ("decay_epochs", (20, 20), InputError, "rising"),
    ("decay_epochs", (0,), InputError, "at least 1"),
    ("decay_epochs", (51,), InputError, "50 epochs"),
    ("decay_factor", 0, InputError, "above 0"),
    ("batch_size", 0, InputError, "at least 1"),
    ("batch_size", 10.0, InputTypeError, "whole number"),
    ("epochs", 0, InputError, "at least 1"),
    ("epochs", 10**13, InputError, "at most 10000000: 50 is the default"),
    ("epochs", None, InputTypeError, "whole number"),
    ("shuffle", 1, InputTypeError, "true or false"),
    ("shuffle", "yes", InputTypeError, "true or false"),
    ("scaling", "robust", InputError, "auto, none, pixels, standard, minmax"),
    ("missing", "mean", InputError, "refuse, median"),
    ("target_scaling", "minmax", InputError, "auto, none, standard"),
    ("init", "random", InputError, "xavier"),
    ("init_scale", 0.0, InputError, "above 0"),
    ("init_bias", "one", InputError, "zero"),
    ("l2", -1e-9, InputError, "from 0"),
    ("l2", "none", InputTypeError, "a number"),
    ("momentum", 1, InputError, "below 1"),
    ("momentum", -0.1, InputError, "from 0"),
    ("seed", -1, InputError, "at least 0"),
    ("seed", None, InputTypeError, "whole number"),
    ("threads", 0, InputError, "at least 1"),
    ("threads", 10**6, InputError, "at most 4096: leave it out for all cores"),
    ("threads", 1.0, InputTypeError, "whole number"),
    ("dtype", "float16", InputError, "float32, float64"),
    ("engine", "torch", InputError, "numba, numpy"),
    ("first_layer", "csr", InputError, "auto, dense, sparse"),
    ("train_metrics", "none", InputError, "full, running"),
]


@pytest.mark.parametrize(("name", "value", "kind", "expected"), BAD)
def test_a_bad_setting_is_named_with_its_value_and_what_was_expected(name, value, kind, expected):
    with pytest.raises(kind) as caught:
        MLP(**{name: value})
    message = str(caught.value)
    assert name in message
    assert expected in message
    assert "\n" not in message
    culprits = [value, *value] if isinstance(value, tuple) else [value]
    assert any(repr(culprit) in message or str(culprit) in message for culprit in culprits) or " for " in message


def test_every_setting_with_a_range_has_a_bad_value_here():
    assert {name for name, *_ in BAD} == set(MLP().settings())


@pytest.mark.parametrize("kind", [ValueError, TypeError])
def test_the_errors_are_the_ones_python_itself_would_raise(kind):
    with pytest.raises(kind):
        MLP(batch_size=0 if kind is ValueError else "10")


def test_numpys_numbers_are_as_good_as_pythons():
    mlp = MLP(
        hidden=np.array([4, 3]), learning_rate=np.float32(0.5), batch_size=np.int32(7), decay_epochs=np.array([2, 5]),
        activation=["relu", "tanh"], seed=np.uint8(3), l2=0, dtype=np.dtype("float64"),
    )  # fmt: skip
    plain = MLP(
        hidden=(4, 3), learning_rate=0.5, batch_size=7, decay_epochs=(2, 5), activation=("relu", "tanh"), seed=3,
        l2=0.0, dtype="float64",
    )  # fmt: skip
    assert mlp.settings() == plain.settings()
    assert [type(value) for value in mlp.settings().values()] == [type(value) for value in plain.settings().values()]


def test_one_width_stands_for_one_hidden_layer():
    assert MLP(hidden=5).hidden == (5,)


def test_settings_make_the_same_network_again():
    mlp = MLP(hidden=(7, 5), activation=("tanh", "relu"), learning_rate=0.3, decay_epochs=(3,), seed=9, threads=2)
    assert MLP(**mlp.settings()).settings() == mlp.settings()


def test_the_representation_shows_what_differs_from_the_defaults():
    assert repr(MLP()) == "MLP()"
    mlp = MLP(hidden=(7,), momentum=0.5)
    assert repr(mlp) == "MLP(hidden=(7,), momentum=0.5)"
    assert eval(repr(mlp)).settings() == mlp.settings()


@pytest.mark.parametrize(
    ("name", "value"), [("learning_rate", 0.01), ("optimizer", "adam"), ("epochs", 3), ("schedule", "cosine")]
)
def test_a_setting_that_is_changed_afterwards_is_refused_rather_than_ignored(name, value):
    mlp = MLP(hidden=(3,))
    before = mlp.settings()
    with pytest.raises(InputError, match=rf"{name} is .* expected it to stay: make another one") as caught:
        setattr(mlp, name, value)
    assert mlp.settings() == before
    advice = str(caught.value).partition("make another one, ")[2]
    assert eval(advice, {"MLP": MLP, "mlp": mlp}).settings() == {**before, name: value}


def test_the_number_of_threads_may_change_and_copies_keep_their_settings():
    mlp = MLP(threads=1)
    mlp.threads = 2
    for other in (copy.copy(mlp), copy.deepcopy(mlp), pickle.loads(pickle.dumps(mlp))):
        assert other.settings() == mlp.settings()
        assert other.threads == 2


def test_the_rate_decays_after_each_of_the_epochs():
    mlp = MLP(hidden=(), learning_rate=0.8, decay_epochs=(2, 4), decay_factor=0.5, epochs=6, engine="numpy")
    mlp.fit(np.eye(2), [0, 1])
    assert mlp.history["learning_rate"] == [0.8, 0.8, 0.4, 0.4, 0.2, 0.2]


# (settings that do not go together, what the message says)
CONTRADICTIONS = [
    ({"optimizer": "adam", "momentum": 0.9}, "beta1 is its own"),
    ({"optimizer": {"name": "adam", "dampening": 0.5}}, "adam has no 'dampening'"),
    ({"optimizer": {"name": "adam", "momentum": 0.5}}, "a separate setting"),
    ({"optimizer": {"name": "sgd", "nesterov": True}}, "momentum is 0"),
    ({"optimizer": {"name": "sgd", "dampening": 0.5}}, "momentum is 0"),
    ({"optimizer": {"name": "sgd", "nesterov": True, "dampening": 0.5}, "momentum": 0.9}, "one of the two"),
    ({"optimizer": {"name": "adam", "beta2": 1.0}}, "below 1"),
    ({"optimizer": {"name": "adam", "epsilon": 0}}, "above 0"),
    ({"optimizer": {"name": "adamw", "weight_decay": -1}}, "from 0"),
    ({"optimizer": {"beta2": 0.9}}, "expected a name"),
    ({"loss": "squared_error", "label_smoothing": 0.1}, "has no classes"),
    ({"dropout": (0.2, 0.5, 0.5, 0.5), "first_layer": "sparse"}, "leave one of them out"),
    ({"schedule": "cosine", "decay_epochs": (3,)}, "one of the two"),
    ({"augment": "elastic", "first_layer": "sparse"}, "leave one of them out"),
    ({"augment": {"shift": -1}}, "augment.shift"),
    ({"augment": {"shift": 1}, "optimizer": "lbfgs"}, "leave augment out"),
    ({"optimizer": "lbfgs", "dropout": 0.5}, "leave dropout out"),
    ({"optimizer": "lbfgs", "clip_norm": 0.5}, "leave clip_norm out"),
    ({"optimizer": "lbfgs", "momentum": 0.5}, "which has none"),
    ({"optimizer": "lbfgs", "decay_epochs": (3,)}, "leave decay_epochs out"),
]


@pytest.mark.parametrize(("settings", "expected"), CONTRADICTIONS)
def test_settings_that_contradict_each_other_are_refused_in_one_line(settings, expected):
    with pytest.raises((InputError, InputTypeError)) as caught:
        MLP(**settings)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_optimiser_is_kept_as_its_name_and_what_differs_from_its_defaults():
    assert MLP(optimizer={"name": "adam", "beta1": 0.9}).optimizer == "adam"
    mlp = MLP(optimizer={"name": "adam", "beta1": 0.8})
    assert mlp.optimizer == {"name": "adam", "beta1": 0.8}
    assert MLP(**mlp.settings()).settings() == mlp.settings()


@pytest.mark.parametrize("name", ["adam", "adamw", "rmsprop"])
def test_an_epsilon_that_is_nothing_in_the_networks_dtype_is_refused(name):
    optimizer = {"name": name, "epsilon": 1e-60}
    with pytest.raises(InputError, match=f"epsilon of optimizer {name} is 1e-60, which is lost in float32"):
        MLP(optimizer=optimizer)
    assert MLP(optimizer=optimizer, dtype="float64").optimizer == optimizer


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: MLP(hiden=(4,)), "'hiden' is not a setting; did you mean 'hidden'"),
        (lambda: MLP(activation="ReLU"), "activation is 'ReLU'; did you mean 'relu'"),
        (lambda: MLP(loss="crossentropy"), "loss is 'crossentropy'; did you mean 'cross_entropy'"),
        (lambda: MLP(optimizer={"name": "adam", "bta1": 0.5}), "adam has no 'bta1'; did you mean 'beta1'"),
        (lambda: MLP().fit(X, Y, validaton=(X, Y)), "fit has no argument 'validaton'; did you mean 'validation'"),
        (lambda: MLP().fit(X, Y, epochs=3), r"fit has no argument 'epochs'; .* setting of the network: MLP\(epochs="),
        (lambda: MLP().partial_fit(X, Y, class_es=[0, 1]), "partial_fit has no argument 'class_es'; .* 'classes'"),
    ],
)
def test_a_misspelt_keyword_or_choice_is_told_with_the_one_that_was_meant(call, expected):
    with pytest.raises(InputError if "is '" in expected or "adam" in expected else InputTypeError, match=expected):
        call()
