"""What a notebook shows of a network or a run: its results and its curves, without a script."""

import hashlib
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from fastmlp.plots.charts import Chart, accuracy_chart, loss_chart, number, score
from fastmlp.plots.curves import Panel
from fastmlp.training.network import Network
from fastmlp.utils.options import value_text

_DIVISIBLE = re.compile(r"\S*[\de]-\d\S*")
_COMMAND = re.compile("`([^`]+)`")


@dataclass(frozen=True)
class Tile:
    """A result.

    Attributes
    ----------
    name : str
        What it is.
    value : str
        The result.
    note : str
        A line in small print.
    is_number : bool
        Whether the value is to be drawn large.
    is_final : bool
        Whether it is the result that all others led to.
    """

    name: str
    value: str
    note: str = ""
    is_number: bool = True
    is_final: bool = False


def card(
    title: str,
    lead: str,
    tiles: Sequence[Tile] = (),
    remarks: Sequence[str] = (),
    charts: Sequence[Chart] = (),
    table: Sequence[Sequence[str]] = (),
    summary: str = "",
) -> str:
    """Return a self-contained HTML fragment in the colours of the page around it.

    Parameters
    ----------
    title, lead : str
        A heading and a sentence.
    tiles : sequence of Tile
        The results.
    remarks : sequence of str
        Sentences.
    charts : sequence of Chart
        Side by side where there is room.
    table : sequence of sequences of str
        Rows of a table that is shown on demand.
    summary : str
        What is clicked on to see the table.
    """
    return _template().render(
        style=Markup(_resource("card.css")),  # noqa: S704  a file of this package
        title=title, lead=lead, tiles=tiles, remarks=remarks, charts=charts,
        table=table, summary=summary,
    )  # fmt: skip


def unbroken(text: str) -> Markup:
    """Return a text in which neither 128-64 nor 1e-05 is divided where a line ends, and `commands` are such.

    Parameters
    ----------
    text : str
        Any text, which is escaped.
    """
    marked = _DIVISIBLE.sub(r'<span class="word">\g<0></span>', str(escape(text)))
    return Markup(_COMMAND.sub(r"<code>\1</code>", marked))  # noqa: S704  escaped above


def curves(panel: Panel) -> list[Chart]:
    """Return the accuracies and the losses of a network against epochs; none before the first epoch.

    Parameters
    ----------
    panel : Panel
        The network.
    """
    if not len(panel.history):
        return []
    # Two cards in a notebook are parts of one page: identifiers are shared by equal images alone.
    name = "fastmlp-" + hashlib.sha256((panel.title + panel.history.to_csv()).encode()).hexdigest()[:12]
    return [accuracy_chart(panel, [panel], f"{name}-accuracy"), loss_chart(panel, [panel], f"{name}-loss")]


def network_card(mlp: Network) -> str:
    """Return the card of a network, trained or not.

    Parameters
    ----------
    mlp : Network
        The network.
    """
    config = mlp.config
    known = mlp.encoder is not None
    layers = [mlp.weights[0].shape[0], *(bias.size for bias in mlp.biases)] if known else config.hidden
    activations = ", ".join(dict.fromkeys(config.layer_activations))
    title = f"{type(mlp).__name__} {'-'.join(map(str, layers))}{f', {activations}' if activations else ''}"
    lead = f"{config.loss_function.label}, {config.optimizer_config.label}"
    failure = mlp.failure_reason
    remarks = [str(failure)] if failure else []
    # A diagnosis of the failure says the same of the epoch in which it was seen.
    same = f"{failure.kind}:" if failure else "\0"
    remarks += [one["sentence"] for one in mlp.history.diagnoses if not one["sentence"].startswith(same)]
    return card(
        title,
        lead if known else f"not trained yet: {lead}",
        _results(mlp),
        remarks,
        curves(Panel.of(mlp)),
        [(name, value_text(value)) for name, value in config.changed().items()],
        "settings that are not the defaults",
    )


def _results(mlp: Network) -> list[Tile]:
    """The results of the weights that the network has."""
    epochs, kept, measure = len(mlp.history), mlp.kept_epoch, mlp.config.loss_function.measure
    if not epochs:
        return []
    record = list(mlp.history)[kept - 1]
    as_text = score(measure)

    def figures(what: str, name: str, text: Callable[[float], str]) -> Tile:
        training, validation = text(record[f"train_{what}"]), record[f"validation_{what}"]
        if math.isnan(validation):
            return Tile(f"training {name}", training, "no validation set")
        return Tile(f"validation {name}", text(validation), f"training {training}")

    seconds = sum(mlp.history["seconds"])
    return [
        figures("accuracy", measure, as_text),
        figures("loss", "loss", number),
        Tile("epochs", str(epochs), f"weights of epoch {kept}" if kept < epochs else ""),
        Tile("training time", f"{seconds:.3g} s", f"{1000 * seconds / epochs:.3g} ms per epoch"),
    ]


@cache
def _template() -> Template:
    environment = Environment(
        loader=FunctionLoader(_resource), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["unbroken"] = unbroken
    return environment.get_template("card.html.jinja")


@cache
def _resource(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
