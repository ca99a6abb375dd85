"""Networks of a sweep side by side, one point each."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fastmlp import plots


def lines(ax):
    """The drawn lines by their labels."""
    return {line.get_label(): line for line in ax.get_lines()}


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


LONG = [f"hidden 128-64-32-16-{a}-{b}, optimizer adamw (weight decay 0.01)" for a in (16, 8) for b in (16, 8, 4)]


def test_labels_of_a_gap_are_told_in_full_however_long():
    for labels in (LONG, [label[:20] + str(k) for k, label in enumerate(LONG)]):
        figure = Figure((5, 6))
        ax = figure.subplots()
        plots.generalisation_gap(ax, [plots.Trial(label, 0.1, 0.9, 0.8) for label in labels])
        FigureCanvasAgg(figure).draw()
        texts = [text for text in [*ax.texts, *ax.get_yticklabels()] if text.get_text()]
        shown = "".join(text.get_text() for text in sorted(texts, key=lambda text: -text.get_window_extent().y0))
        assert shown.replace(" ", "") == "".join(labels).replace(" ", "")
        boxes = [text.get_window_extent() for text in texts]
        assert not [(a, b) for k, a in enumerate(boxes) for b in boxes[:k] if a.overlaps(b)]
        assert max(box.x1 for box in boxes) <= figure.bbox.x1
        points = ax.transData.transform(lines(ax)["training"].get_xydata())
        assert not any(box.contains(*point) for box in boxes for point in points)


def test_groups_of_rates_are_named_in_full(ax):
    trials = [plots.Trial(label, rate, 0.9, 0.8, label) for label in LONG[:4] for rate in (0.1, 1)]
    plots.learning_rate_comparison(ax, trials)
    named = [label.replace("\n", " ") for label in lines(ax) if not label.startswith("_")]
    assert named == [*LONG[:4], "best"]


def test_labels_of_ticks_do_not_touch_each_other():
    for rates in ((0.1, 0.11, 0.12, 0.15, 0.2), (0.001, 0.00100001, 1.0), (0.5, 0.05, 0.005)):
        figure = Figure((3, 2), layout="constrained")
        left, right = figure.subplots(1, 2)
        plots.learning_rate_comparison(left, [trial(rate, 0.9 + rate / 100) for rate in rates])
        plots.generalisation_gap(right, [plots.Trial("one", 0.1, 0.999, 0.1)])
        FigureCanvasAgg(figure).draw()
        for axis in (left.xaxis, left.yaxis, right.xaxis):
            boxes = [label.get_window_extent() for label in axis.get_ticklabels() if label.get_text()]
            assert len(boxes) >= 2
            assert not [(a, b) for k, a in enumerate(boxes) for b in boxes[:k] if a.overlaps(b)]


def test_an_r_squared_below_the_axis_of_a_gap_is_drawn_over_no_label(ax):
    points = [plots.Trial("good", 0.1, 0.6, 0.4), plots.Trial("bad", 0.1, 0.2, -4.9), plots.Trial("worse", 0.1, -3, -5)]
    plots.generalisation_gap(ax, points, "R²")
    low, _ = ax.get_xlim()
    drawn = [lines(ax)[part].get_xdata() for part in ("training", "validation")]
    assert np.nanmin(np.concatenate(drawn)) >= low
    assert [np.isfinite(values).tolist() for values in drawn] == [[True, True, False], [True, False, False]]
    assert len(ax.collections[0].get_segments()) == 3
