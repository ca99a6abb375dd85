"""The page of a report: a run, arranged for its template."""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup
from numpy.typing import NDArray

from fastmlp.errors import InputError
from fastmlp.plots import charts
from fastmlp.plots.card import unbroken
from fastmlp.plots.images import UNITS_SHOWN
from fastmlp.report import findings, settings_text
from fastmlp.report.advice import advice, common_hints
from fastmlp.report.panel import panel as drawing_panel
from fastmlp.report.run_view import Configuration, RunView
from fastmlp.report.tables import data_line, quantity_text
from fastmlp.runs.published_results import figures
from fastmlp.training.advice import listed, split_advice
from fastmlp.training.history import when_measured
from fastmlp.utils.options import value_text
from fastmlp.utils.records import to_plain

# Of more configurations, the best ones get their own curves, and all are drawn in one figure.
MOST_PANELS, MOST_GAPS = 12, 12
# Of more classes there is no matrix: the most frequent mistakes say more.
MOST_CLASSES = 40
MOST_CONFUSIONS = 15
# Photographs: no drawing looks like them.
NOT_DRAWN = ("fashion-mnist",)
POLICY = "%policy%"


@dataclass(frozen=True)
class Block:
    """A configuration and its curves.

    Attributes
    ----------
    configuration : Configuration
        Its cells.
    drawn : list of Chart
        Its accuracies and its losses.
    """

    configuration: Configuration
    drawn: list[charts.Chart]


