"""Which epoch's weights and results a network has, and what a record says about the data."""

import math
from dataclasses import replace

import numpy as np
import pytest
from run_records import data_record

from fastmlp.config.early_stopping import from_setting
from fastmlp.data import Dataset
from fastmlp.inputs.image_style import ImageStyle
from fastmlp.runs.run_record import describe_data
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


def test_the_record_of_images_says_what_they_look_like_and_that_of_other_data_does_not():
    squares = np.zeros((4, 10, 10), np.uint8)
    squares[:, 2:8, 3:5] = 255  # 6 of 10 pixels high
    dataset = Dataset(squares.reshape(4, 100), np.arange(4) % 2, np.arange(2), (10, 10), "squares", key="/squares.npz")
    style = describe_data(dataset, 3, 1).image_style
    assert (style.shape, style.background, style.low, style.high, style.fill) == ((10, 10), "dark", 0, 255, 0.6)
    assert style.describe() == "10 x 10 pixels, light on dark, of which drawings fill 60%"
    assert describe_data(replace(dataset, image_shape=None), 3, 1).image_style is None


def test_images_of_another_shape_than_the_inputs_are_damage():
    with pytest.raises(ValueError, match=r"images have the shape \(4, 16\) for an image_shape \(8, 8\)"):
        data_record(image_style=ImageStyle((4, 16)))
