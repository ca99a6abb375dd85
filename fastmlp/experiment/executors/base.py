"""Executors: what trains the cells of a sweep, and the data that it trains them on."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fastmlp.config.loss_base import Loss
from fastmlp.config.network import NetworkConfig
from fastmlp.data import Dataset
from fastmlp.mlp import MLP
from fastmlp.runs.cells import Cell, CellResult
from fastmlp.training.callbacks import Callback, StopTraining, TrainingView
from fastmlp.training.checkpoints import CheckpointStore
from fastmlp.training.preparation import (
    PreparedData,
    PreparedInputs,
    preparation_key,
    prepare,
    prepare_inputs,
)
from fastmlp.training.start import training_bytes
from fastmlp.utils.free_memory import reserved_memory
from fastmlp.utils.labels import class_numbers

# The callbacks of the cell at a position of the sweep, and where its training is kept.
CellCallbacks = Callable[[int, Cell], Sequence[Callback]]
CellCheckpoints = Callable[[Cell], CheckpointStore]


def no_callbacks(position: int, cell: Cell) -> Sequence[Callback]:
    """Return no callbacks.

    Parameters
    ----------
    position : int
        Position of a cell.
    cell : Cell
        The cell.
    """
    return ()


class SweepData:
    """The data of a sweep, prepared once for all cells that read them alike.

    Parameters
    ----------
    training : Dataset
        Samples to train on.
    validation : Dataset, optional
        Samples to measure after every epoch.
    options : mapping, optional
        Arguments of `fastmlp.data.load_split` that gave the two, the first one called `name`. A worker on another
        machine reads them again by these.
    """

    def __init__(self, training: Dataset, validation: Dataset | None = None, options: Mapping[str, Any] | None = None):
        self.training, self.validation, self.options = training, validation, dict(options or {})
        self._lock = threading.Lock()
        self._prepared: dict[tuple[object, ...], PreparedData] = {}
        self._inputs: dict[tuple[str, ...], list[PreparedInputs]] = {}

    @property
    def parts(self) -> list[Dataset]:
        """The training data, and the validation data if there are any."""
        return [self.training] if self.validation is None else [self.training, self.validation]

    def prepared(self, config: NetworkConfig) -> PreparedData:
        """Return the data as networks with these settings read them. One thread prepares them, others wait.

        Parameters
        ----------
        config : NetworkConfig
            The settings.
        """
        key = preparation_key(config)
        with self._lock:
            if key not in self._prepared:
                self._prepared[key] = self._prepare(config)
            return self._prepared[key]

    def _prepare(self, config: NetworkConfig) -> PreparedData:
        # Cells that differ in their losses alone share the inputs.
        form = (config.engine, config.dtype, config.form, config.scaling, config.missing)
        if form not in self._inputs:
            inputs = prepare_inputs(config, self.training.X)
            others = (prepare_inputs(config, part.X, inputs.encoder) for part in self.parts[1:])
            self._inputs[form] = [inputs, *others]
        answers = [targets(config.loss_function, part) for part in self.parts]
        (X, y), *held_out = zip(self._inputs[form], answers, strict=True)
        return prepare(config, X, y, held_out[0] if held_out else None, self.training.classes)


class StopWhen(Callback):
    """Ends a training within about 0.1 s once a condition holds.

    Parameters
    ----------
    condition : callable
        Asked without arguments.

    Attributes
    ----------
    stopped : bool
        Whether the training was ended.
    """

    def __init__(self, condition: Callable[[], bool]):
        self._condition, self.stopped = condition, False

    def on_chunk_end(self, view: TrainingView) -> None:
        if self.on_epoch_end(view):
            raise StopTraining

    def on_epoch_end(self, view: TrainingView) -> bool:
        self.stopped = self.stopped or self._condition()
        return self.stopped


def fit_network(
    settings: Mapping[str, Any],
    data: SweepData,
    threads: int | None = None,
    callbacks: Sequence[Callback] = (),
    checkpoint: CheckpointStore | None = None,
) -> MLP:
    """Train a network, which has an output for every class of the data, also for those that the training part lacks.

    It begins once the memory has room for it in addition to the other networks that this function trains at the time.

    Parameters
    ----------
    settings : mapping
        Arguments of `MLP`.
    data : SweepData
        What to train on.
    threads : int, optional
        Cores to use; None: all this process may use. It changes no result.
    callbacks : sequence of Callback
        Called while it trains.
    checkpoint : CheckpointStore, optional
        Where the training is kept; it resumes from there. Of an optimizer that cannot resume nothing is kept, and only
        `checkpoint.stop` counts.

    Returns
    -------
    MLP
        The network; one that a callback stopped has the weights of its last epoch.
    """
    mlp = MLP(**{**settings, "threads": threads})
    if checkpoint is not None and not mlp.config.optimizer_config.can_resume:
        callbacks, checkpoint = [*callbacks, StopWhen(checkpoint.stop.is_set)], None
    prepared = data.prepared(mlp.config)
    with reserved_memory(training_bytes(mlp.config, prepared)):
        return mlp.fit(prepared, callbacks=callbacks, checkpoint=checkpoint)


def targets(loss: Loss, dataset: Dataset) -> NDArray[Any]:
    """Return what a network is trained to answer.

    Parameters
    ----------
    loss : Loss
        What it minimises.
    dataset : Dataset
        N samples with labels of C classes, or with numbers to predict.

    Returns
    -------
    ndarray of shape (N,) or (N, C)
        The labels for losses of classes, one-hot rows of float32 for others; the numbers as they are.
    """
    if loss.has_classes or dataset.classes is None:
        return dataset.y
    return np.eye(dataset.class_count, dtype=np.float32)[class_numbers(dataset.y, dataset.classes)]


class Executor(ABC):
    """Something that trains cells: the threads of this machine, or the workers of a cluster.

    A new one is a subclass with `train`, and a line in `fastmlp.experiment.executors.registry.EXECUTORS`.

    Parameters
    ----------
    threads : int, optional
        Cores to use in all on this machine, or at most for one cell on a cluster; None: all there are.
    scheduler : str, optional
        Address of the scheduler, for executors that have one.

    Attributes
    ----------
    adaptive : bool
        Whether cells are drawn from the iterable as others end, and callbacks and checkpoints are used while a cell
        trains. A search that chooses each cell by the results of earlier ones needs it.

    Raises
    ------
    InputError
        If the executor cannot be used.
    """

    adaptive: ClassVar[bool] = False

    def __init__(self, threads: int | None = None, scheduler: str | None = None):
        self.threads, self.scheduler = threads, scheduler

    @abstractmethod
    def train(
        self,
        cells: Iterable[Cell],
        data: SweepData,
        *,
        count: int | None = None,
        callbacks: CellCallbacks = no_callbacks,
        checkpoints: CellCheckpoints | None = None,
    ) -> Generator[tuple[int, CellResult], None, None]:
        """Train every cell and yield its position and result as it ends, in any order.

        A cell that cannot be trained yields a failed result. When the generator is closed, as after Ctrl-C, the
        trainings under way stop.

        Parameters
        ----------
        cells : iterable of Cell
            What to train. A sequence is known as a whole; others are drawn from as cells end.
        data : SweepData
            What to train on.
        count : int, optional
            How many cells there are at most; None: the length of `cells`.
        callbacks : callable
            Gives the callbacks of a cell by its position and the cell. Executors that train elsewhere
            `replay` the training to them when the cell is home.
        checkpoints : callable, optional
            Gives the place where a cell's training is kept, from which it resumes. Executors that train elsewhere may
            ignore it.

        Raises
        ------
        InputError, InputTypeError
            If a cell can never be trained on these data. Those under way then write a checkpoint and stop.
        """

    def close(self) -> None:  # noqa: B027  an executor that holds nothing need not define it
        """Release what the executor holds, such as a connection."""
