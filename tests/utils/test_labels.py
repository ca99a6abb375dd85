"""Labels of any kind, from `fit` to predictions, evaluation and the model file."""

import enum
import subprocess
import sys

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.errors import InputError, InputTypeError
from fastmlp.utils.labels import check_labels, class_numbers, distinct

PLACES = np.arange(12) % 3
X = np.eye(4)[PLACES] + np.random.default_rng(0).normal(scale=0.1, size=(12, 4))
SETTINGS = {"hidden": (6,), "epochs": 30, "batch_size": 4, "engine": "numpy"}


class Colour(enum.Enum):
    RED, GREEN, BLUE = "red", "green", "blue"


def labels_of(names):
    """An array of objects, one of the names for each row."""
    return np.fromiter((names[place] for place in PLACES), object, len(PLACES))


def trained(y, **settings):
    return MLP(**SETTINGS, **settings).fit(X, y)


@pytest.mark.parametrize(("names", "dtype"), [
    ([-1, 4, 9], "int64"), (["ham", "spam", "toast"], "<U5"), ([1, "spam", 2.5], "object"),
    ([(1, 2), (3,), ()], "object"), (list(Colour), "object"), ([b"a", b"b", b"c"], "object"),
], ids=str)  # fmt: skip
def test_a_network_answers_with_the_labels_that_it_was_given(names, dtype):
    y = labels_of(names)
    mlp = trained(y)
    assert mlp.classes.dtype == dtype
    assert set(mlp.classes.tolist()) == set(names)
    assert mlp.predict(X).tolist() == y.tolist()
    assert mlp.score(X, y) == 1
    by_number = trained(class_numbers(check_labels(y, 12)[0], mlp.classes))
    np.testing.assert_array_equal(mlp.weights[0], by_number.weights[0])


def test_bools_are_classes_and_stay_bools():
    y = PLACES == 1
    mlp = trained(y)
    assert (mlp.classes.dtype, mlp.classes.tolist()) == (bool, [False, True])
    assert mlp.predict(X).tolist() == y.tolist()
    assert mlp.score(X, y.astype(int)) == 1


def any_length(y):
    """An array of NumPy's text without a largest length."""
    if not hasattr(np.dtypes, "StringDType"):
        pytest.skip("NumPy has text of any length from version 2 on")
    return np.array(y, "T")


@pytest.mark.parametrize("as_y", [
    list, np.array, lambda y: np.array(y, object), lambda y: np.array(y)[:, None], any_length,
], ids=["list", "text", "objects", "column", "text of any length"])  # fmt: skip
def test_text_is_text_in_every_container(as_y):
    names = ["ham", "spam", "toast"]
    assert trained(as_y([names[place] for place in PLACES])).classes.tolist() == names


def test_a_list_of_numbers_and_text_keeps_both():
    assert trained([(1, "a", 2)[place] for place in PLACES]).predict(X[:2]).tolist() == [1, "a"]


@pytest.mark.parametrize("module", ["pandas", "polars"])
def test_a_series_is_read(module):
    library = pytest.importorskip(module)
    names = ["ham", "spam", "toast"]
    assert trained(library.Series([names[place] for place in PLACES])).classes.tolist() == names
    assert trained(library.Series(PLACES)).classes.dtype == np.int64
    with pytest.raises(InputError, match=r"y has no label at row 1"):
        trained(library.Series(["a", None] * 6))


@pytest.mark.parametrize(("names", "dtype"), [
    ([-1, 4, 9], "int64"), (["ham", "späm", "toast"], "<U5"), ([False, True, False], "bool"),
    ([1, "spam", 2.5], "object"),
], ids=str)  # fmt: skip
def test_a_model_file_has_the_classes(names, dtype):
    mlp = trained(labels_of(names))
    again = MLP.from_bytes(mlp.to_bytes())
    assert again.classes.dtype == dtype
    assert again.classes.tolist() == mlp.classes.tolist()
    assert again.predict(X).tolist() == mlp.predict(X).tolist()


@pytest.mark.parametrize("names", [[(1, 2), (3,), ()], list(Colour), [b"a", b"b", b"c"]], ids=str)
def test_a_model_file_refuses_what_it_cannot_hold_in_one_line(names, tmp_path):
    with pytest.raises(InputError, match=r"^classes has .* expected numbers, text or booleans"):
        trained(labels_of(names)).save(tmp_path / "model.safetensors")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("names", "class_weight"), [
    (["ham", "spam", "toast"], {"spam": 4}), ([1, 2, 3], {2: 4}), ([1, 2, 3], {"2": 4}), ([1, 2, 3], {2.0: 4}),
    (["1", "2", "3"], {"2": 4}), (["a", 2, "b"], {2: 4, "a": 1}), (list(Colour), {Colour.GREEN: 4}),
    ([False, True, False], {True: 4}), ([False, True, False], {"True": 4}), (["007", "7", "8"], {"7": 4}),
], ids=str)  # fmt: skip
def test_weights_go_by_labels(names, class_weight):
    y = labels_of(names)
    weighted = trained(y, class_weight=class_weight)
    expected = trained(y)
    expected.fit(X, y, sample_weight=np.where(PLACES == 1, 4.0, 1.0))
    np.testing.assert_array_equal(weighted.weights[0], expected.weights[0])


