"""Search by Optuna: what a trial tries depends on what the trials before it got, and hopeless ones end early.

T. Akiba, S. Sano, T. Yanase, T. Ohta and M. Koyama, "Optuna: a next-generation hyperparameter optimization framework",
KDD 2019. Its sampler is the tree-structured Parzen estimator of J. Bergstra, R. Bardenet, Y. Bengio and B. Kegl,
"Algorithms for hyper-parameter optimization", NIPS 2011.

The objective is the validation accuracy of the weights that a network ends with. A study is kept in a file beside the
run, or in a database: one that was killed is resumed.
"""

import contextlib
import hashlib
import json
import math
import os
import re
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fastmlp.errors import FastmlpError, InputError
from fastmlp.experiment.executors.base import CellCallbacks, Executor, SweepData, no_callbacks
from fastmlp.experiment.recipe import Recipe
from fastmlp.experiment.search_space import Choices, Range, Search
from fastmlp.mlp import MLP
from fastmlp.runs import naming as labels
from fastmlp.runs.cells import Cell, CellResult
from fastmlp.training.callbacks import Callback, TrainingView
from fastmlp.training.history import History
from fastmlp.utils.records import one_line

# No trial is pruned before so many others are finished (Optuna's own number), nor in this share of its epochs: the
# first ones say little, as rates that end best may begin slowly.
TRIALS_BEFORE_PRUNING, SHARE_BEFORE_PRUNING = 5, 0.2
LOWEST = -1e9  # reported for a trial whose accuracy is not finite: R² has no lowest value
# Marks, in the study, of a trial that repeats an earlier one, and of one that stopped with an error.
TWIN, FAILED = "twin", "failed"


class PruningCallback(Callback):
    """Reports the validation accuracies of a trial to Optuna, and ends its training if Optuna asks for it.

    Parameters
    ----------
    trial : optuna.Trial
        The trial.

    Attributes
    ----------
    pruned : int or None
        The epoch, from 1, after which the trial was pruned.
    """

    def __init__(self, trial: Any):
        self._trial = trial
        self.pruned: int | None = None

    def on_epoch_end(self, view: TrainingView) -> bool:
        if (record := view.record) is None:
            return False
        accuracy = record["validation_accuracy"]
        if not math.isfinite(record["train_loss"]) or not math.isfinite(accuracy):
            return False  # the training ends by itself, as diverged
        self._trial.report(accuracy, record["epoch"])
        if self._trial.should_prune():
            self.pruned = record["epoch"]
        return self.pruned is not None

    def result(self, one: CellResult) -> CellResult:
        """Return the result of the trial; a pruned one has the history, and no weights.

        Parameters
        ----------
        one : CellResult
            What the executor returned.
        """
        if self.pruned is None or one.failed:
            return one
        mlp = MLP(**one.cell.settings)
        mlp.history = History()
        for record in one.mlp.history:
            mlp.history.append(record)
        return CellResult(one.cell, mlp, self.pruned)


def load_optuna() -> Any:
    """Return the package `optuna`; InputError if it is not installed."""
    try:
        import optuna
    except ImportError:
        raise InputError("method is 'optuna', which needs optuna; install it (pip install optuna)") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # it would log every trial, and so do we
    return optuna


def study_name(recipe: Recipe, folder: Path, data_digest: str) -> str:
    """Return the name of a run's study: that of its folder, and a digest of all that its results depend on.

    Parameters
    ----------
    recipe : Recipe
        With a search.
    folder : Path
        The folder of the run.
    data_digest : str
        SHA-256 of the data.
    """
    distributions = {name: values.to_dict() for name, values in _search_of(recipe).distributions.items()}
    parts = json.dumps([recipe.settings, distributions, recipe.data, data_digest], sort_keys=True)
    return f"{folder.absolute().name}-{hashlib.sha256(parts.encode()).hexdigest()[:12]}"


