"""One training: its settings, its data, what it changes, and what trains it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from numpy.typing import NDArray

from fastmlp.config.network import NetworkConfig
from fastmlp.errors import InputError
from fastmlp.inputs.scaling import Scaling
from fastmlp.training.first_layer import Inputs, Samples
from fastmlp.training.inference import outputs_of_inputs, predict_outputs
from fastmlp.training.preparation import PreparedData
from fastmlp.training.state import TrainingState
from fastmlp.training.trainer import Trainer


@dataclass
class Session:
    """One training.

    Attributes
    ----------
    config : NetworkConfig
        Its settings.
    data : PreparedData
        Training and validation set.
    state : TrainingState
        What it changes.
    trainer : Trainer
        Trains the state.
    last_epoch : int
        Number of the epoch after which it ends.
    line_search : OptimizeResult or None
        What scipy returned where it finds the steps, once the training is over: why it ended, and how.
    """

    config: NetworkConfig
    data: PreparedData
    state: TrainingState
    trainer: Trainer
    last_epoch: int
    line_search: Any = None

    @classmethod
    def of(
        cls, config: NetworkConfig, data: PreparedData, state: TrainingState, last_epoch: int | None = None
    ) -> "Session":
        """Return a training that continues from a state.

        Parameters
        ----------
        config : NetworkConfig
            Its settings.
        data : PreparedData
            Its data.
        state : TrainingState
            Where it starts.
        last_epoch : int, optional
            Number of the epoch after which it ends; None: that of the settings.

        Raises
        ------
        InputError
            For settings that do not go with data of this shape.
        """
        rows, features = data.batches.shape
        trainer = Trainer.of(config, state, rows)
        state.schedule.rates(1, trainer.steps_of(rows))
        if config.augmentation is not None:
            _check_images(data.encoder.scaling)
            config.augmentation.distortion(features, config.seed, 1)
        return cls(config, data, state, trainer, config.epochs if last_epoch is None else last_epoch)

    @property
    def loss_unit(self) -> float:
        """What a loss of the kernels is multiplied by to be one of the targets as they were given."""
        return self.config.loss_function.unit(self.data.classes)

    @cached_property
    def prior_loss(self) -> float:
        """Loss of the constant predictor that outputs the mean targets, such as the class frequencies."""
        return self.data.batches.prior_loss(self.config.loss_function) * self.loss_unit

    @property
    def is_over(self) -> bool:
        """Whether no epoch is left."""
        return self.state.is_stopped or self.state.epoch > self.last_epoch

    def predict(self, X: Samples) -> NDArray[Any]:
        """Return the predictions of the current network.

        Parameters
        ----------
        X : array_like of shape (N, D)
            Inputs.
        """
        outputs = predict_outputs(self.config, self.state.parameters, self.data.encoder, X, self.trainer.threads)
        return self.config.loss_function.decide(outputs, self.data.classes)

    def predict_inputs(self, inputs: Inputs) -> NDArray[Any]:
        """Return the predictions of the current network for encoded inputs.

        Parameters
        ----------
        inputs : ndarray of shape (N, D), or Sparse
            Some rows of the batches.
        """
        outputs = outputs_of_inputs(self.config, self.state.parameters, inputs, self.trainer.threads)
        return self.config.loss_function.decide(outputs, self.data.classes)


def _check_images(scaling: Scaling) -> None:
    """Raise InputError for inputs whose zeros are no background."""
    if scaling.kind == "standard":
        raise InputError(
            f"augment distorts images, whose background is zero, and the inputs are {scaling.describe()}; expected "
            "scaling='minmax', or 'pixels' for numbers up to 255"
        )