def render(view: RunView) -> str:
    """Return the page.

    Parameters
    ----------
    view : RunView
        The run.
    """
    environment = Environment(
        loader=FunctionLoader(_resource), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {
        "percent": charts.percent, "score": charts.score(view.measure), "number": charts.number,
        "quantity": quantity_text, "test_score": charts.score(view.test_measure),
        "difference": charts.difference(view.measure), "clock": findings.clock, "listed": listed,
        "seen": lambda sentence: split_advice(sentence)[0], "unbroken": unbroken, "label": _label,
    }  # fmt: skip
    environment.globals["nan"] = float("nan")
    page = environment.get_template("template.html.jinja").render(
        policy=POLICY,
        style=Markup(_resource("report.css")),  # noqa: S704  a file of this package
        script=Markup(_resource("report.js")),  # noqa: S704  likewise
        view=view,
        record=view.record,
        data=data_line(view.record.data),
        measure=view.measure,
        measured=when_measured(cell.record.settings["train_metrics"] for cell in view.cells),
        lead=findings.lead(view),
        tiles=findings.tiles(view),
        remarks=findings.remarks(view),
        references=_references(view),
        evaluation=_evaluation(view),
        weights=_weights(view),
        panel=Markup(_panel(view)),  # noqa: S704  of a template that escapes
        settings=_settings(view),
        settings_summary=_summary_of_settings(view),
        versions=_versions(view),
        **_curves(view),
    )
    return page.replace(POLICY, _policy(page), 1)


def _label(text: str) -> Markup:
    """Return a label broken into lines after its commas, if its parts are short enough."""
    return Markup(" ").join(Markup('<span class="word">{}</span>').format(part) for part in re.split("(?<=,) ", text))


@cache
def _resource(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _policy(page: str) -> str:
    """A Content-Security-Policy that allows the page its own style and scripts, images in it, and nothing else."""

    def allowed(tag: str) -> str:
        blocks = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digests = (base64.b64encode(hashlib.sha256(block.encode()).digest()).decode() for block in blocks)
        return " ".join(f"'sha256-{digest}'" for digest in digests)

    return (
        f"default-src 'none'; style-src {allowed('style')}; script-src {allowed('script')}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


# ------------------------------------------------------------------------------------------------------------ sweep


def _curves(view: RunView) -> dict[str, Any]:
    """Return the configurations as they are listed and drawn: with their own curves, and in charts that compare."""
    measure, known = view.measure, view.configurations
    ranked = view.ranked
    drawn = [one for one in known if one.cell.history]
    # What was given up half way is compared with nothing.
    compared = [one for one in known if one.sound or one.failure]
    search = view.record.recipe.search
    gaps = [one.trial() for one in ranked if one.sound and np.isfinite(one.figure("train_accuracy"))]
    rates = {one.trial().learning_rate for one in compared if np.isfinite(one.figure("validation_accuracy"))}
    shown = drawn if len(known) <= MOST_PANELS else [one for one in ranked if one.cell.history][:MOST_PANELS]
    many = len(drawn) > len(shown)
    best = next((number for number, one in enumerate(drawn) if one is view.best_configuration), None)
    advised = advice(view.record.cells)
    return {
        "listed": ranked if search else known,
        "blocks": _blocks(shown),
        "everything": charts.all_curves_chart([one.panel() for one in drawn], best) if many else None,
        # In the order of the grid, so that the groups are.
        "rates": charts.rates_chart([one.trial() for one in compared], measure, not search) if len(rates) > 1 else None,
        "gap": charts.gap_chart(gaps[:MOST_GAPS], measure) if gaps else None,
        "gaps_left_out": max(len(gaps) - MOST_GAPS, 0),
        "advised": advised,
        "common_hints": common_hints(advised),
    }


def _blocks(configurations: Sequence[Configuration]) -> list[Block]:
    panels = [one.panel() for one in configurations]
    return [
        Block(
            one,
            [
                charts.accuracy_chart(panel, panels, f"accuracy{place}"),
                charts.loss_chart(panel, panels, f"loss{place}"),
            ],
        )
        for place, (one, panel) in enumerate(zip(configurations, panels, strict=True))
    ]


def _references(view: RunView) -> dict[str, float]:
    """Return the published validation accuracy by the slug of its configuration; of several sources the first."""
    tables = view.record.recipe.reference
    found = {one.slug: figures(tables, one.slug, "validation_accuracy") for one in view.configurations}
    return {slug: values[0][0] for slug, values in found.items() if values}


# ------------------------------------------------------------------------------------------------------------- test


def _evaluation(view: RunView) -> dict[str, Any] | None:
    """Return the results of the last evaluation; None when there was none."""
    if not view.evaluations:
        return None
    last = view.evaluations[-1]
    if last.rmse is not None:
        return {"last": last, **_predictions(view)}
    matrix, names = np.array(last.confusion), last.class_names
    mistakes, few = view.mistakes, len(names) <= MOST_CLASSES
    classes = findings.class_figures(matrix)
    if not few:
        classes = sorted((c for c in classes if c[1]), key=lambda c: c[2])[:MOST_CONFUSIONS]
    images = "images" in mistakes
    return {
        "last": last,
        "names": names,
        "confusion": charts.confusion_chart(matrix, names) if few else None,
        "confusions": findings.confusions(matrix, MOST_CONFUSIONS),
        "classes": classes,
        "few": few,
        "mistakes": charts.mistakes_chart(mistakes, names) if images else None,
        "mistake_rows": [] if images or not mistakes else _rows(mistakes),
    }


def _predictions(view: RunView) -> dict[str, Any]:
    """Return the predictions of a regression: a chart, and the largest errors."""
    if not view.predictions:
        return {"predictions": None, "errors": []}
    true, predicted = view.predictions["true"], view.predictions["predicted"]
    largest = np.argsort(-np.abs(predicted - true), kind="stable")[:MOST_CONFUSIONS]
    errors = [(int(row), float(true[row]), float(predicted[row]), float(predicted[row] - true[row])) for row in largest]
    return {"predictions": charts.predictions_chart(true, predicted), "errors": errors}


def _rows(mistakes: dict[str, NDArray[Any]]) -> list[tuple[Any, ...]]:
    columns = (mistakes[name].tolist() for name in ("rows", "true", "given", "certainty"))
    return list(zip(*columns, strict=True))


def _weights(view: RunView) -> tuple[str, charts.Chart] | None:
    """Return (which units, the first layer as images); None where inputs are no images, or there is no network."""
    weights, shape = view.first_weights(), view.record.data.image_shape
    if weights is None or shape is None or shape[0] * shape[1] != len(weights):
        return None
    units = weights.shape[1]
    shown = "each unit" if units <= UNITS_SHOWN else f"{UNITS_SHOWN} of the {units:,} units"
    return shown, charts.first_layer_chart(weights, shape)


def _panel(view: RunView) -> str:
    """Return where the reader draws an image that the retrained network classifies; "" where it cannot."""
    data = view.record.data
    if view.network is None or data.image_style is None or data.name in NOT_DRAWN:
        return ""
    style = data.image_style
    shades = (style.high, style.low) if style.background == "light" else (style.low, style.high)
    try:
        return drawing_panel(view.network, data.image_shape, data.names_of_classes, style.fill, shades)
    except InputError:  # the files of the run do not belong together, as the other sections show
        return ""


# --------------------------------------------------------------------------------------------------------- settings


def _settings(view: RunView) -> list[tuple[str, str, str]]:
    """Return (name, value of the best configuration, all values tried where they differ) of each setting."""
    shown = view.best or (view.cells[0] if view.cells else None)
    if shown is None:
        return []
    lines = []
    for name, value in shown.record.settings.items():
        tried = settings_text.several(_text(cell.record.settings[name]) for cell in view.cells)
        lines.append((name, _text(value), "; ".join(tried) if tried != [_text(value)] else ""))
    return lines


def _versions(view: RunView) -> list[tuple[str, str]]:
    """(package, version) of what was installed."""
    known = to_plain(view.record.environment).items()
    return [(name, version) for name, version in known if version and name not in ("platform", "machine", "cores")]


def _text(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(value_text, value))}]" if value else "none"
    return charts.NOTHING if value is None else value_text(value)


def _summary_of_settings(view: RunView) -> list[tuple[str, str]]:
    """Return the settings of the best configuration: (name, text)."""
    shown = view.best or (view.cells[0] if view.cells else None)
    if shown is None:
        return []
    data, config, recipe = view.record.data, shown.record.config, view.record.recipe
    seeds = sorted({cell.record.seed for cell in view.cells}) if view.is_repeated else []
    return [
        ("Layers", settings_text.layers(config, data.features, data.outputs)),
        ("Loss", settings_text.loss(config)),
        ("Optimiser", settings_text.optimiser(config)),
        ("Batch size", settings_text.batch(config, data.training_rows)),
        ("Learning rate", f"{settings_text.initial_rate(config)}; {settings_text.schedule(config)}"),
        ("Initialisation", settings_text.initialisation(config)),
        ("Regulariser", settings_text.regulariser(config)),
        *([("Search", settings_text.search(recipe.search))] if recipe.search else []),
        *([("Seeds", ", ".join(map(str, seeds)))] if seeds else []),
    ]
