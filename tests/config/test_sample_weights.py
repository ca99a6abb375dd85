"""Weights of samples and classes: what they combine to, and what is refused."""

import json

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.config.sample_weights import check_setting, combine, of_classes
from fastmlp.errors import InputError, InputTypeError

CLASSES = np.array([2, 5, 9])
Y = np.array([0, 0, 0, 1, 2, 2])  # the labels 2 2 2 5 9 9


def test_no_weights_are_an_empty_array():
    assert combine(None, None, Y, CLASSES).shape == (0,)


def test_balanced_gives_every_class_the_same_total():
    weights = combine("balanced", None, Y, CLASSES)
    np.testing.assert_allclose(weights, [6 / 9, 6 / 9, 6 / 9, 2, 1, 1], rtol=1e-15)
    np.testing.assert_allclose(np.bincount(Y, weights), [2, 2, 2])


def test_a_label_that_is_left_out_weighs_one():
    assert combine({5: 4.0, 9: 0.5}, None, Y, CLASSES).tolist() == [1, 1, 1, 4, 0.5, 0.5]


def test_the_weight_of_a_sample_is_multiplied_by_that_of_its_class_and_kept_as_given():
    weights = combine({2: 10.0}, [1, 2, 3, 4, 5, 6], Y, CLASSES)
    assert weights.tolist() == [10, 20, 30, 4, 5, 6]
    assert weights.dtype == np.float64


def test_the_callers_array_stays_as_it_is():
    mine = np.ones(6)
    assert combine({2: 7.0}, mine, Y, CLASSES)[0] == 7
    assert mine.tolist() == [1] * 6


def test_balanced_leaves_out_classes_that_do_not_occur():
    weights = combine("balanced", None, np.array([0, 0, 0, 2]), CLASSES)
    np.testing.assert_allclose(weights, [4 / 6, 4 / 6, 4 / 6, 2])


@pytest.mark.parametrize("class_weight", ["balanced", {2: 0.5, 5: 3.0, 9: 0.0}])
@pytest.mark.parametrize("seed", range(3))
def test_class_weights_are_sklearns(class_weight, seed):
    oracle = pytest.importorskip("sklearn.utils.class_weight", reason="scikit-learn is the oracle")
    y = np.random.RandomState(seed).randint(0, 3, 50)
    expected = oracle.compute_sample_weight(class_weight, CLASSES[y])
    np.testing.assert_allclose(combine(class_weight, None, y, CLASSES), expected, rtol=1e-15)


@pytest.mark.oracle
def test_a_batchs_weighted_mean_is_pytorchs_loss():
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    logits = np.random.RandomState(0).standard_normal((6, 3))
    losses = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(6), Y]
    weights = combine({2: 0.5, 5: 3.0}, None, Y, CLASSES)
    criterion = torch.nn.CrossEntropyLoss(weight=torch.tensor([0.5, 3.0, 1.0], dtype=torch.float64))
    expected = criterion(torch.from_numpy(logits), torch.from_numpy(Y)).item()
    assert (weights * losses).sum() / weights.sum() == pytest.approx(expected)


@pytest.mark.parametrize("class_weight", ["balanced", {2: 0.5, 9: 3.0}])
def test_the_weights_of_classes_are_those_that_samples_are_multiplied_by(class_weight):
    weights = of_classes(class_weight, Y.astype(np.uint8), CLASSES)
    assert weights.shape == (3,)
    np.testing.assert_array_equal(weights[Y], combine(class_weight, None, Y, CLASSES))


def test_classes_that_weigh_nothing_together_are_refused():
    with pytest.raises(InputError, match="every sample has the weight 0"):
        of_classes({2: 0.0, 5: 0.0}, np.array([0, 1, 0]), CLASSES)


def test_weights_of_samples_need_no_classes():
    assert combine(None, [1, 0, 2], np.zeros((3, 2)), np.arange(2)).tolist() == [1, 0, 2]


