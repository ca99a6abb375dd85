"""Confusion matrices, and images of inputs and of weights."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from fastmlp import plots
from fastmlp.errors import InputError


def test_a_confusion_matrix_shows_its_counts(ax):
    matrix = np.array([[50, 3, 0], [0, 40, 10], [1, 0, 49]])
    assert plots.confusion_matrix(ax, matrix, ["cat", "dog", "$x$"]) is ax
    texts = {text.get_position(): text.get_text() for text in ax.texts}
    assert texts == {(c, r): str(matrix[r, c]) for r, c in np.argwhere(matrix)}
    assert [label.get_text() for label in ax.get_yticklabels()] == ["cat", "dog", "$x$"]


def test_classes_without_names_are_numbered(ax):
    plots.confusion_matrix(ax, np.eye(3, dtype=int), ())
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "1", "2"]
    figure = plots.confusion_figure(np.eye(20, dtype=int), (), "heading")
    named = plots.confusion_figure(np.eye(20, dtype=int), [str(k) for k in range(20)], "heading")
    assert figure.get_size_inches().tolist() == named.get_size_inches().tolist()
    ax = plots.mistakes_figure(np.zeros((2, 4, 4)), [0, 1], [1, 2], [0.5, 0.5], (), "heading").axes[0]
    assert {"0 → 1", "1 → 2"} <= {text.get_text() for text in ax.texts}


def test_too_few_names_of_classes_are_told_with_the_mend(ax):
    mend = r"class_names has 2 names for 3 classes; give one per class, or \(\) for none"
    with pytest.raises(InputError, match=mend):
        plots.confusion_matrix(ax, np.eye(3, dtype=int), ["cat", "dog"])
    with pytest.raises(InputError, match=mend):
        plots.mistakes(ax, np.zeros((1, 4, 4)), [0], [2], [0.5], ["cat", "dog"])


def test_a_class_without_samples_is_drawn_white(ax):
    plots.confusion_matrix(ax, np.array([[5, 0], [0, 0]]), ["0", "1"])
    np.testing.assert_array_equal(ax.images[0].get_array(), [[1, 0], [0, 0]])


def test_very_many_classes_are_shaded_without_counts(ax):
    plots.confusion_matrix(ax, np.eye(100, dtype=int), [str(k) for k in range(100)])
    assert not ax.texts
    assert len(ax.get_xticks()) <= 50


def test_mistakes_show_each_image_with_both_classes(ax):
    images = np.array([[[0, 5, 10], [10, 5, 0]], [[4, 4, 8], [8, 8, 8]]], np.uint8)
    assert plots.mistakes(ax, images, [0, 1], [1, 0], [0.99999, 0.75], ["cat", "$dog"]) is ax
    assert [text.get_text() for text in ax.texts] == ["> 99.9%", "cat → $dog", "75.0%", "$dog → cat"]
    sheet = np.ma.filled(ax.images[0].get_array(), np.nan)
    drawn = sheet[np.isfinite(sheet).any(axis=1)]
    gap = np.isnan(drawn[0])
    pixels = np.repeat(np.repeat([[0, 0.5, 1, 0, 0, 1], [1, 0.5, 0, 1, 1, 1]], 10, axis=0), 10, axis=1)
    np.testing.assert_array_equal(drawn[:, ~gap], pixels)
    assert np.flatnonzero(gap).tolist() == [30, 31]


def test_long_names_of_mistakes_are_put_below_one_another_and_cut_at_their_ends(ax):
    plots.mistakes(ax, np.zeros((1, 4, 4)), [0], [1], [0.5], ["a long name of the first class", "b" * 50])
    assert [text.get_text() for text in reversed(ax.texts)] == [
        "a long name of the", "first class", "→", "b" * 20, "b" * 17 + "…", "50.0%",
    ]  # fmt: skip


def test_long_names_that_begin_alike_are_told_apart_by_their_numbers(ax):
    names = ["a long name of a class, the first", "a long name of a class, the second", "short"]
    plots.confusion_matrix(ax, np.eye(3, dtype=int), names)
    expected = ["0: a long name of a cla…", "1: a long name of a cla…", "short"]
    assert [label.get_text() for label in ax.get_yticklabels()] == expected


@pytest.mark.parametrize("side", [8, 16, 28, 60])
def test_captions_of_mistakes_touch_neither_each_other_nor_an_image(side):
    for names in (["0", "1"], ["ankle boot", "T-shirt or top"], ["a" * 40, "Another long CLASS name"]):
        count = 7
        figure = plots.mistakes_figure(
            np.ones((count, side, side)), [0] * count, [1] * count, [0.9999] * count, names, "clothes"
        )
        FigureCanvasAgg(figure).draw()
        (ax,) = figure.axes
        boxes = [text.get_window_extent() for text in ax.texts]
        assert not [(a, b) for k, a in enumerate(boxes) for b in boxes[:k] if a.overlaps(b)]
        drawn = np.isfinite(np.ma.filled(ax.images[0].get_array(), np.nan)).any(axis=1)
        heights = ax.transData.inverted().transform([corner for box in boxes for corner in box.get_points()])[:, 1]
        assert not any(drawn[round(height)] for height in heights)


def test_the_first_layer_has_an_image_for_each_unit_the_largest_first(ax):
    weights = np.array([[0.0, 3.0], [0.0, -4.0], [1.0, 0.0], [0.0, 0.0]])
    assert plots.first_layer(ax, weights, (2, 2)) is ax
    sheet = np.ma.filled(ax.images[0].get_array(), np.nan)
    pixels = np.repeat(np.repeat([[3, -4, 0, 0], [0, 0, 1, 0]], 14, axis=0), 14, axis=1)
    np.testing.assert_array_equal(sheet[:, ~np.isnan(sheet[0])], pixels)
    assert ax.images[0].get_clim() == (-4, 4)


def test_of_many_units_those_with_the_largest_norm_are_drawn(ax):
    weights = np.zeros((4, 100))
    weights[0] = np.arange(100)
    plots.first_layer(ax, weights, (2, 2), most=9)
    sheet = np.ma.filled(ax.images[0].get_array(), np.nan)
    assert sheet[::30, ::30].tolist() == [[99, 98, 97], [96, 95, 94], [93, 92, 91]]


def test_inputs_that_are_no_images_of_that_shape_are_refused(ax):
    with pytest.raises(InputError, match=r"\(3, 3\), 9 pixels, but the weights have fan_in 10"):
        plots.first_layer(ax, np.zeros((10, 2)), (3, 3))
