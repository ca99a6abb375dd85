import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fastmlp import plots
from fastmlp.errors import InputError
from fastmlp.training.history import History


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
    FigureCanvasAgg(figure).draw()
    boxes = [ax.title.get_window_extent() for ax in figure.axes] + [ax.get_window_extent() for ax in figure.axes]
    overlaps = [(a, b) for k, a in enumerate(boxes) for b in boxes[:k] if a.overlaps(b)]
    assert not overlaps


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


def test_loss_curves_draw_both_losses_on_a_logarithmic_axis(ax):
    assert plots.loss_curves(ax, GOOD) is ax
    np.testing.assert_array_equal(lines(ax)["training"].get_ydata(), GOOD.history["train_loss"])
    np.testing.assert_array_equal(lines(ax)["validation"].get_ydata(), GOOD.history["validation_loss"])
    assert ax.get_yscale() == "log"


def test_the_lowest_loss_is_circled_and_told(ax):
    columns = {**GOOD.history.to_dict(), "validation_loss": [0.5, 0.094, 0.3, 0.40004]}
    plots.loss_curves(ax, plots.Panel("tanh", History.from_dict(columns)))
    assert ax.get_title() == "tanh\nlowest 0.0940 (epoch 2), final 0.4000"
    assert lines(ax)["best epoch"].get_xydata().tolist() == [[2, 0.094]]


@pytest.mark.parametrize("losses", [(2.3, 0.001), (0.4, 0.09), (0.31, 0.24), (0.7, 0.35)])
def test_a_loss_axis_has_ticks_to_read_it_by(ax, losses):
    columns = {**history([0.5] * 2, [0.5] * 2).to_dict(), "train_loss": losses, "validation_loss": losses}
    plots.loss_curves(ax, plots.Panel("tanh", History.from_dict(columns)))
    bottom, top = ax.get_ylim()
    seen = [tick for tick in ax.get_yticks() if bottom <= tick <= top]
    assert 2 <= len(seen) <= 7


def test_losses_that_left_the_finite_numbers_are_drawn_all_the_same(tmp_path):
    columns = {**history([0.1], [0.1]).to_dict(), "train_loss": [float("nan")], "validation_loss": [float("inf")]}
    lost = plots.Panel("relu", History.from_dict(columns), failure_reason="diverged: the loss is nan")
    for panels in ([lost], [lost, GOOD]):
        figure = plots.losses_figure(panels, (1, len(panels)), "heading")
        plots.save(figure, tmp_path / "losses.png")
        assert "diverged" in figure.axes[0].get_title()


def test_a_network_that_stopped_early_tells_the_epoch_it_kept(ax):
    plots.learning_curves(ax, plots.Panel("tanh", GOOD.history, kept_epoch=3))
    assert ax.get_title() == "tanh\nbest 90.00% (epoch 2), kept epoch 3, 85.00%"
    plots.learning_curves(ax, plots.Panel("tanh", GOOD.history, kept_epoch=2))
    assert ax.get_title() == "tanh\nbest 90.00% (epoch 2), kept"


def test_an_r_squared_below_zero_is_drawn():
    assert plots.accuracy_range([plots.Panel("", history([-0.5, 0.4], [-2.0, 0.3]))]) == (0, 0.5)


def test_very_many_classes_are_shaded_without_counts(ax):
    plots.confusion_matrix(ax, np.eye(100, dtype=int), [str(k) for k in range(100)])
    assert not ax.texts
    assert len(ax.get_xticks()) <= 50


def test_mistakes_show_each_picture_with_both_classes(ax):
    pictures = np.array([[[0, 5, 10], [10, 5, 0]], [[4, 4, 8], [8, 8, 8]]], np.uint8)
    assert plots.mistakes(ax, pictures, [0, 1], [1, 0], [0.99999, 0.75], ["cat", "$dog"]) is ax
    assert [text.get_text() for text in ax.texts] == ["> 99.9%", "cat → $dog", "75.0%", "$dog → cat"]
    sheet = np.ma.filled(ax.images[0].get_array(), np.nan)
    drawn = sheet[np.isfinite(sheet).any(axis=1)]
    expected = [[0, 0.5, 1, np.nan, 0, 0, 1], [1, 0.5, 0, np.nan, 1, 1, 1]]
    np.testing.assert_array_equal(drawn, expected)


