"""The parameters that both estimators have: their checks, and what they mean in words."""

import numbers
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from fastmlp.utils import validation as check

ACTIVATIONS = {"identity": "identity", "logistic": "sigmoid", "tanh": "tanh", "relu": "relu"}
REGRESSIONS = ("squared_error", "poisson")  # losses
STOCHASTIC = ("sgd", "adam")
SOLVERS = (*STOCHASTIC, "lbfgs")
RATES = ("constant", "invscaling", "adaptive")

PARAMETERS = """hidden_layer_sizes : int or sequence of int, default (100,)
        Widths of the hidden layers.
    activation : str, default "relu"
        Of the hidden units: "identity", "logistic", "tanh" or "relu".
    solver : str, default "adam"
        "adam"; "sgd"; or "lbfgs", which takes the whole training set at every step and computes in float64.
    alpha : float, default 0.0001
        alpha / 2 times the squared weights, over the number of a batch's rows or their summed weights, is added to the
        loss.
    batch_size : int or "auto", default "auto"
        Rows of a step; "auto" is 200, or all where there are fewer.
    learning_rate : str, default "constant"
        Of "sgd": "constant"; "invscaling": `learning_rate_init / (t_ + 1)^power_t` after each epoch; "adaptive": a
        fifth of what it was, until 1e-6, whenever the training would stop otherwise.
    learning_rate_init : float, default 0.001
        Rate of the first epoch.
    power_t : float, default 0.5
        Exponent of "invscaling".
    max_iter : int, default 200
        Most epochs; of "lbfgs" iterations.
    shuffle : bool, default True
        Whether each epoch visits the rows in a new order.
    random_state : int, RandomState or None, default None
        Of the first weights, the validation rows and the order of the rows, which are the ones that scikit-learn draws.
    tol : float, default 1e-4
        Least improvement of the loss, or of the validation score where it stops early; of "lbfgs" the largest element
        of the gradient at the end.
    verbose : bool or int, default False
        Whether to print the loss of each epoch.
    warm_start : bool, default False
        Whether `fit` continues from the weights of the last one.
    momentum : float, default 0.9
        Of "sgd", from 0, below 1.
    nesterovs_momentum : bool, default True
        Whether it is Nesterov's.
    early_stopping : bool, default False
        Whether a part of the rows is held out, and the training stops when the score on them no longer improves; the
        weights of the best epoch are kept.
    validation_fraction : float, default 0.1
        Share of the rows that is held out.
    beta_1, beta_2 : float, default 0.9, 0.999
        Of "adam", from 0, below 1.
    epsilon : float, default 1e-8
        Of "adam".
    n_iter_no_change : int or inf, default 10
        Epochs in a row without improvement after which the training stops.
    max_fun : int, default 15000
        Most passes over the training set of "lbfgs\"."""

OWN_PARAMETERS = """dropout : float or tuple of float, default 0
        As for `fastmlp.MLP`: share of the hidden layers' outputs that is dropped in training. Not scikit-learn's.
    callbacks : iterable of Callback, default ()
        Of `fastmlp.training.callbacks`. Not scikit-learn's.
    progress : bool, callable or None, default None
        True for a progress bar, or a function of each epoch's record. Not scikit-learn's.
    threads : int or None, default None
        Cores to use; None: all that this process may use, or its share in a worker of joblib. Never changes a result.
        Not scikit-learn's."""

