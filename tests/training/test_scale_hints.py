"""Advice to a training that goes wrong names the scale of its inputs where that may be the cause."""

import numpy as np

from fastmlp import MLP

RANDOM = np.random.RandomState(0)
Y = np.arange(300) % 4
X = (RANDOM.standard_normal((300, 12)) + 1.5 * RANDOM.standard_normal((4, 12))[Y]).astype(np.float32)
SMALL = {"hidden": (16, 8), "batch_size": 20, "epochs": 8}


def sentences(mlp):
    return [diagnosis["sentence"] for diagnosis in mlp.history.diagnoses]


def test_the_scale_is_named_where_it_is_the_cause_and_never_where_it_is_in_use():
    features = np.arange(8)[:, None] == np.random.RandomState(0).randint(0, 8, 400)
    one_hot, y = features.T.astype(np.uint8), np.arange(400) % 2
    settings = {**SMALL, "scaling": "pixels", "learning_rate": 0.2}
    dim = sentences(MLP(**settings).fit(one_hot, y))
    assert dim
    assert all("scaling='auto' (the inputs go up to 0.0039)" in sentence for sentence in dim)
    faint = sentences(MLP(**{**settings, "scaling": "auto"}).fit(one_hot / 1000, y))
    assert any("scaling='standard' (the inputs go up to 0.001)" in sentence for sentence in faint)
    for scaling in ("auto", "standard", "minmax"):
        lost = sentences(MLP(**{**SMALL, "scaling": scaling, "learning_rate": 1e3}).fit(255 * X, Y))
        assert lost
        assert not any("scaling" in sentence for sentence in lost)
