"""Parameters and data that cannot be used: where scikit-learn's own messages do not say why, a typed line does."""

import numpy as np
import pytest
from scipy import sparse

from fastmlp.errors import InputError, InputTypeError
from fastmlp.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X = np.random.default_rng(0).normal(size=(40, 5))
Y = np.array([0, 1] * 20)


class Silent:
    def __repr__(self):
        raise RuntimeError("no text")


def with_value(array, row, value):
    array = array.astype(object)
    array[row] = value
    return array


both = pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])


@both
@pytest.mark.parametrize(
    "weight",
    [
        np.full(40, "a"), np.full(40, Silent()), sparse.csr_matrix(np.ones((40, 1))), "a", np.full(40, 1j),
        -np.ones(40), np.zeros(40), np.full(40, np.nan), np.full(40, 1e308), np.ones(39), np.ones((40, 2)), np.nan,
    ],
)  # fmt: skip
def test_weights_that_are_none_are_refused(estimator, weight):
    with pytest.raises((InputError, InputTypeError), match="weight"):
        estimator(max_iter=1).fit(X, Y, sample_weight=weight)


@both
def test_a_single_weight_stands_for_all(estimator):
    def fitted(weight):
        return estimator(max_iter=3, random_state=0).fit(X, Y, sample_weight=weight)

    assert np.array_equal(fitted(2.0).coefs_[0], fitted(np.full(40, 2.0)).coefs_[0])


@both
def test_a_number_that_no_float_represents_is_refused(estimator):
    with pytest.raises(InputError, match="more than 308 digits"):
        estimator(max_iter=1).fit(with_value(X, (3, 2), 10**400), Y)


@pytest.mark.parametrize("label", [None, "a", [1], Silent()])
def test_labels_of_several_kinds_are_refused(label):
    with pytest.raises(InputTypeError, match="y has labels that cannot be used"):
        MLPClassifier(max_iter=1).fit(X, with_value(Y, 5, label))


@both
@pytest.mark.parametrize("width", [10**12, 10**30, 10**5000], ids=["large", "larger", "no text"])
def test_a_layer_that_no_memory_holds_is_refused_before_it_is_drawn(estimator, width):
    with pytest.raises(InputError, match=r"expected (at most|narrower)"):
        estimator(hidden_layer_sizes=(width,)).fit(X, Y)


@both
@pytest.mark.parametrize("state", [-1, 2**32, 1.5, "x", True, np.random.default_rng(0), Silent()])
def test_a_random_state_that_is_none_is_refused(estimator, state):
    with pytest.raises((InputError, InputTypeError), match="random_state is"):
        estimator(random_state=state).fit(X, Y)


@both
def test_no_rows_to_stop_early_on_are_refused(estimator):
    with pytest.raises(InputError, match="validation_fraction is 0 and early_stopping is True"):
        estimator(early_stopping=True, validation_fraction=0).fit(X, Y)


@both
@pytest.mark.parametrize("name", ["alpha", "max_iter", "solver", "hidden_layer_sizes", "tol", "early_stopping"])
def test_a_parameter_whose_class_has_no_text_is_named_with_its_type(estimator, name):
    with pytest.raises((InputError, InputTypeError), match=f"{name} is a value of type Silent"):
        estimator(**{name: Silent()}).fit(X, Y)


@both
@pytest.mark.parametrize(
    "inputs",
    [np.asfortranarray(X), X[::-1, ::-1], np.repeat(X, 2, 1)[:, ::2], X.astype(object), X.astype(">f8"), X.tolist()],
    ids=["Fortran", "reversed", "strided", "objects", "big-endian", "lists"],
)
def test_the_layout_of_inputs_changes_no_bit(estimator, inputs):
    rows = [row[::-1] for row in X[::-1]] if isinstance(inputs, np.ndarray) and inputs.strides[0] < 0 else X
    plain, other = (estimator(max_iter=3, random_state=0).fit(one, Y) for one in (rows, inputs))
    assert np.array_equal(plain.coefs_[0], other.coefs_[0])


@both
@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csr_array, sparse.csc_matrix])
def test_sparse_inputs_of_long_indices_are_read_as_those_of_short_ones(estimator, kind):
    short, long = kind(X * (X > 0)), kind(X * (X > 0))
    long.indices, long.indptr = long.indices.astype(np.int64), long.indptr.astype(np.int64)
    one, other = (estimator(max_iter=3, random_state=0).fit(inputs, Y) for inputs in (short, long))
    assert np.array_equal(one.coefs_[0], other.coefs_[0])
