"""A network with its settings and what its training left behind: weights that can be read, written and given."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.config.configured import Configured
from fastmlp.config.network import NetworkConfig
from fastmlp.config.target_scaling import scale_of
from fastmlp.errors import InputError, InputTypeError
from fastmlp.inputs.encoder import InputEncoder
from fastmlp.inputs.scaling import Scaling
from fastmlp.training.early_stopping import kept_epoch
from fastmlp.training.failure import FailureReason
from fastmlp.training.fitted import Fitted, field_of_fitted
from fastmlp.training.history import History
from fastmlp.training.parameters import Parameters
from fastmlp.training.summary import Summary, summarise
from fastmlp.utils.arrays import as_array, fits, unfit
from fastmlp.utils.labels import all_classes, check_labels
from fastmlp.utils.showing import shown
from fastmlp.utils.validation import DTYPES


class Network(Configured):
    """Base class of what has weights, from a training or given ones.

    Parameters
    ----------
    SETTINGS

    Attributes
    ----------
    history, classes, encoder, fit_info, failure_reason
        See `Fitted`.
    """

    def __init__(self, *_unnamed: object, **settings: Any):
        super().__init__(*_unnamed, **settings)
        self._fitted = Fitted()

    history: History = field_of_fitted("history", "A record per epoch, and the diagnoses that were made on the way.")
    encoder: InputEncoder | None = field_of_fitted(
        "encoder", "What the inputs mean: their scaling, measured on the training rows; names of columns."
    )
    fit_info: dict[str, Any] | None = field_of_fitted(
        "fit_info", "The form of the first layer, density of the inputs, threads, scaling, and the inputs in words."
    )
    failure_reason: FailureReason | None = field_of_fitted(
        "failure_reason", "Why the training failed, text with `.kind`; None where it did not."
    )

    @property
    def classes(self) -> NDArray[Any] | None:
        """What the outputs stand for, (C,): labels, or of a regression the numbers of the columns."""
        known = self._fitted.classes
        return known if known is None or self.target_scale is None else np.arange(len(known))

    @property
    def target_scale(self) -> NDArray[np.float64] | None:
        """Mean and deviation (C, 2) by which the numbers that it learns are scaled; None where they are not."""
        return scale_of(self._fitted.classes)

    @property
    def kept_epoch(self) -> int:
        """Number of the epoch, from 1, whose weights the network has: the last, or the best with early stopping."""
        return kept_epoch(self.history, self.config.early_stopping_config)

    @property
    def weights(self) -> tuple[NDArray[Any], ...]:
        """One view (fan_in, fan_out) per layer; writing to it changes the network: weights[0][...] = W."""
        return tuple(self._fitted.network()[0].weights)

    @property
    def biases(self) -> tuple[NDArray[Any], ...]:
        """One view (fan_out,) per layer; writing to it changes the network."""
        return tuple(self._fitted.network()[0].biases)

    def summary(self, features: int | None = None, outputs: int | None = None) -> Summary:
        """Return the layers, their shapes and activations, how many numbers the network learns, and their memory.

        Parameters
        ----------
        features, outputs : int, optional
            Numbers of inputs and of outputs, for a network before its first fit, which does not know them.

        Returns
        -------
        Summary
            As text a table: print(mlp.summary()).

        Examples
        --------
        >>> from fastmlp import MLP
        >>> MLP(hidden=(20,)).summary(features=8, outputs=2).parameters
        222
        """
        there, encoder = self._fitted.parameters, self.encoder
        if there is not None:
            features, outputs = there.features, there.outputs
        return summarise(self.config, features, outputs, encoder.describe() if encoder else "")

    def set_weights(
        self,
        weights: Sequence[ArrayLike],
        biases: Sequence[ArrayLike] | None = None,
        classes: Iterable[Any] | None = None,
    ) -> Self:
        """Give the network its weights, after a training or without one.

        What a training remembers besides, its history and the optimizer's state for `partial_fit`, stays as it is. A
        network without a training reads its inputs as they are, or as pixels if that is its `scaling`.

        Parameters
        ----------
        weights : sequence of array_like
            (fan_in, fan_out) of each layer, the last one included: scikit-learn's `coefs_`, the kernels of Keras' dense
            layers, and PyTorch's weights transposed.
        biases : sequence of array_like, optional
            (fan_out,) of each layer, as scikit-learn's `intercepts_`; None leaves them as they are, 0 at the start.
        classes : iterable, optional
            What the columns of the last layer stand for, in ascending order; None: what they stand for already, or 0,
            1, 2 and so on.

        Returns
        -------
        MLP
            The network itself.

        Raises
        ------
        InputError, InputTypeError
            For arrays of other shapes, or with values that are not finite: before anything is changed.
        """
        there, dtype = self._fitted.parameters, self.config.dtype
        W = _arrays("weights", weights, len(self.config.hidden) + 1, 2, dtype)
        features = W[0].shape[0] if there is None else there.features
        outputs = W[-1].shape[1] if there is None else there.outputs
        parameters = Parameters.of(self.config, features, outputs) if there is None else there
        _check_shapes("weights", W, parameters.weights)
        b = parameters.biases if biases is None else _arrays("biases", biases, len(W), 1, dtype)
        _check_shapes("biases", b, parameters.biases)
        known = self._fitted.classes
        if known is None or classes is not None:
            known = _classes(self.config, classes, outputs)
        encoder = self.encoder or _encoder(self.config, features)
        for place, values in zip((*parameters.weights, *parameters.biases), (*W, *b), strict=True):
            place[...] = values
        self._fitted = replace(self._fitted, parameters=parameters, classes=known, encoder=encoder)
        return self

    @classmethod
    def from_weights(
        cls,
        weights: Sequence[ArrayLike],
        biases: Sequence[ArrayLike],
        classes: Iterable[Any] | None = None,
        **settings: Any,
    ) -> Self:
        """Return a network with these weights, which was never trained.

        Parameters
        ----------
        weights, biases, classes
            As for `set_weights`.
        **settings
            As for `MLP`. `hidden` and `dtype` are those of the weights where they are left out; inputs are read as they
            are, unless `scaling` is "pixels".

        Raises
        ------
        InputError, InputTypeError
            For arrays or settings that cannot be used.

        Examples
        --------
        >>> import numpy as np
        >>> from fastmlp import MLP
        >>> MLP.from_weights([np.eye(2)], [np.zeros(2)], classes=[3, 7]).predict([[0.2, 0.8]])
        array([7])
        """
        arrays = [as_array(W, "weights") for W in _listed("weights", weights)]
        settings.setdefault("hidden", tuple(W.shape[-1] if W.ndim else 0 for W in arrays[:-1]))
        common = np.result_type(*arrays) if arrays else np.dtype(np.float32)
        settings.setdefault("dtype", common.name if common.name in DTYPES else "float32")
        return cls(**settings).set_weights(arrays, biases, classes)


def _listed(name: str, arrays: object) -> list[Any]:
    if isinstance(arrays, str) or not isinstance(arrays, Iterable):
        raise InputTypeError(f"{name} is {shown(arrays)}; expected a list of arrays, one per layer")
    return list(arrays)


def _arrays(name: str, given: object, layers: int, axes: int, dtype: str) -> list[NDArray[Any]]:
    """One array of finite numbers with so many axes for each layer."""
    arrays = [as_array(array, f"{name}[{layer}]") for layer, array in enumerate(_listed(name, given))]
    if len(arrays) != layers:
        hint = "one per layer, the output layer included"
        if len(arrays) == 2 * layers and [array.ndim for array in arrays[:2]] == [2, 1]:
            hint += ": of a list that alternates, as Keras has it, give weights=arrays[::2], biases=arrays[1::2]"
        raise InputError(f"{name} has {len(arrays)} arrays for {layers} layers; expected {hint}")
    for layer, array in enumerate(arrays):
        if array.dtype.kind not in "buif":
            raise InputTypeError(f"{name}[{layer}] has dtype {array.dtype}; expected numbers")
        if array.ndim != axes:
            shape = "(fan_in, fan_out)" if axes == 2 else "(fan_out,)"
            raise InputError(f"{name}[{layer}] has shape {array.shape}; expected {shape}")
        good = fits(array, dtype)
        if not good.all():
            raise InputError(f"{name}[{layer}] has {array[~good][0]}; {unfit(array[~good][0], dtype)}")
    return arrays


def _check_shapes(name: str, given: Sequence[NDArray[Any]], places: Sequence[NDArray[Any]]) -> None:
    for layer, (array, place) in enumerate(zip(given, places, strict=True)):
        if array.shape != place.shape:
            hint = ": is it transposed, as PyTorch has it?" if array.T.shape == place.shape else ""
            raise InputError(f"{name}[{layer}] has shape {array.shape}; expected {place.shape}{hint}")


def _classes(config: NetworkConfig, classes: Iterable[Any] | None, outputs: int) -> NDArray[Any]:
    """What the columns of the outputs stand for."""
    if classes is None:
        classes = range(outputs)
    elif not config.loss_function.has_classes:
        raise InputError(f"classes was given and loss {config.loss!r} has none; leave it out")
    if not config.loss_function.has_classes:
        return np.arange(outputs)
    listed = _listed("classes", classes)
    given, _ = check_labels(listed, len(listed), "classes")
    known = all_classes(given, None, given)
    if len(listed) != outputs:
        raise InputError(f"classes has {len(listed)} labels for {outputs} outputs; expected one for each")
    if known.tolist() != given.tolist():
        raise InputError(
            f"classes is {listed}; expected each once, in ascending order: sort them, and the columns of the last "
            "layer alike"
        )
    return known


def _encoder(config: NetworkConfig, features: int) -> InputEncoder:
    """What inputs mean that nobody has measured."""
    if config.scaling in ("standard", "minmax"):
        raise InputError(
            f"scaling is {config.scaling!r}, which is measured on training rows, and there are none; expected 'none' "
            "or 'pixels' for weights that are given: scale the inputs before"
        )
    return InputEncoder(Scaling.constant("pixels" if config.scaling == "pixels" else "none", features))
