"""The images of docs/scikit-learn.md are those that scikit-learn's own estimators draw."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from sklearn import neural_network
from sklearn.datasets import load_digits

from fastmlp.sklearn import MLPClassifier

# scikit-learn 1.7 gives them.
pytestmark = pytest.mark.filterwarnings("ignore:scipy.optimize. The .disp. and .iprint.:DeprecationWarning")

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def drawing(monkeypatch):
    monkeypatch.syspath_prepend(DOCS)
    from drawing import scikit_learn

    return scikit_learn


def both(draw):
    return [draw(kind) for kind in (MLPClassifier, neural_network.MLPClassifier)]


def test_hidden_units_look_for_the_same(drawing):
    X, y = load_digits(return_X_y=True)
    ours, theirs = both(lambda kind: drawing.filters_of(kind, X / 16, y, 8))
    for one, other in zip(ours.axes, theirs.axes, strict=True):
        np.testing.assert_allclose(one.images[0].get_array(), other.images[0].get_array(), atol=1e-6)


def test_a_penalty_makes_the_same_borders(drawing, monkeypatch):
    monkeypatch.setattr(drawing, "ALPHAS", (0.3, 5.0))
    ours, theirs = (pixels(figure) for figure in both(drawing.alphas))
    assert (abs(ours - theirs).max(axis=2) > 10).mean() < 0.001


def pixels(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba()).astype(int)


def test_curves_of_all_solvers_are_the_same(drawing):
    ours, theirs = both(drawing.training_curves)
    for one, other in zip(ours.axes, theirs.axes, strict=True):
        for mine, their in zip(one.lines, other.lines, strict=True):
            np.testing.assert_allclose(mine.get_ydata(), their.get_ydata(), rtol=1e-5)
