"""Settings in settings_text."""

import pytest

from fastmlp.config.network import NetworkConfig
from fastmlp.report import settings_text


def settings(**changes):
    return NetworkConfig(**{"learning_rate": 0.1, **changes})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "constant over 50 epochs"),
        ({"epochs": 1}, "constant over 1 epoch"),
        ({"decay_epochs": [20, 40]}, "halved after epochs 20 and 40 of 50"),
        ({"decay_epochs": [8, 12, 16]}, "halved after epochs 8, 12 and 16 of 50"),
        ({"decay_epochs": [20], "schedule": "decay"}, "halved after epoch 20 of 50"),
        ({"decay_epochs": [20], "decay_factor": 0.1}, "multiplied by 0.1 after epoch 20 of 50"),
        ({"schedule": "cosine"}, "cosine schedule over 50 epochs"),
        ({"schedule": {"name": "cosine", "warm_up": 5}}, "cosine schedule (warm up 5) over 50 epochs"),
        ({"schedule": {"name": "constant", "warm_up": 5}}, "constant (warm up 5) over 50 epochs"),
        ({"early_stopping": 5}, "constant over 50 epochs at most"),
        ({"optimizer": "lbfgs"}, "50 iterations"),
    ],
)
def test_the_schedule_says_how_the_rate_goes_on(changes, expected):
    assert settings_text.schedule(settings(**changes)) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "SGD"),
        ({"momentum": 0.9}, "SGD, momentum 0.9"),
        (
            {"momentum": 0.9, "optimizer": {"name": "sgd", "dampening": 0.9}},
            "SGD, momentum 0.9, dampening 0.9",
        ),
        ({"momentum": 0.9, "optimizer": {"name": "sgd", "nesterov": True}}, "SGD, momentum 0.9, nesterov true"),
        ({"optimizer": {"name": "adamw", "weight_decay": 0.1, "beta2": 0.99}}, "AdamW, beta2 0.99"),
        ({"optimizer": "rmsprop", "clip_norm": 1.0}, "RMSprop, gradients clipped to norm 1"),
        ({"optimizer": "lbfgs"}, "L-BFGS"),
    ],
)
def test_the_optimiser_is_told_with_its_numbers(changes, expected):
    assert settings_text.optimiser(settings(**changes)) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "none"),
        ({"l2": 1e-4}, "L2, 0.0001 / 2 times the sum of squared weights"),
        (
            {"l1": 1e-5, "max_norm": 3.0},
            "L1, 1e-05 times the sum of the weights' sizes; norm of the weights into a hidden unit at most 3",
        ),
        ({"dropout": 0.5}, "dropout of 0.5 of the hidden units"),
        (
            {"hidden": [30, 20], "dropout": [0.2, 0.5, 0.4]},
            "dropout of 0.2 of the inputs and 0.5, 0.4 of the hidden units",
        ),
        ({"hidden": [30], "dropout": [0.0, 0.0]}, "none"),
        ({"label_smoothing": 0.1}, "label smoothing 0.1"),
        ({"optimizer": "adamw"}, "weight decay 0.01"),
        ({"optimizer": {"name": "sgd", "weight_decay": 0.001}}, "weight decay 0.001"),
        ({"early_stopping": 1}, "stopped after 1 epoch without an improvement in validation loss"),
        ({"early_stopping": 5}, "stopped after 5 epochs without an improvement in validation loss"),
        (
            {"early_stopping": {"patience": 3, "monitor": "validation_accuracy", "min_delta": 0.001}},
            "stopped after 3 epochs without an improvement of more than 0.001 in validation accuracy",
        ),
    ],
)
def test_everything_that_regularises_is_told(changes, expected):
    assert settings_text.regulariser(settings(**changes)) == expected


def test_the_layers_name_the_output_of_the_loss():
    assert settings_text.layers(settings(hidden=[30], loss="squared_error"), 784, 10) == (
        "784-30-10 (1 hidden layer and the identity output)"
    )
    assert settings_text.layers(settings(hidden=[], loss="binary_cross_entropy"), 4, 3) == (
        "4-3 (0 hidden layers and the sigmoid output)"
    )


def test_the_loss_tells_the_weights_of_the_classes():
    assert settings_text.loss(settings()) == "cross entropy"
    assert settings_text.loss(settings(class_weight="balanced")) == "cross entropy, class weights balanced"
    assert settings_text.loss(settings(class_weight={"0": 2.0})) == "cross entropy, class weights 0 2.0"


def test_a_batch_of_all_samples_is_called_so():
    assert settings_text.batch(settings(batch_size=500), 50_000) == "500"
    assert settings_text.batch(settings(batch_size=60_000), 42_000) == "all 42000 training samples"
    assert settings_text.batch(settings(optimizer="lbfgs"), 42_000) == "all 42000 training samples"


def test_lbfgs_has_no_rate():
    assert settings_text.initial_rate(settings(optimizer="lbfgs")) == "chosen by line search"
    assert settings_text.initial_rate(settings()) == "0.1"
