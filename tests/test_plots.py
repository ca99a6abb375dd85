import numpy as np
import pytest
from matplotlib.figure import Figure

from fastmlp import plots
from fastmlp.history import History


def history(training, validation):
    epochs = len(training)
    columns = {
        "epoch": list(range(1, epochs + 1)),
        "learning_rate": [0.1] * epochs,
        "train_loss": [1.0] * epochs,
        "train_objective": [1.0] * epochs,
        "train_accuracy": training,
        "validation_loss": [1.0] * epochs,
        "validation_accuracy": validation,
        "seconds": [0.1] * epochs,
    }
    return History.from_dict(columns)


GOOD = plots.Panel("tanh", history([0.5, 0.8, 0.9, 0.99], [0.4, 0.9, 0.85, 0.88]), (2, 3))
DEAD = plots.Panel(
    "relu", history([0.11, 0.1, 0.1, 0.1], [0.1] * 4), (2, 3), "died: all alike; a smaller rate may help"
)


@pytest.fixture
def ax():
    return Figure().subplots()


def lines(ax):
    """The drawn lines by their labels."""
    return {line.get_label(): line for line in ax.get_lines()}


def test_learning_curves_draw_both_accuracies_against_epochs(ax):
    assert plots.learning_curves(ax, GOOD) is ax
    np.testing.assert_array_equal(lines(ax)["training"].get_xdata(), [1, 2, 3, 4])
    np.testing.assert_array_equal(lines(ax)["training"].get_ydata(), [0.5, 0.8, 0.9, 0.99])
    np.testing.assert_array_equal(lines(ax)["validation"].get_ydata(), [0.4, 0.9, 0.85, 0.88])


def test_the_decay_epochs_are_marked_and_named_once(ax):
    plots.learning_curves(ax, GOOD)
    upright = [
        line.get_xdata()[0] for line in ax.get_lines() if len(set(line.get_xdata())) == 1 < len(line.get_xdata())
    ]
    assert upright == [2, 3]
    assert [label for label in lines(ax) if label == "learning rate decays"] == ["learning rate decays"]


def test_the_title_tells_the_best_epoch_and_the_last_accuracy(ax):
    plots.learning_curves(ax, GOOD)
    assert ax.get_title() == "tanh\nbest 90.00% (epoch 2), final 88.00%"
    assert lines(ax)["best epoch"].get_xydata().tolist() == [[2, 0.9]]


def test_a_diverged_network_says_so_and_has_no_best_epoch(ax):
    plots.learning_curves(ax, DEAD)
    assert ax.get_title() == "relu\ndied: all alike"
    assert "best epoch" not in lines(ax)


def test_curves_that_end_early_or_in_nan_are_drawn(ax):
    panel = plots.Panel("relu", history([float("nan")], [float("nan")]), (2,), "diverged: the loss is nan")
    plots.learning_curves(ax, panel)
    assert ax.get_xlim()[1] >= 2


def test_a_network_without_validation_has_no_best_epoch(ax):
    plots.learning_curves(ax, plots.Panel("tanh", history([0.5, 0.6], [float("nan")] * 2)))
    assert ax.get_title().strip() == "tanh"


@pytest.mark.parametrize(
    ("panels", "expected"),
    [([GOOD], (0, 0.99)), ([DEAD], (0, 0.5)), ([plots.Panel("", history([0.96, 0.97], [0.955, 0.96]))], (0.95, 0.98))],
)
def test_the_accuracy_axis_holds_all_curves(panels, expected):
    assert plots.accuracy_range(panels) == expected


@pytest.mark.parametrize("accuracy", [0.0, 1.0])
def test_the_accuracy_axis_is_never_empty(accuracy):
    bottom, top = plots.accuracy_range([plots.Panel("", history([accuracy] * 2, [accuracy] * 2))])
    assert bottom < top
    assert bottom <= accuracy <= top


def test_the_last_percents_get_as_much_room_as_the_first_ones(ax):
    plots.learning_curves(ax, GOOD)
    heights = ax.transData.transform([(1, a) for a in (0.1, 0.5, 0.9, 0.98)])[:, 1]
    assert np.diff(heights).min() > np.diff(heights).max() / 4
    assert np.isfinite(ax.transData.transform((1, 1.0))).all()


