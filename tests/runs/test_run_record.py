"""Which epoch's weights and results a network has."""

import math

import pytest

from fastmlp.config.early_stopping import from_setting
from fastmlp.training.early_stopping import kept_epoch

COLUMNS = {
    "epoch": [1, 2, 3, 4],
    "train_loss": [0.9, 0.8, 0.7, 0.6],
    "validation_loss": [0.9, 0.5, 0.49, 0.7],
    "validation_accuracy": [0.6, 0.7, 0.7, 0.8],
}
HISTORY = [dict(zip(COLUMNS, values, strict=True)) for values in zip(*COLUMNS.values(), strict=True)]


@pytest.mark.parametrize(
    ("early_stopping", "epoch"),
    [
        (None, 4),
        (1, 3),
        ({"patience": 1}, 3),
        ({"patience": 1, "min_delta": 0.1}, 2),
        ({"patience": 1, "monitor": "validation_accuracy"}, 4),
        ({"patience": 1, "monitor": "validation_accuracy", "min_delta": 0.15}, 4),
        ({"patience": 1, "monitor": "validation_accuracy", "min_delta": 0.3}, 1),
    ],
)
def test_stopping_early_keeps_the_last_epoch_that_was_better_by_enough(early_stopping, epoch):
    assert kept_epoch(HISTORY, from_setting(early_stopping)) == epoch


def test_losses_that_are_no_numbers_keep_the_last_epoch():
    lost = {"train_loss": math.nan, "validation_loss": math.nan}
    assert kept_epoch([{"epoch": epoch, **lost} for epoch in (1, 2)], from_setting(3)) == 2
