"""A run as a library and a notebook read it: shown as the head of its report, and the curves of the best."""

import os

from fastmlp.plots.card import card, curves
from fastmlp.plots.charts import score
from fastmlp.report import findings
from fastmlp.report.run_view import RunView
from fastmlp.report.tables import heading


class _ShownRun(RunView):
    """A run that a notebook shows."""

    def __repr__(self) -> str:
        return f"{heading(self.record)}\n{findings.lead(self)}"

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        best = self.best_configuration
        return card(
            heading(self.record),
            findings.lead(self),
            findings.tiles(self),
            [remark.text for remark in findings.remarks(self)],
            curves(best.panel()) if best is not None and best.cell.history else [],
            _table(self),
            f"all {len(self.configurations)} configurations",
        )


def read_run(folder: str | os.PathLike[str]) -> RunView:
    """Read a run: its record, histories, evaluations and network; a notebook shows the head of the report.

    Parameters
    ----------
    folder : str or path-like
        The run directory.

    Raises
    ------
    InputError
        When the folder holds no finished sweep, or one of its JSON files is damaged.
    """
    return _ShownRun.read(folder)


def _table(view: RunView) -> list[tuple[str, ...]]:
    """The accuracies of all configurations under a heading."""
    text = score(view.measure)
    rows = []
    for one in view.ranked:
        accuracies = (text(one.figure(name)) for name in ("validation_accuracy", "train_accuracy"))
        note = ", ".join(filter(None, ("best" if one is view.best_configuration else "", one.note)))
        rows.append((one.label, *accuracies, note))
    return [("configuration", f"validation {view.measure}", f"training {view.measure}", ""), *rows]
