import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fastmlp import MLP, plots
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


@pytest.mark.parametrize("figure", [plots.curves_figure, plots.losses_figure])
@pytest.mark.parametrize(("train_metrics", "when"), [("full", "after"), ("running", "during")])
def test_a_figure_says_when_the_training_set_was_measured(train_metrics, when, figure):
    X = np.random.RandomState(0).standard_normal((40, 3))
    mlp = MLP(hidden=(2,), epochs=2, train_metrics=train_metrics).fit(X, X[:, 0] > 0)
    (legend,) = figure([plots.Panel.of(mlp)], (1, 1), "heading").legends
    assert legend.get_title().get_text() == f"training curves: measured {when} each epoch"


def test_a_figure_of_histories_alone_does_not_say_when_they_were_measured():
    (legend,) = plots.curves_figure([GOOD], (1, 1), "heading").legends
    assert legend.get_title().get_text() == ""


def test_no_titles_of_a_grid_overlap():
    long = plots.Panel("relu, learning rate 0.005", DEAD.history, (2,), "died: " + "it gives the same answer " * 4)
    figure = plots.curves_figure([GOOD, long, GOOD, long, long, GOOD], (2, 3), "heading")
    FigureCanvasAgg(figure).draw()
    boxes = [ax.title.get_window_extent() for ax in figure.axes] + [ax.get_window_extent() for ax in figure.axes]
    overlaps = [(a, b) for k, a in enumerate(boxes) for b in boxes[:k] if a.overlaps(b)]
    assert not overlaps


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


def test_a_saved_figure_is_an_image(tmp_path):
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


def with_losses(title, losses, **settings):
    columns = {**history([0.5] * len(losses), [0.5] * len(losses)).to_dict(), "train_loss": losses}
    return plots.Panel(title, History.from_dict({**columns, "validation_loss": losses}), **settings)


def test_a_network_that_failed_has_its_own_axis_of_losses_and_flattens_no_other():
    lost = with_losses("lost", [2.0, 1e9, 1e18], failure_reason="diverged: the loss is 1e+18")
    good, better = with_losses("good", [2.0, 0.5, 0.1]), with_losses("better", [1.0, 0.4, 0.05])
    figure = plots.losses_figure([lost, good, better], (1, 3), "three")
    FigureCanvasAgg(figure).draw()
    (own, *common) = (ax.get_ylim() for ax in figure.axes)
    assert own[0] < 2
    assert own[1] > 1e18
    assert common[0] == common[1]
    assert common[0][0] < 0.05
    assert 2 < common[0][1] < 4
    # Each axis can be read: the second panel does not have the first one's.
    labelled = [bool([t for t in ax.get_yticklabels() if t.get_visible() and t.get_text()]) for ax in figure.axes]
    assert labelled == [True, True, False]


def test_a_loss_that_is_high_for_a_while_flattens_no_other_and_one_that_stays_high_is_seen():
    usual = [with_losses("good", [2.0, 0.5, 0.1])] * 3
    assert plots.loss_range([*usual, with_losses("spike", [1e7, 2.0, 0.3])])[1] < 30
    assert plots.loss_range([*usual, with_losses("high", [1e7, 9e6, 8e6])])[1] >= 8e6
    assert plots.loss_range([DEAD]) is None


@pytest.mark.parametrize("epochs", [1, 4, 50, 1000])
def test_epochs_are_counted_from_1(ax, epochs):
    plots.learning_curves(ax, plots.Panel("tanh", history([0.5] * epochs, [0.5] * epochs)))
    left, right = ax.get_xlim()
    ticks = [tick for tick in ax.get_xticks() if left <= tick <= right]
    assert ticks
    assert min(ticks) >= 1
    assert left < 1
    assert right > epochs


def test_a_single_finite_loss_before_nothing_but_nan_is_a_dot(ax):
    plots.loss_curves(ax, with_losses("lost", [1e18, float("nan")], failure_reason="diverged: the loss is nan"))
    assert lines(ax)["training"].get_marker() == "."
    bottom, top = ax.get_ylim()
    assert 0 < bottom < 1e18 < top


def test_r_squared_is_called_so_and_is_no_percentage():
    panel = plots.Panel("numbers", GOOD.history, measure="R²")
    figure = plots.curves_figure([panel], (1, 1), "heading")
    FigureCanvasAgg(figure).draw()
    (ax,) = figure.axes
    assert ax.get_ylabel() == "R², stretched near 1"
    assert ax.get_title() == "numbers\nbest 0.9000 (epoch 2), final 0.8800"
    points = [plots.Trial("tanh", 0.5, 0.7, 0.6)]
    rates = plots.learning_rate_comparison(Figure().subplots(), points, measure="R²")
    gap = plots.generalisation_gap(Figure().subplots(), points, measure="R²")
    curves = plots.all_curves(Figure().subplots(), [panel])
    for axis in (ax.yaxis, rates.yaxis, gap.xaxis, curves.yaxis):
        texts = [axis.get_major_formatter()(tick) for tick in axis.get_majorticklocs()]
        assert texts
        assert not any("%" in text for text in texts)