def test_long_names_of_mistakes_are_cut_and_put_below_one_another(ax):
    plots.mistakes(ax, np.zeros((1, 4, 4)), [0], [1], [0.5], ["a" * 50, "b" * 50])
    given, true = (text.get_text() for text in ax.texts)
    assert true == "a" * 13 + "…" + "a" * 6
    assert given == "→ bbbbbbbb…bbb, 50.0%"


def test_captions_of_mistakes_do_not_touch_each_other():
    for names in (["0", "1"], ["ankle boot", "T-shirt or top"], ["a" * 40, "Another long CLASS name"]):
        count = 7
        figure = plots.mistakes_figure(
            np.ones((count, 28, 28)), [0] * count, [1] * count, [0.9999] * count, names, "clothes"
        )
        FigureCanvasAgg(figure).draw()
        (ax,) = figure.axes
        boxes = [text.get_window_extent() for text in ax.texts]
        assert not [(a, b) for k, a in enumerate(boxes) for b in boxes[:k] if a.overlaps(b)]


def test_the_first_layer_has_a_picture_for_each_unit_the_largest_first(ax):
    weights = np.array([[0.0, 3.0], [0.0, -4.0], [1.0, 0.0], [0.0, 0.0]])
    assert plots.first_layer(ax, weights, (2, 2)) is ax
    sheet = np.ma.filled(ax.images[0].get_array(), np.nan)
    np.testing.assert_array_equal(sheet, [[3, -4, np.nan, 0, 0], [0, 0, np.nan, 1, 0]])
    assert ax.images[0].get_clim() == (-4, 4)


def test_of_many_units_those_with_the_largest_norm_are_drawn(ax):
    weights = np.zeros((4, 100))
    weights[0] = np.arange(100)
    plots.first_layer(ax, weights, (2, 2), most=9)
    sheet = np.ma.filled(ax.images[0].get_array(), np.nan)
    assert sheet[::3, ::3].tolist() == [[99, 98, 97], [96, 95, 94], [93, 92, 91]]


def test_inputs_that_are_no_pictures_of_that_shape_are_refused(ax):
    with pytest.raises(InputError, match=r"\(3, 3\), 9 pixels, but the weights have fan_in 10"):
        plots.first_layer(ax, np.zeros((10, 2)), (3, 3))


def trial(rate, accuracy, group="tanh", failed=False):
    return plots.Trial(f"{group}, {rate}", rate, min(accuracy + 0.01, 1), accuracy, group, failed)


def test_learning_rates_are_compared_by_a_line_for_each_group(ax):
    trials = [trial(0.5, 0.9), trial(0.05, 0.8), trial(0.5, 0.95, "relu"), trial(0.05, 0.7, "relu")]
    assert plots.learning_rate_comparison(ax, trials) is ax
    assert lines(ax)["tanh"].get_xydata().tolist() == [[0.05, 0.8], [0.5, 0.9]]
    assert lines(ax)["relu"].get_xydata().tolist() == [[0.05, 0.7], [0.5, 0.95]]
    assert lines(ax)["best"].get_xydata().tolist() == [[0.5, 0.95]]
    assert ax.get_xscale() == "log"


def test_a_rate_that_failed_is_crossed_and_never_the_best(ax):
    plots.learning_rate_comparison(
        ax, [trial(5, float("nan"), failed=True), trial(0.5, 0.6), trial(1, 0.9, failed=True)]
    )
    assert lines(ax)["failed"].get_xydata().tolist() == [[5, 0.5], [1, 0.9]]
    assert lines(ax)["best"].get_xydata().tolist() == [[0.5, 0.6]]


def test_rates_that_all_failed_are_drawn_all_the_same(tmp_path):
    figure = Figure()
    plots.learning_rate_comparison(figure.subplots(), [trial(r, float("nan"), failed=True) for r in (1, 10)])
    plots.save(figure, tmp_path / "rates.png")
    assert "best" not in lines(figure.axes[0])


def test_of_many_groups_only_the_best_are_named(ax):
    trials = [trial(rate, 0.5 + 0.01 * k, f"group {k}") for k in range(12) for rate in (0.1, 1)]
    plots.learning_rate_comparison(ax, trials)
    named = [label for label in lines(ax) if not label.startswith("_")]
    assert named == ["group 11", "group 10", "group 9", "group 8", "the others", "best"]