def test_the_figure_of_a_grid_shares_its_axes_and_has_one_legend():
    figure = plots.curves_figure([GOOD, DEAD, GOOD, GOOD, GOOD, DEAD], (2, 3), "heading")
    assert len(figure.axes) == 6
    assert len({ax.get_ylim() for ax in figure.axes}) == 1
    (legend,) = figure.legends
    expected = ["learning rate decays", "training", "validation", "best epoch"]
    assert [text.get_text() for text in legend.get_texts()] == expected


def test_no_titles_of_a_grid_overlap():
    long = plots.Panel("relu, learning rate 0.005", DEAD.history, (2,), "died: " + "it gives the same answer " * 4)
    figure = plots.curves_figure([GOOD, long, GOOD, long, long, GOOD], (2, 3), "heading")
    plots.FigureCanvasAgg(figure).draw()
    boxes = [ax.title.get_window_extent() for ax in figure.axes] + [ax.get_window_extent() for ax in figure.axes]
    overlaps = [(a, b) for k, a in enumerate(boxes) for b in boxes[:k] if a.overlaps(b)]
    assert not overlaps


def test_a_confusion_matrix_shows_its_counts(ax):
    matrix = np.array([[50, 3, 0], [0, 40, 10], [1, 0, 49]])
    assert plots.confusion_matrix(ax, matrix, ["cat", "dog", "$x$"]) is ax
    texts = {text.get_position(): text.get_text() for text in ax.texts}
    assert texts == {(c, r): str(matrix[r, c]) for r, c in np.argwhere(matrix)}
    assert [label.get_text() for label in ax.get_yticklabels()] == ["cat", "dog", "$x$"]


def test_a_class_without_samples_is_drawn_white(ax):
    plots.confusion_matrix(ax, np.array([[5, 0], [0, 0]]), ["0", "1"])
    np.testing.assert_array_equal(ax.images[0].get_array(), [[1, 0], [0, 0]])


def test_loss_curves_draw_both_losses_on_a_logarithmic_axis(ax):
    assert plots.loss_curves(ax, GOOD) is ax
    np.testing.assert_array_equal(lines(ax)["training"].get_ydata(), GOOD.history["train_loss"])
    np.testing.assert_array_equal(lines(ax)["validation"].get_ydata(), GOOD.history["validation_loss"])
    assert ax.get_yscale() == "log"


def test_losses_that_left_the_finite_numbers_are_drawn_all_the_same(tmp_path):
    columns = {**history([0.1], [0.1]).to_dict(), "train_loss": [float("nan")], "validation_loss": [float("inf")]}
    lost = plots.Panel("relu", History.from_dict(columns), diverged="diverged: the loss is nan")
    for panels in ([lost], [lost, GOOD]):
        figure = plots.losses_figure(panels, (1, len(panels)), "heading")
        plots.save(figure, tmp_path / "losses.png")
        assert "diverged" in figure.axes[0].get_title()


def test_a_network_that_stopped_early_tells_the_epoch_it_kept(ax):
    plots.learning_curves(ax, plots.Panel("tanh", GOOD.history, kept_epoch=3))
    assert ax.get_title() == "tanh\nbest 90.00% (epoch 2), kept epoch 3, 85.00%"


def test_an_r_squared_below_zero_is_drawn():
    assert plots.accuracy_range([plots.Panel("", history([-0.5, 0.4], [-2.0, 0.3]))]) == (0, 0.5)


def test_very_many_classes_are_shaded_without_counts(ax):
    plots.confusion_matrix(ax, np.eye(100, dtype=int), [str(k) for k in range(100)])
    assert not ax.texts
    assert len(ax.get_xticks()) <= 50


def test_mistakes_show_each_picture_with_both_classes():
    pictures = np.arange(2 * 6, dtype=np.uint8).reshape(2, 2, 3)
    figure = plots.mistakes_figure(pictures, [0, 1], [1, 0], [0.99999, 0.75], ["cat", "dog"], "pets")
    assert [ax.get_title() for ax in figure.axes] == [
        "cat, taken for dog\n> 99.9% certain",
        "dog, taken for cat\n75.0% certain",
    ]
    for ax, expected in zip(figure.axes, pictures, strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), expected)


def test_a_saved_figure_is_a_picture(tmp_path):
    plots.save(plots.curves_figure([GOOD], (1, 1), "costs 5$ or $6"), tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