class OptunaSearch:
    """The search of a recipe, begun or resumed. A database stays open until it is closed.

    Parameters
    ----------
    recipe : Recipe
        With a search.
    storage : Path or str
        A file for Optuna's journal, or the URL of a database.
    name : str
        Name of the study; one that is there is resumed.
    finished : callable
        Returns the result of a cell of an earlier trial, or None where it is gone; the trial is then made once more,
        and known to the sampler alone.

    Attributes
    ----------
    earlier : list of CellResult
        Results that were there already, in the order of their trials.
    remaining : int
        Number of trials still to be made.

    Raises
    ------
    InputError
        If optuna is not installed or the storage cannot be used.
    """

    def __init__(
        self,
        recipe: Recipe,
        storage: Path | str,
        name: str,
        finished: Callable[[Cell], CellResult | None] = lambda cell: None,
    ):
        self._optuna = load_optuna()
        self.recipe, self.search = recipe, _search_of(recipe)
        self._distributions = {
            name: _distribution(self._optuna, values) for name, values in self.search.distributions.items()
        }
        self._reported: dict[str, Any] = {}  # trials of the study, by the slug of their cell
        self._cells: dict[str, Cell] = {}  # by their settings
        self.earlier: list[CellResult] = []
        self._storage: Any = None
        try:
            with _reported(storage):
                self._study = self._open(storage, name)
            with _reported(storage, OSError):  # those of `finished` are of a disk, not of the study
                self._requeue()
                self.remaining = max(0, self.search.trials - self._read_earlier(finished))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection to the database; a file is never kept open."""
        if hasattr(self._storage, "engine"):
            self._storage.remove_session()
            self._storage.engine.dispose()  # which Optuna leaves to the garbage collector

    def _open(self, storage: Path | str, name: str) -> Any:
        """Return the study of this name."""
        optuna = self._optuna
        of_url = optuna.storages.RDBStorage
        self._storage = _journal(storage) if isinstance(storage, Path) else of_url(storage)
        return optuna.create_study(
            storage=self._storage, study_name=name, load_if_exists=True, direction="maximize", pruner=self._pruner()
        )

    def _pruner(self) -> Any:
        if self.search.pruner == "none":
            return self._optuna.pruners.NopPruner()
        least = min(config.epochs for config in self.recipe.configs())
        return self._optuna.pruners.MedianPruner(TRIALS_BEFORE_PRUNING, 1 + math.ceil(SHARE_BEFORE_PRUNING * least))

    # --------------------------------------------------------------------------------------------- what was before

    def _trials(self, *states: str) -> list[Any]:
        """Return the study's trials in these states, in their order."""
        known = self._optuna.trial.TrialState
        trials: list[Any] = self._study.get_trials(deepcopy=False, states=[known[state] for state in states])
        return trials

    def _requeue(self) -> None:
        """Mark trials that a run left unfinished as failed, and repeat them first; then those that raised an error."""
        interrupted = self._trials("RUNNING")
        made = [trial.params for trial in self._trials("COMPLETE", "PRUNED")]
        failed = [trial.params for trial in self._failed() if trial.params not in made]
        for params in (*(trial.params for trial in interrupted), *failed):
            if params not in [waiting.system_attrs.get("fixed_params") for waiting in self._trials("WAITING")]:
                self._study.enqueue_trial(params)
        for trial in interrupted:
            self._study.tell(trial.number, state=self._optuna.trial.TrialState.FAIL)

    def _failed(self) -> list[Any]:
        """Return the study's trials that stopped with an error."""
        return [trial for trial in self._trials("FAIL") if trial.user_attrs.get(FAILED)]

    def _read_earlier(self, finished: Callable[[Cell], CellResult | None]) -> int:
        """Fill `earlier`; return how many trials count as made."""
        made = 0
        for trial in self._trials("COMPLETE", "PRUNED"):
            if not trial.user_attrs.get(TWIN):
                varied = self._varied(trial.params)
                cell = self._cell(varied)
                if (one := finished(cell)) is None:
                    del self._cells[_key(varied)]
                    continue
                self._reported[cell.slug] = trial
                pruned = trial.last_step if trial.state.name == "PRUNED" else None
                self.earlier.append(CellResult(cell, one.mlp, pruned))
            made += 1
        return made

    # --------------------------------------------------------------------------------------------------- new trials

    def train(
        self, executor: Executor, data: SweepData, callbacks: CellCallbacks = no_callbacks
    ) -> Generator[CellResult, None, None]:
        """Make the remaining trials and yield each result as it ends. One that repeats an earlier one is not trained.

        The study is given a result when the generator is asked for the next one: by then it can have been written.

        Parameters
        ----------
        executor : Executor
            An adaptive one. With one thread, the same seed makes the same trials.
        data : SweepData
            What to train on, with validation data.
        callbacks : callable
            Gives the callbacks of a trial by its position among those that are trained, and its cell.
        """
        trials: list[Any] = []
        pruners: dict[int, PruningCallback] = {}
        twins: list[tuple[str, Any]] = []

        def draw() -> Iterator[Cell]:
            for _ in range(self.remaining):
                trial, cell, new = self._ask()
                if new:
                    trials.append(trial)
                    yield cell
                else:
                    twins.append((cell.slug, trial))

        def watched(position: int, cell: Cell) -> list[Any]:
            pruners[position] = PruningCallback(trials[position])
            return [*callbacks(position, cell), pruners[position]]

        with contextlib.closing(executor.train(draw(), data, count=self.remaining, callbacks=watched)) as training:
            for position, one in training:
                one = pruners[position].result(one)
                yield one
                self._tell(trials[position], one)
                twins[:] = self._tell_twins(twins)
        self._tell_twins(twins)

    def _ask(self) -> tuple[Any, Cell, bool]:
        """Return the next trial, its cell, and whether its settings are new."""
        # A separate sampler for every trial: a resumed study draws what it would have drawn without the interruption.
        made = len(self._trials("RUNNING", "COMPLETE", "PRUNED")) + len(self._failed())
        seed = int(np.random.SeedSequence([self.recipe.seed, made]).generate_state(1)[0])
        self._study.sampler = self._optuna.samplers.TPESampler(seed=seed)
        trial = self._study.ask(self._distributions)
        varied = self._varied(trial.params)
        new = _key(varied) not in self._cells
        if not new:
            trial.set_user_attr(TWIN, True)
        return trial, self._cell(varied), new

    def _tell(self, trial: Any, one: CellResult) -> None:
        """Report a result to the study."""
        if one.failed:
            trial.set_user_attr(FAILED, True)
            result = self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
        elif one.pruned is None:
            result = self._study.tell(trial, _accuracy(one.mlp))
        else:
            result = self._study.tell(trial, state=self._optuna.trial.TrialState.PRUNED)
        self._reported[one.cell.slug] = result

    def _tell_twins(self, twins: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
        """Report to trials that repeat a finished one its result; return those whose first is still being trained."""
        left = []
        for slug, trial in twins:
            first = self._reported.get(slug)
            if first is None:
                left.append((slug, trial))
                continue
            for step, value in first.intermediate_values.items():
                trial.report(value, step)
            if first.state.name == "FAIL":
                trial.set_user_attr(FAILED, True)
            pruned = first.state.name == "PRUNED"
            self._study.tell(trial, None if pruned else first.value, state=first.state)
        return left

    def _varied(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return the settings that a trial's parameters stand for, in the order of the recipe."""
        return {name: _value(values, params[name]) for name, values in self.search.distributions.items()}

    def _cell(self, varied: dict[str, Any]) -> Cell:
        """Return the cell of these settings, with its own folder."""
        key = _key(varied)
        if key not in self._cells:
            slug = labels.distinct([*(cell.slug for cell in self._cells.values()), labels.slug(varied)])[-1]
            label = labels.label(varied)
            self._cells[key] = Cell(slug, label, {**self.recipe.settings, **varied}, slug, label)
        return self._cells[key]


def _search_of(recipe: Recipe) -> Search:
    if recipe.search is None:
        raise InputError("the recipe has no [search]; give it the settings that are to be searched")
    return recipe.search


@contextlib.contextmanager
def _reported(storage: Path | str, *others: type[Exception]) -> Iterator[None]:
    """Turn whatever a database's driver raises, or a study that is damaged, into an InputError, but for some others."""
    try:
        yield
    except Exception as error:
        if isinstance(error, (FastmlpError, *others)):
            raise
        reason = one_line(error)
        if isinstance(storage, Path):
            raise InputError(f"{storage} cannot be read ({reason}); delete it: its trials are made again") from error
        shown = re.sub(r"//[^/@]*@", "//", storage)  # without a password
        raise InputError(
            f"storage {shown} cannot be used ({reason}); expected one such as sqlite:///studies.db, or leave it out"
        ) from error


def _journal(path: Path) -> Any:
    """Return a storage in a file that one process at a time writes to.

    What a killed process left is removed: its lock, which Optuna would wait for, and a line it did not finish.
    """
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    path.with_name(f"{path.name}.lock").unlink(missing_ok=True)
    with contextlib.suppress(FileNotFoundError):
        lines, end, unfinished = path.read_bytes().rpartition(b"\n")
        if unfinished:
            os.truncate(path, len(lines) + len(end))
    # The lock by a symbolic link, which also holds on network file systems, needs special rights on Windows.
    lock = JournalFileOpenLock(str(path)) if os.name == "nt" else None
    return JournalStorage(JournalFileBackend(str(path), lock))


def _distribution(optuna: Any, values: Range | Choices) -> Any:
    """Return Optuna's distribution of a setting."""
    if isinstance(values, Choices):
        return optuna.distributions.CategoricalDistribution([_text(value) for value in values.values])
    kind = optuna.distributions.IntDistribution if values.whole else optuna.distributions.FloatDistribution
    return kind(values.low, values.high, log=values.log)


def _text(value: Any) -> Any:
    """Return a choice as Optuna can keep it: a table or a list as its JSON."""
    return json.dumps(value) if isinstance(value, list | dict) else value


def _value(values: Range | Choices, kept: Any) -> Any:
    """Return the value of a setting that Optuna keeps as `kept`."""
    if isinstance(values, Range):
        return values.rounded(kept)
    return next(value for value in values.values if _text(value) == kept)


def _key(varied: dict[str, Any]) -> str:
    return json.dumps(varied, sort_keys=True)


def _accuracy(mlp: MLP) -> float:
    """Return the validation accuracy of the weights that a network has."""
    kept = mlp.kept_epoch
    accuracy = mlp.history["validation_accuracy"][kept - 1]
    return accuracy if math.isfinite(accuracy) else LOWEST
