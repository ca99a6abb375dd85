"""Outputs of the hidden layers of a network."""

import numbers
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.errors import InputError, InputTypeError
from fastmlp.kernels.layout import FAN_OUT
from fastmlp.kernels.task_types import SQUARED
from fastmlp.training.first_layer import Samples
from fastmlp.training.inference import encoded_batches, kernels_of, outputs_of, predict_outputs, thread_count
from fastmlp.training.memory_need import new_outputs
from fastmlp.training.network import Network
from fastmlp.utils.borrowed_memory import memory_held
from fastmlp.utils.showing import shown

AS_THEY_ARE = SQUARED  # the loss of which the kernels hand out what the last layer computes, without a function of it


class LayerOutputs(Network):
    """Base class of what hands out logits and hidden layers.

    Parameters
    ----------
    SETTINGS
    """

    def logits(self, X: Samples | Iterator[Samples]) -> NDArray[Any]:
        """Return what the last layer computes before its softmax, or its sigmoids.

        Parameters
        ----------
        X : array_like, or iterator of such
            As for `MLP.predict_proba`.

        Returns
        -------
        ndarray of shape (N, C)
            In the network's dtype, columns in the order of `classes`.

        Raises
        ------
        InputError
            For a regression.
        """
        if not (loss := self.config.loss_function).has_probabilities:
            raise InputError(f"a network for the {loss.label} has no logits; call predict")
        parameters, _, encoder = self._fitted.network()
        return predict_outputs(self.config, parameters, encoder, X, kind=AS_THEY_ARE)

    def decision_function(self, X: Samples | Iterator[Samples]) -> NDArray[Any]:
        """Return the logits as scikit-learn's classifiers do: of two classes how much larger that of the second is.

        Parameters
        ----------
        X : array_like, or iterator of such
            As for `MLP.predict_proba`.

        Returns
        -------
        ndarray of shape (N,) or (N, C)
            (N,) for the cross entropy of two classes: above 0 where the second of `classes` is the more probable one,
            and its log-odds. (N, C) for more, and for the binary cross entropy.

        Raises
        ------
        InputError
            For a regression.
        """
        logits = self.logits(X)
        is_binary = self.config.loss_function.has_classes and logits.shape[1] == 2
        return np.asarray(logits[:, 1] - logits[:, 0]) if is_binary else logits

    def hidden_activations(
        self, X: Samples | Iterator[Samples], layer: int | None = None
    ) -> NDArray[Any] | list[NDArray[Any]]:
        """Return what the hidden layers compute, after their activations; nothing is dropped.

        Parameters
        ----------
        X : array_like, or iterator of such
            As for `MLP.predict_proba`.
        layer : int, optional
            Number of a layer, from 0; -1 for the last one. None for all of them.

        Returns
        -------
        ndarray of shape (N, width), or list of them
            Of the layer, or of each hidden layer in their order; in the network's dtype.

        Raises
        ------
        InputError, InputTypeError
            For a layer that there is not.
        """
        parameters, _, encoder = self._fitted.network()
        kernels, threads = kernels_of(self.config.engine), thread_count(self.config)
        table, buffer, chosen = parameters.layers, parameters.buffer, self._numbers(layer)
        found: list[list[NDArray[Any]]] = [[] for _ in chosen]
        for inputs in encoded_batches(self.config, encoder, X):
            with memory_held(inputs):
                for number, outputs in zip(chosen, found, strict=True):
                    out = new_outputs(inputs.shape[0], int(table[number, FAN_OUT]), buffer.dtype)
                    outputs.append(outputs_of(kernels, table[: number + 1], buffer, inputs, out, AS_THEY_ARE, threads))
        joined = [np.concatenate(outputs) if len(outputs) > 1 else outputs[0] for outputs in found]
        return joined if layer is None else joined[0]

    def _numbers(self, layer: int | None) -> list[int]:
        """The hidden layer that is asked for, or all of them."""
        count = len(self.config.hidden)
        if layer is None:
            return list(range(count))
        if isinstance(layer, bool) or not isinstance(layer, numbers.Integral):
            raise InputTypeError(
                f"layer is {shown(layer)}; expected the number of a hidden layer, such as -1 for the last one"
            )
        if not -count <= layer < count:
            what = f"a number from 0 to {count - 1}" if count else "hidden layers, and this network has none"
            raise InputError(f"layer is {shown(layer)}; expected {what}: the outputs are those of predict_proba")
        return [int(layer) % count]