def test_a_weight_of_a_label_that_is_none_is_refused():
    with pytest.raises(InputError, match=r"label 'egg', which is not in y; expected one of 'ham', 'spam', 'toast'"):
        trained(labels_of(["ham", "spam", "toast"]), class_weight={"egg": 2})


def test_classes_without_an_order_are_in_that_of_their_rows():
    assert distinct(labels_of([2, "a", 1])).tolist() == [2, "a", 1]
    assert distinct(labels_of([(2,), (1, 9), (1,)])).tolist() == [(1,), (1, 9), (2,)]


def test_samples_that_lack_a_class_are_evaluated_by_their_labels():
    mlp = trained(labels_of([1, 2, 3]))
    some = PLACES != 1
    assert mlp.score(X[some], np.array([1, 2, 3])[PLACES[some]]) == 1


@pytest.mark.parametrize(("names", "y", "message"), [
    (["ham", "spam", "toast"], ["ham", "egg"], r"label 'egg' at row 1, .* 3 classes 'ham', 'spam', 'toast'"),
    (["ham", "spam", "toast"], [0, 1], "label 0 at row 0"), ([0, 1, 2], ["0", "1"], "label '0' at row 0"),
    ([1, "a", 2], ["b", 1], "label 'b' at row 0"),
])  # fmt: skip
def test_a_label_that_training_had_not_is_named(names, y, message):
    with pytest.raises(InputError, match=message):
        trained(labels_of(names)).score(X[:2], y)


@pytest.mark.parametrize(("y", "kind", "message"), [
    (["a", None, "b"], InputError, r"no label at row 1 \(None\)"),
    (["a", "b", float("nan")], InputError, r"no label at row 2 \(nan\)"),
    (np.array(["2020-01-01", "NaT", "2021-01-01"], "M8[D]"), InputError, "no label at row 1"),
    ([{1}, {2}, {3}], InputTypeError, "y has a set at row 0; .* that have a hash"),
    ([0.5, 1, 2], InputError, "y has 0.5 at row 0; .* loss='squared_error'"),
    (["a", "a", "a"], InputError, "y has the single class 'a'"),
])  # fmt: skip
def test_what_distinguishes_no_classes_is_refused(y, kind, message):
    with pytest.raises(kind, match=message):
        MLP(**SETTINGS).fit(X[:3], y)


def test_no_classes_at_all_are_refused():
    with pytest.raises(InputError, match="classes is empty"):
        MLP(**SETTINGS).fit(X, PLACES, classes=[])


def test_a_further_pass_keeps_the_classes():
    y = labels_of(["ham", "spam", "toast"])
    mlp = MLP(**SETTINGS).partial_fit(X[:2], y[:2], classes=["toast", "ham", "spam"]).partial_fit(X, y)
    assert mlp.classes.tolist() == ["ham", "spam", "toast"]
    assert len(mlp.history) == 2


def test_a_network_that_always_gives_the_same_word_has_failed():
    y = ["ham", "spam"] * 6
    mlp = MLP(**SETTINGS, init="normal", init_scale=1e-9, learning_rate=1e-9).fit(X, y)
    assert "the same answer" in mlp.failure_reason


def test_a_checkpoint_of_words_resumes(tmp_path):
    y = labels_of(["ham", "spam", "toast"])
    MLP(**{**SETTINGS, "epochs": 10}).fit(X, y, checkpoint=tmp_path / "kept")
    resumed = trained(y)
    continued = MLP(**SETTINGS).fit(X, y, checkpoint=tmp_path / "kept")
    np.testing.assert_array_equal(continued.weights[0], resumed.weights[0])
    with pytest.raises(InputError, match="another training"):
        MLP(**SETTINGS).fit(X, labels_of(["ham", "spam", "wurst"]), checkpoint=tmp_path / "kept")


def test_weights_that_are_given_may_be_of_words():
    mlp = MLP.from_weights([np.eye(2)], [np.zeros(2)], classes=["ham", "spam"])
    assert mlp.predict([[0.2, 0.8], [0.9, 0.1]]).tolist() == ["spam", "ham"]
    with pytest.raises(InputError, match="in ascending order"):
        mlp.set_weights([np.eye(2)], classes=["spam", "ham"])


DAEMON = """
import sys, threading, time
import numpy as np
from fastmlp.utils.labels import distinct

class Slow:
    def __del__(self, sleep=time.sleep):
        sleep(0.5)  # the interpreter is ending: it ends a daemon thread that comes back from NumPy

def work():
    while True:
        distinct(labels)

labels = np.arange(100_000) % 3
sys.slow = Slow()
threading.Thread(target=work, daemon=True).start()
time.sleep(0.1)
"""


def test_a_process_ends_cleanly_while_a_daemon_thread_looks_for_the_classes():
    done = subprocess.run([sys.executable, "-c", DAEMON], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
