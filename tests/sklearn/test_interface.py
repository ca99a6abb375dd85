"""The estimators in the company that scikit-learn's keep: its checks, its pipelines, searches and meta-estimators."""

import copy
import inspect
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn.neural_network
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.ensemble import VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

import fastmlp.sklearn
from fastmlp.sklearn import MLPClassifier, MLPRegressor
from fastmlp.training.callbacks import Callback

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

IRIS = load_iris()
X, y, NAMES = StandardScaler().fit_transform(IRIS.data), IRIS.target, IRIS.target_names[IRIS.target]
QUICK = {"hidden_layer_sizes": (8,), "learning_rate_init": 0.05, "max_iter": 40, "random_state": 0}


def checks():
    """Every check of scikit-learn, of each estimator."""
    for estimator in (MLPClassifier(max_iter=100), MLPRegressor(max_iter=100)):
        for one, check in estimator_checks_generator(estimator):
            name = getattr(check, "func", check).__name__
            yield pytest.param(one, check, id=f"{type(estimator).__name__}-{name}")


@pytest.mark.filterwarnings("default", "ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("estimator", "check"), list(checks()))
def test_scikit_learns_checks_of_estimators(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def classifier():
    return make_pipeline(StandardScaler(), MLPClassifier(**QUICK)).fit(X, NAMES)


def parameters(estimator):
    return [array.tobytes() for array in estimator.coefs_ + estimator.intercepts_]


def test_the_first_line_of_a_user_works_with_labels_that_are_text_and_columns_that_have_names():
    table = pd.DataFrame(IRIS.data, columns=IRIS.feature_names)
    one = MLPClassifier(random_state=0, max_iter=300).fit(table, pd.Series(NAMES))
    assert one.score(table, NAMES) > 0.9
    assert set(one.predict(table)) == {"setosa", "versicolor", "virginica"}
    assert one.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert one.feature_names_in_.tolist() == IRIS.feature_names
    assert one.n_features_in_ == 4
    with pytest.raises(ValueError, match="feature names should match"):
        one.predict(table.rename(columns={"petal width (cm)": "width"}))


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_names_order_and_defaults_of_the_parameters_are_scikit_learns_and_ours_follow(name):
    theirs, ours = (
        inspect.signature(getattr(module, name)).parameters for module in (sklearn.neural_network, fastmlp.sklearn)
    )
    assert list(ours)[: len(theirs)] == list(theirs)
    for parameter in theirs.values():
        mine = ours[parameter.name]
        assert (mine.default, mine.kind) == (parameter.default, parameter.kind)


def test_a_pipeline_scales_and_names_the_columns(classifier):
    assert classifier.score(X, NAMES) > 0.95
    table = pd.DataFrame(X, columns=list("abcd"))
    named = make_pipeline(StandardScaler(), MLPClassifier(**QUICK)).set_output(transform="pandas").fit(table, y)
    assert named[-1].feature_names_in_.tolist() == list("abcd")
    assert named.predict(table).tolist() == MLPClassifier(**QUICK).fit(named[0].transform(table), y).predict(
        named[0].transform(table)
    ).tolist()  # fmt: skip


@pytest.mark.parametrize(
    ("search", "backend"), [(GridSearchCV, "loky"), (GridSearchCV, "threading"), (HalvingGridSearchCV, "threading")]
)
def test_a_search_finds_what_can_learn(search, backend):
    options = {"random_state": 0} if search is HalvingGridSearchCV else {}
    grid = {"learning_rate_init": [1e-9, 0.05]}
    with joblib.parallel_config(backend, n_jobs=2):
        found = search(MLPClassifier(**{**QUICK, "max_iter": 15}), grid, cv=2, **options).fit(X, NAMES)
    assert found.best_params_ == {"learning_rate_init": 0.05}
    assert found.best_estimator_.score(X, NAMES) > 0.8


def test_it_is_cross_validated():
    assert cross_val_score(MLPClassifier(**QUICK), X, NAMES, cv=3).mean() > 0.9
    assert cross_val_score(MLPRegressor(**QUICK), X, X @ [1.0, -1.0, 2.0, 0.5], cv=KFold(3, shuffle=True)).mean() > 0.8


def test_it_is_calibrated_and_votes(classifier):
    calibrated = CalibratedClassifierCV(MLPClassifier(**QUICK), cv=2).fit(X, NAMES)
    np.testing.assert_allclose(calibrated.predict_proba(X).sum(axis=1), 1)
    assert calibrated.score(X, NAMES) > 0.8
    members = [("one", MLPClassifier(**QUICK)), ("other", MLPClassifier(**{**QUICK, "random_state": 1}))]
    assert VotingClassifier(members, voting="soft").fit(X, NAMES).score(X, NAMES) > 0.9


def test_a_clone_is_untrained_and_trains_alike(classifier):
    one = classifier[-1]
    twin = clone(one)
    assert not hasattr(twin, "coefs_")
    assert parameters(twin.fit(classifier[0].transform(X), NAMES)) == parameters(one)


@pytest.mark.parametrize("duplicate", [lambda one: pickle.loads(pickle.dumps(one)), copy.deepcopy])
def test_a_copy_answers_and_goes_on_training_as_the_first_one(duplicate):
    one = MLPClassifier(**QUICK).fit(X, NAMES)
    twin = duplicate(one)
    assert twin.predict_proba(X).tobytes() == one.predict_proba(X).tobytes()
    assert parameters(twin) == parameters(one)
    assert twin.loss_curve_ == one.loss_curve_
    assert parameters(twin.partial_fit(X, NAMES)) == parameters(copy.deepcopy(one).partial_fit(X, NAMES))


def test_a_pickle_has_the_weights_once():
    one = MLPRegressor(hidden_layer_sizes=(300,), solver="sgd", momentum=0, max_iter=1).fit(
        np.ones((20, 100)), np.ones(20)
    )
    assert len(pickle.dumps(one)) < 1.5 * sum(array.nbytes for array in one.coefs_)


def test_weights_of_rows_are_routed_to_it():
    with sklearn.config_context(enable_metadata_routing=True):
        weights = np.where(y == 2, 0.0, 1.0)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        both = make_pipeline(scaler, MLPClassifier(**QUICK).set_fit_request(sample_weight=True))
        assert set(both.fit(X, NAMES, sample_weight=weights).predict(X)) == {"setosa", "versicolor"}


def test_several_trainings_in_threads_are_those_of_one_after_the_other():
    def train(seed):
        return parameters(MLPClassifier(**{**QUICK, "random_state": seed}).fit(X, y))

    assert joblib.Parallel(2, backend="threading")(map(joblib.delayed(train), range(4))) == list(map(train, range(4)))


@pytest.mark.parametrize(
    ("given", "backend", "used"), [(None, "threading", 1), (3, "threading", 3), (None, None, None)]
)
def test_it_takes_its_share_of_the_cores_in_a_worker_of_joblib(given, backend, used):
    seen = []

    class Watch(Callback):
        def on_fit_start(self, view):
            seen.append(view.config.threads)

    one = MLPClassifier(**QUICK, threads=given, callbacks=[Watch()])
    if backend is None:
        one.fit(X, y)
    else:
        joblib.Parallel(2, backend=backend)([joblib.delayed(one.fit)(X, y)])
    assert seen == [used]
    assert one.network_.config.threads == given