ATTRIBUTES = """network_ : fastmlp.MLP
        The network itself, which can be saved. A binary classifier is one with a single sigmoid output.
    coefs_, intercepts_ : list of ndarray
        Weights (fan_in, fan_out) and biases (fan_out,) of each layer. What is written to them, or put in their place,
        counts from then on.
    loss_ : float
        Of the last epoch, penalty included.
    best_loss_ : float or None
        The least; None where it stops early.
    loss_curve_ : list of float
        Mean over the rows of an epoch, each seen before its own batch's step.
    validation_scores_ : list of float or None
        After each epoch; None without held-out rows.
    best_validation_score_ : float or None
        The best of them.
    validation_loss_curve_ : list of float or None
        Loss on the held-out rows after each epoch, without penalty. Not scikit-learn's.
    n_iter_ : int
        Epochs of the last `fit`.
    t_ : int
        Rows that were trained on, each as often as it was.
    n_layers_, n_outputs_ : int
        Layers with that of the inputs, and outputs.
    n_features_in_ : int
        Columns of X.
    feature_names_in_ : ndarray of shape (features,)
        Their names, where X has names that are all text.
    out_activation_ : str
        Function of the outputs, by scikit-learn's name."""


def _flag(name: str, value: Any) -> bool:
    return check.flag(name, bool(value) if isinstance(value, np.bool_) else value)


def _batch_size(name: str, value: Any) -> object:
    if isinstance(value, str):
        return check.one_of(name, value, ("auto",))
    return check.whole(name, value, 1, "'auto' is 200")


def _patience(name: str, value: Any) -> object:
    if isinstance(value, numbers.Real) and value == np.inf:
        return value
    return check.whole(name, value, 1, "epochs without improvement, such as 10; inf for no end")


def _verbose(name: str, value: Any) -> object:
    return _flag(name, value) if isinstance(value, bool | np.bool_) else check.whole(name, value, 0, "True to print")


def _random_state(name: str, value: Any) -> object:
    if value is None or isinstance(value, np.random.RandomState):
        return value
    return check.whole(name, value, 0, "such as 0, or a RandomState", most=2**32 - 1)


_share = partial(check.real, hint="0.9 is common", least=0, below=1)
CHECKS: dict[str, Callable[[str, Any], object]] = {
    "hidden_layer_sizes": check.hidden_widths,
    "activation": partial(check.one_of, choices=ACTIVATIONS),
    "solver": partial(check.one_of, choices=SOLVERS),
    "alpha": partial(check.real, hint="0 switches the penalty off", least=0),
    "batch_size": _batch_size,
    "learning_rate": partial(check.one_of, choices=RATES),
    "learning_rate_init": partial(check.positive, hint="0.001 is common"),
    "power_t": partial(check.real, hint="0.5 is common", least=0),
    "max_iter": partial(check.whole, least=1, hint="epochs, such as 200", most=check.MOST_EPOCHS),
    "shuffle": _flag,
    "random_state": _random_state,
    "tol": partial(check.real, hint="1e-4 is common", least=0),
    "verbose": _verbose,
    "warm_start": _flag,
    "momentum": check.momentum,
    "nesterovs_momentum": _flag,
    "early_stopping": _flag,
    "validation_fraction": partial(check.real, hint="0.1 is common", least=0, below=1),
    "beta_1": _share,
    "beta_2": _share,
    "epsilon": partial(check.positive, hint="1e-8 is common"),
    "n_iter_no_change": _patience,
    "max_fun": partial(check.whole, least=1, hint="passes over the training set, such as 15000"),
}


def check_parameters(estimator: Any) -> None:
    """Raise InputError or InputTypeError for the first parameter that cannot be used; none is changed.

    Parameters
    ----------
    estimator : object
        Has them as attributes.
    """
    for name, checked_by in CHECKS.items():
        checked_by(name, getattr(estimator, name))
    if hasattr(estimator, "loss"):
        check.one_of("loss", estimator.loss, REGRESSIONS)


def described(kind: type) -> None:
    """Put the texts of this module in the place of PARAMETERS, OWN_PARAMETERS and ATTRIBUTES in a docstring.

    Parameters
    ----------
    kind : type
        An estimator.
    """
    if kind.__doc__:  # python -OO leaves none
        texts = {"OWN_PARAMETERS": OWN_PARAMETERS, "PARAMETERS": PARAMETERS, "ATTRIBUTES": ATTRIBUTES}
        for name, text in texts.items():
            kind.__doc__ = kind.__doc__.replace(f"    {name}\n", f"    {text}\n")
