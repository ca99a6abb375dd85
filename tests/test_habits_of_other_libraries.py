"""What a user of Keras, PyTorch or scikit-learn would type first, and the line that says how it is done here."""

import inspect

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.errors import InputError, InputTypeError
from fastmlp.utils.other_names import ATTRIBUTES, OF_FIT

X = np.random.RandomState(1).standard_normal((40, 3))
Y = (X[:, 0] > 0).astype(int)


def network(**settings):
    return MLP(**{"hidden": (4,), "epochs": 1, "engine": "numpy", **settings})


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("layers", "it is called 'hidden' here"),
        ("hidden_layer_sizes", "it is called 'hidden' here"),
        ("lr", "it is called 'learning_rate' here"),
        ("max_iter", "it is called 'epochs' here"),
        ("random_state", "it is called 'seed' here"),
        ("weight_decay", "it is called 'l2' here"),
        ("alpha", "the penalty is l2"),
        ("input_dim", "fit finds the numbers of inputs and outputs in X and y"),
        ("device", "everything is done on the CPU"),
        ("verbose", "it is an argument of fit: fit(X, y, progress=...)"),
        ("validation_split", "it is an argument of fit: fit(X, y, validation_split=...)"),
        ("bacth_size", "did you mean 'batch_size'?"),
    ],
)
def test_a_setting_of_another_library_is_named_as_here(name, hint):
    with pytest.raises(InputTypeError) as caught:
        MLP(**{name: 1})
    assert f"{name!r} is not a setting; " in str(caught.value)
    assert hint in str(caught.value)


@pytest.mark.parametrize("first", [128, [128, 64], "relu"])
def test_settings_without_a_name_are_refused(first):
    with pytest.raises(InputTypeError, match=r"without a name; expected settings by name, such as MLP\(hidden="):
        MLP(first)


@pytest.mark.parametrize(
    ("method", "name", "hint"),
    [
        ("fit", "batch_size", "it is a setting of the network: MLP(batch_size=...)"),
        ("fit", "lr", "it is a setting of the network: MLP(learning_rate=...)"),
        ("fit", "verbose", "it is called 'progress' here"),
        ("fit", "validation_data", "it is called 'validation' here"),
        ("fit", "steps_per_epoch", "an epoch is a pass over X"),
        ("partial_fit", "epochs", "it is a setting of the network: MLP(epochs=...)"),
        ("predict", "batch_size", "expected one of X"),
        ("predict_proba", "verbose", "expected one of X"),
        ("evaluate", "verbose", "expected one of X, y"),
    ],
)
def test_an_argument_of_another_library_is_told_where_it_is(method, name, hint):
    with pytest.raises(InputTypeError) as caught:
        getattr(network(), method)(X, Y, **{name: 1})
    assert str(caught.value) == f"{method} has no argument {name!r}; {hint}" or hint in str(caught.value)


@pytest.mark.parametrize("name", sorted(ATTRIBUTES))
def test_an_attribute_of_another_library_is_missing_with_a_hint(name):
    assert not hasattr(network(), name)
    with pytest.raises(AttributeError) as caught:
        getattr(network(), name)
    assert str(caught.value) == f"'MLP' object has no attribute {name!r}; {ATTRIBUTES[name]}"


def test_any_other_attribute_is_missing_as_in_any_class():
    with pytest.raises(AttributeError, match=r"^'MLP' object has no attribute 'zero_grad'$"):
        _ = network().zero_grad


def test_the_arguments_of_fit_that_are_no_settings_are_known():
    assert set(OF_FIT) == set(inspect.signature(MLP.fit).parameters) - {"self", "X", "y"}


@pytest.mark.parametrize(
    ("settings", "ours"),
    [
        ({"loss": "mse"}, "squared_error"),
        ({"loss": "sparse_categorical_crossentropy"}, "cross_entropy"),
        ({"loss": "categorical_crossentropy"}, "cross_entropy"),
        ({"loss": "BCELoss"}, "binary_cross_entropy"),
        ({"activation": "logistic"}, "sigmoid"),
        ({"optimizer": {"name": "adam", "beta_1": 0.9}}, "beta1"),
    ],
)
def test_a_value_of_another_library_is_named_as_here(settings, ours):
    with pytest.raises(InputError, match=f"it is called '{ours}' here"):
        MLP(**settings)


def test_a_column_of_a_history_is_named_as_here():
    with pytest.raises(KeyError, match="it is called 'validation_loss' here"):
        network().history["val_loss"]


def test_a_schedule_of_keras_that_takes_the_rate_as_well_is_refused_at_once():
    with pytest.raises(InputTypeError, match=r"does not take one argument; expected f\(t\)"):
        MLP(schedule=lambda epoch, rate: rate * 0.9)
    network(schedule=lambda t, power=2: 0.5 ** (t * power)).fit(X, Y)


def test_the_batch_size_is_not_the_third_argument():
    with pytest.raises(InputTypeError, match=r"validation is not a pair; expected \(X, y\), not int"):
        network().fit(X, Y, 32)


def test_labels_that_are_left_out_are_asked_for():
    for arguments in ({}, {"validation_split": 0.1}):
        with pytest.raises(InputTypeError, match="y is None; expected a label or numbers for each row of X"):
            network().fit(X, **arguments)


class Loader:
    """Batches that are iterated over, as a DataLoader of PyTorch has them."""

    def __init__(self, batches):
        self.batches = batches

    def __iter__(self):
        return iter(self.batches)

    def __len__(self):
        return len(self.batches)


@pytest.mark.parametrize("given", [Loader([(X, Y)]), (batch for batch in [(X, Y)])], ids=["loader", "generator"])
def test_batches_to_train_on_are_told_to_go_to_partial_fit(given):
    with pytest.raises(InputTypeError, match="of batches, give partial_fit one after the other"):
        network().fit(given)


def test_a_loader_is_told_to_be_an_iterator_over_inputs_to_predict():
    mlp, loader = network().fit(X, Y), Loader([(X, Y), (X, Y)])
    with pytest.raises(InputTypeError, match="and predict an iterator over their inputs"):
        mlp.predict(loader)
    with pytest.raises(InputTypeError, match=r"expected the inputs alone: \(X for X, y in batches\)"):
        mlp.predict(iter(loader))
    np.testing.assert_array_equal(mlp.predict(inputs for inputs, _ in loader), np.tile(mlp.predict(X), 2))


class Tensor:
    """An array of another library, which numpy can read, or not."""

    def __init__(self, values, error=None):
        self.values, self.error = values, error

    def __array__(self, dtype=None, copy=None):
        if self.error:
            raise self.error
        return self.values


def test_tensors_are_inputs_and_labels_and_one_that_numpy_cannot_read_says_why():
    mlp = network().fit(Tensor(X), Tensor(Y))
    np.testing.assert_array_equal(mlp.predict(Tensor(X)), mlp.predict(X))
    with pytest.raises(InputTypeError, match=r"X is not an array \(Use tensor.detach\(\)"):
        mlp.predict(Tensor(X, RuntimeError("Use tensor.detach().numpy() instead.")))


@pytest.mark.parametrize("callbacks", [print, object()])
def test_what_is_no_list_of_callbacks_is_refused(callbacks):
    with pytest.raises(InputTypeError, match="expected a list of instances of fastmlp"):
        network().fit(X, Y, callbacks=callbacks)
