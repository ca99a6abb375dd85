"""Curves of a training for TensorBoard."""

import math
import os
from collections.abc import Mapping
from typing import Any

from fastmlp.errors import InputError
from fastmlp.training.callbacks import Callback, TrainingView
from fastmlp.utils.paths import user_path

_PARTS = ("train", "validation")
_SECONDS = 5  # at most, until what was measured can be seen


class TensorBoard(Callback):
    """Write losses, accuracies and the learning rate of every epoch to event files, which `tensorboard` shows.

    Training and validation are two runs below the folder, train and validation, as those of Keras: TensorBoard draws
    both into one chart. A later training with the same folder takes the place of the one before in the charts; one that
    resumes from a checkpoint is complete, without any epoch twice.

    Parameters
    ----------
    folder : path
        Where the event files go: tensorboard --logdir FOLDER, or the folder above it for several trainings.

    Raises
    ------
    InputError
        If tensorboardX is not installed, which writes such files and needs neither TensorFlow nor TensorBoard.

    Examples
    --------
    >>> mlp.fit(X, y, callbacks=[TensorBoard("logs/first")])  # doctest: +SKIP
    """

    def __init__(self, folder: str | os.PathLike[str]):
        try:
            import tensorboardX
        except ImportError:
            raise InputError(
                "TensorBoard needs tensorboardX, which is not installed: pip install 'fastmlp[tensorboard]'"
            ) from None
        self._folder, self._new_writer = user_path(folder), tensorboardX.SummaryWriter
        self._writers: dict[str, Any] = {}
        self._measure = ""

    def on_fit_start(self, view: TrainingView) -> None:
        measure = view.config.loss_function.measure
        self._measure = measure.replace("²", "2")  # names there are of letters and digits
        for record in view.history:
            self._write(record)

    def on_epoch_end(self, view: TrainingView) -> None:
        if view.record is not None:
            self._write(view.record)

    def on_fit_end(self, view: TrainingView) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def _write(self, record: Mapping[str, Any]) -> None:
        epoch = record["epoch"]
        for part in _PARTS:
            loss, accuracy = record[f"{part}_loss"], record[f"{part}_accuracy"]
            if part == "validation" and math.isnan(loss) and math.isnan(accuracy):  # there is no such set
                continue
            if part not in self._writers:
                # TensorBoard hides what other files of this folder have from this epoch on.
                self._writers[part] = self._new_writer(str(self._folder / part), purge_step=epoch, flush_secs=_SECONDS)
            self._writers[part].add_scalar("loss", loss, epoch)
            self._writers[part].add_scalar(self._measure, accuracy, epoch)
        self._writers["train"].add_scalar("learning_rate", record["learning_rate"], epoch)