def test_the_gap_is_drawn_between_both_accuracies_of_each_network(ax):
    trials = [trial(0.5, 0.9), trial(0.05, 0.8)]
    assert plots.generalisation_gap(ax, trials) is ax
    np.testing.assert_allclose(lines(ax)["training"].get_xydata(), [[0.91, 0], [0.81, 1]])
    np.testing.assert_allclose(lines(ax)["validation"].get_xydata(), [[0.9, 0], [0.8, 1]])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["tanh, 0.5", "tanh, 0.05"]


def test_all_curves_show_each_network_and_the_best_on_top(ax):
    assert plots.all_curves(ax, [GOOD, DEAD, GOOD], best=0) is ax
    drawn = [path.vertices[:, 1].tolist() for path in ax.collections[0].get_paths()]
    assert drawn == [p.history["validation_accuracy"] for p in (GOOD, DEAD, GOOD)]
    assert lines(ax)["best configuration"].get_ydata().tolist() == GOOD.history["validation_accuracy"]


def test_many_threads_may_draw_at_once():
    def draw(_):
        figure = plots.curves_figure([GOOD, DEAD], (1, 2), "heading")
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return bytes(canvas.buffer_rgba())

    alone = draw(0)
    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(draw, range(8))) == {alone}


def test_drawing_changes_no_global_setting_and_loads_no_pyplot():
    code = (
        "import sys, matplotlib\n"
        "def settings(): return {k: matplotlib.rcParams[k] for k in matplotlib.rcParams if k != 'backend'}\n"
        "before = settings()\nfrom fastmlp import plots\nfrom matplotlib.figure import Figure\nimport numpy as np\n"
        "plots.confusion_matrix(Figure().subplots(), np.eye(2, dtype=int), ['a', 'b'])\n"
        "assert settings() == before\nassert 'matplotlib.pyplot' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_saved_figure_is_a_picture(tmp_path):
    plots.save(plots.curves_figure([GOOD], (1, 1), "costs 5$ or $6"), tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_other_seeds_are_drawn_behind_and_named_once(ax):
    others = [history([0.5, 0.6, 0.7, 0.7], [0.3, 0.4, 0.5, 0.5]), history([0.5, 0.6], [0.3, 0.2])]
    plots.learning_curves(ax, plots.Panel("tanh", GOOD.history, others=others))
    drawn = [list(line.get_ydata()) for line in ax.get_lines()]
    assert [0.3, 0.4, 0.5, 0.5] in drawn
    assert [0.5, 0.6] in drawn
    assert [line.get_label() for line in ax.get_lines()].count("other seeds") == 1
    assert plots.accuracy_range([plots.Panel("relu", GOOD.history, others=others)])[0] == 0


def test_a_last_row_may_have_places_left_and_every_column_its_epochs():
    figure = plots.curves_figure([GOOD] * 4, (2, 3), "four")
    axes = figure.axes
    assert [bool(ax.get_lines()) for ax in axes] == [True] * 4 + [False] * 2
    assert [ax.get_xlabel() for ax in axes] == ["", "epoch", "epoch", "epoch", "", ""]
    assert not axes[5].axison


def test_a_long_title_is_wrapped_but_no_width_is_torn(ax):
    title = "hidden 256-128, tanh, learning rate 0.337, batch size 215, l2 1.25e-07"
    plots.loss_curves(ax, plots.Panel(title, GOOD.history))
    *shown, _ = ax.get_title().splitlines()  # the last line tells the lowest loss
    assert " ".join(shown) == title
    assert max(map(len, shown)) <= 44


def test_a_short_training_cuts_no_other_off():
    short = plots.Panel("pruned", history([0.5, 0.6], [0.5, 0.6]))
    for draw in (plots.curves_figure, plots.losses_figure):
        figure = draw([GOOD, short], (1, 2), "two")
        assert all(ax.get_xlim()[1] > 4 for ax in figure.axes)


def test_curves_of_one_epoch_are_dots(ax):
    plots.learning_curves(ax, plots.Panel("one", history([0.8], [0.7])))
    assert lines(ax)["training"].get_marker() == lines(ax)["validation"].get_marker() == "."
