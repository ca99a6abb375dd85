"""The figures of a run: a panel for each configuration, its other seeds drawn faintly."""

from collections.abc import Sequence

from fastmlp import plots
from fastmlp.experiment.recipe import Recipe
from fastmlp.mlp import MLP
from fastmlp.report.text_summary import heading
from fastmlp.runs.aggregate import Group, groups, ranked
from fastmlp.runs.run_directory import Run
from fastmlp.runs.run_record import kept_epoch

MOST_PANELS = 30  # six rows of five: a page that can still be read


def panel(title: str, mlp: MLP, pruned: int | None = None, others: Sequence[MLP] = ()) -> plots.Panel:
    """What a figure shows of a trained network; `others` are the same one from other seeds."""
    failure = f"pruned after epoch {pruned}" if pruned else mlp.failure_reason
    kept = kept_epoch(mlp.history.to_dict(), mlp.early_stopping)
    return plots.Panel(title, mlp.history, mlp.decay_epochs, failure, kept, [other.history for other in others])


def draw(run: Run, recipe: Recipe, record: dict, networks: Sequence[MLP]) -> None:
    """Write curves.png and losses.png; `networks` are those of the record's cells, in their order."""
    trained = dict(zip((cell["slug"] for cell in record["cells"]), networks, strict=True))
    shown = _shown(record["cells"])
    panels = [_panel_of(group, trained) for group in shown]
    title, count = heading(record), len(groups(record["cells"]))
    if len(shown) < count:
        title += f" (the best {len(shown)} of {count} configurations)"
    shape = recipe.shape(len(panels))
    plots.save(plots.curves_figure(panels, shape, title), run.curves)
    plots.save(plots.losses_figure(panels, shape, title), run.losses)


def _panel_of(group: Group, trained: dict[str, MLP]) -> plots.Panel:
    """The panel of a configuration: its first seed that went well, before all others."""
    first = (group.sound or group.cells)[0]
    others = [trained[cell["slug"]] for cell in group.cells if cell is not first]
    return panel(group.label, trained[first["slug"]], first.get("pruned"), others)


def _shown(cells: list[dict]) -> list[Group]:
    """The configurations that there is room for, in their order: of too many the best ones."""
    found = groups(cells)
    if len(found) <= MOST_PANELS:
        return found
    best = {group.slug for group in ranked(cells)[:MOST_PANELS]}
    return [group for group in found if group.slug in best] or found[:MOST_PANELS]
