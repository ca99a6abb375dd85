"""What is in the folder of a run."""

from fastmlp.errors import InputError
from fastmlp.report.info.facts import Info, counted
from fastmlp.report.tables import data_line, difference_lines, failure_lines, number_text
from fastmlp.runs.aggregate import group_cells
from fastmlp.runs.evaluation_record import EvaluationRecord
from fastmlp.runs.records import CellRecord, RunRecord
from fastmlp.runs.run_directory import Run
from fastmlp.runs.selection import describe_other_network, is_retrained
from fastmlp.utils.commands import command_text
from fastmlp.utils.records import to_plain


def describe_run(run: Run, record: RunRecord) -> Info:
    """Describe a run, finished or not.

    Parameters
    ----------
    run : Run
        The run directory.
    record : RunRecord
        Its record.
    """
    data, best, evaluations = record.data, record.best_cell, run.read_evaluations()
    retrained, state = _retrained(run, record)
    groups = group_cells(record.cells)
    facts = [
        ("recipe", record.recipe.title),
        ("data", f"{data.source}: {counted(data.rows, 'row')} of {counted(data.features, 'feature')}"),
        ("divided", f"{data.training_rows:,} for training, {data.validation_rows:,} for validation"),
        ("started", f"{record.started}, with fastmlp {record.environment.fastmlp}; trained {record.seconds:,.0f} s"),
        ("trained", _trained(record, len(groups))),
        ("best", _best(best) if best else ""),
        ("retrained", state),
        ("evaluated", "\n".join(_evaluation(record, one) for one in evaluations) or "not yet"),
        ("notes", "\n".join([*record.notes, *failure_lines(record), *difference_lines(record)])),
    ]  # fmt: skip
    values = {
        "kind": "run",
        "path": str(run.folder),
        "finished": record.finished,
        "started": record.started,
        "seconds": record.seconds,
        "recipe": to_plain(record.recipe),
        "data": to_plain(data),
        "environment": to_plain(record.environment),
        "configurations": len(groups),
        "failed": sum(cell.failure is not None for cell in record.cells),
        "best": None if best is None else to_plain(best),
        "retrained": retrained,
        "evaluations": [to_plain(one) for one in evaluations],
        "notes": list(record.notes),
    }
    return Info(f"{run.folder}: a run", facts, values)


def _trained(record: RunRecord, groups: int) -> str:
    if not record.finished:
        return "not to the end; the same `fastmlp sweep` resumes it"
    failed, pruned = (sum(map(bool, each)) for each in zip(*((c.failure, c.pruned) for c in record.cells), strict=True))
    parts = [counted(groups, "configuration")]
    parts += [f"{record.recipe.seeds} times each, {len(record.cells)} networks"] if record.recipe.seeds > 1 else []
    parts += [f"{failed} failed"] if failed else []
    parts += [f"{pruned} given up by the search"] if pruned else []
    return ", ".join(parts)


def _best(cell: CellRecord) -> str:
    measure = cell.config.loss_function.measure
    return f"{cell.label}, validation {measure} {number_text(cell.validation_accuracy)}"


def _retrained(run: Run, record: RunRecord) -> tuple[bool, str]:
    """Return whether the best network was trained again on all rows, and the same in words."""
    if record.best is None:
        return False, ""
    try:
        if is_retrained(run, record):
            return True, f"on all rows: {run.model(run.retrained)}"
    except InputError as error:  # another one was, before the sweep grew
        return False, str(error)
    return False, f"not yet: {command_text('retrain', run.folder)}"


def _evaluation(record: RunRecord, one: EvaluationRecord) -> str:
    other = describe_other_network(record, one)
    result = f"test {one.measure} {number_text(one.accuracy)}"
    text = f"{one.time}: {result} on {data_line(one.test)}, {counted(one.test.rows, 'row')}"
    return text if other is None else f"{text}, of {other}"