@pytest.mark.parametrize("engine", ["numba", "numpy"])
@pytest.mark.parametrize(("dtype", "tiny"), [("float32", 1e-42), ("float32", 1e-200), ("float64", 1e-310)])
def test_weights_that_are_lost_beside_the_largest_are_as_good_as_none(engine, dtype, tiny):
    X = np.random.default_rng(0).normal(size=(60, 4))
    y, light = (X[:, 0] > 0).astype(int), np.arange(60) < 20

    def trained(weight):
        mlp = MLP(hidden=(5,), batch_size=10, epochs=2, shuffle=False, momentum=0.5, dtype=dtype, engine=engine)
        return mlp.fit(X, y, sample_weight=np.where(light, weight, 3.0))

    mlp, without = trained(tiny), trained(0)
    assert np.isfinite(mlp.history["train_loss"]).all()
    for W, V in zip(mlp.weights, without.weights, strict=True):
        np.testing.assert_array_equal(W, V)
    # What floats can hold is still counted.
    assert trained(1e-30).history["train_loss"] != mlp.history["train_loss"]


@pytest.mark.parametrize("setting", [None, "balanced", {2: 0.5, -1: 3.0}, {"no": 0.5, "7": 1.0}])
def test_a_class_weight_survives_a_model_file(setting):
    assert check_setting("class_weight", json.loads(json.dumps(check_setting("class_weight", setting)))) == setting


def test_a_weight_for_no_class_at_all_is_none():
    assert check_setting("class_weight", {}) is None


def test_numpys_labels_and_weights_become_plain():
    plain = check_setting("class_weight", {np.int64(2): np.float32(0.5)})
    assert [(type(label), type(weight)) for label, weight in plain.items()] == [(int, float)]


@pytest.mark.parametrize(
    ("setting", "kind", "expected"),
    [
        ("balance", InputError, "'balance'; expected 'balanced'"),
        ([1, 2], InputTypeError, "[1, 2]; expected 'balanced' or a weight per label"),
        ({2: 1, "2": 3}, InputError, "the label 2 twice"),
        ({2: -1}, InputError, "class_weight of label 2 is -1; expected a finite number from 0"),
        ({2: float("inf")}, InputError, "label 2 is inf"),
        ({2: "1"}, InputTypeError, "label 2 is '1'; expected a number"),
    ],
    ids=str,
)
def test_a_bad_class_weight_is_refused_in_one_line(setting, kind, expected):
    with pytest.raises(kind) as caught:
        check_setting("class_weight", setting)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("class_weight", "sample_weight", "kind", "expected"),
    [
        ({7: 2.0}, None, InputError, "the label 7, which is not in y; expected one of 2, 5, 9"),
        ({10: 2.0}, None, InputError, "the label 10, which is not in y"),
        ({2: 0.0, 5: 0.0, 9: 0.0}, None, InputError, "every sample has the weight 0"),
        (None, [0] * 6, InputError, "every sample has the weight 0"),
        ({2: 0.0}, [1, 1, 1, 0, 0, 0], InputError, "every sample has the weight 0"),
        (None, [1, 1, 1, 1, 1], InputError, "shape (5,); expected (6,)"),
        (None, 1.0, InputError, "shape (); expected (6,)"),
        (None, [[1]] * 6, InputError, "shape (6, 1); expected (6,)"),
        (None, [1, 1, 1, -2, 1, 1], InputError, "-2.0 at row 3; expected finite numbers from 0"),
        (None, [1, 1, np.nan, 1, 1, 1], InputError, "nan at row 2"),
        (None, [1, np.inf, 1, 1, 1, 1], InputError, "inf at row 1"),
        (None, ["1"] * 6, InputTypeError, "dtype <U1; expected numbers"),
        (None, [1, [2, 3]], InputError, "sample_weight has rows of several lengths"),
        (None, np.ma.masked_equal([1, 2, 3], 2), InputError, "sample_weight has masked values"),
        ({2: 1e300}, [1e300] * 6, InputError, "sum to inf; expected a finite sum"),
    ],
    ids=str,
)
def test_weights_that_cannot_be_used_are_refused_in_one_line(class_weight, sample_weight, kind, expected):
    with pytest.raises(kind) as caught:
        combine(class_weight, sample_weight, Y, CLASSES)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
