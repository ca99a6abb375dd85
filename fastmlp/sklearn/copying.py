"""Copy what was fitted from one estimator to another."""

from typing import Any

import numpy as np

# What a fitted estimator has besides its weights, where it has them.
_FITTED = (
    "n_features_in_", "feature_names_in_", "classes_", "_label_binarizer", "n_layers_", "n_outputs_", "out_activation_",
    "n_iter_", "t_", "loss_", "loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_",
    "_no_improvement_count",
)  # fmt: skip


def copy_fitted(source: Any, target: Any) -> None:
    """Give an estimator what another one has learnt: its attributes, and copies of its weights.

    Parameters
    ----------
    source : object
        A fitted estimator of this library or of scikit-learn's perceptrons.
    target : object
        One of the other kind.
    """
    for name in _FITTED:
        if hasattr(source, name):
            value = getattr(source, name)
            setattr(target, name, list(value) if isinstance(value, list) else value)
    target.coefs_ = [np.array(W) for W in source.coefs_]
    target.intercepts_ = [np.array(b) for b in source.intercepts_]
