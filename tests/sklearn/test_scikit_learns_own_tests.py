"""scikit-learn's own tests of its perceptrons, read from the installed package and run on ours: one import changes."""

import importlib.util
from importlib.abc import SourceLoader
from pathlib import Path

import pytest
import sklearn.neural_network

SOURCE = Path(sklearn.neural_network.__file__).parent / "tests" / "test_mlp.py"
THEIRS = "from sklearn.neural_network import MLPClassifier, MLPRegressor\n"
OURS = "from fastmlp.sklearn import MLPClassifier, MLPRegressor\n"

# What is not ours to pass, and why.
LEFT_OUT = {
    "test_gradient": "calls the private _loss_grad_lbfgs",
    "test_learning_rate_warmstart": "reads the private _optimizer",
    "test_adaptive_learning_rate": "reads the private _optimizer",
}

# They are run where a warning is no error.
pytestmark = pytest.mark.filterwarnings("default", "ignore::sklearn.exceptions.ConvergenceWarning")


class ChangedImport(SourceLoader):
    """Loads the tests with the estimators of this library in the place of scikit-learn's."""

    def get_filename(self, name):
        return str(SOURCE)

    def get_data(self, path):
        text = Path(path).read_text(encoding="utf-8")
        assert text.count(THEIRS) == 1
        return text.replace(THEIRS, OURS).encode()


def load():
    loader = ChangedImport()
    spec = importlib.util.spec_from_loader("scikit_learns_tests", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


theirs = load()
FOUND = {name: test for name, test in vars(theirs).items() if name.startswith("test_")}
globals().update({name: test for name, test in FOUND.items() if name not in LEFT_OUT})


@pytest.fixture
def global_random_seed():
    return 42


def test_the_tests_that_are_left_out_are_there():
    assert theirs.MLPClassifier.__module__ == "fastmlp.sklearn.classifier"
    assert len(FOUND) >= 40
