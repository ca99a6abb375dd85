"""A network that is written to a file, or read from one."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from fastmlp.training.fitted import Fitted
from fastmlp.training.network import Network

if TYPE_CHECKING:
    from fastmlp.export.model_file import ModelRecord


class StoredNetwork(Network):
    """Base class of what can be saved and loaded.

    Parameters
    ----------
    SETTINGS
    """

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network to a safetensors file, atomically: layers as tensors, all else as text in its metadata.

        See docs/export.md.

        Parameters
        ----------
        path : path
            Of the file; of a link, the file that it leads to. Folders that are not there are made.

        Raises
        ------
        InputError
            When the path is a folder.
        OSError
            When the file cannot be written, as Python raises it.
        """
        from fastmlp.export.model_file import save

        save(self._record(), path)

    def to_bytes(self) -> bytes:
        """Return what `save` writes; `from_bytes` reads it."""
        from fastmlp.export.model_file import dumps

        return dumps(self._record())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Return the network in a file that `save` wrote.

        Parameters
        ----------
        path : path
            Of the file.

        Raises
        ------
        InputError
            When the file is missing, damaged, of another version or something else.
        OSError
            When the file cannot be read, as Python raises it.
        """
        from fastmlp.export.model_file import load

        return cls._from_record(load(path))

    @classmethod
    def from_bytes(cls, data: bytes, name: str | os.PathLike[str] = "the model") -> Self:
        """Return the network in what `to_bytes` returned; errors are those of `load`.

        Parameters
        ----------
        data : bytes
            The network.
        name : path
            What to call it in errors.
        """
        from fastmlp.export.model_file import loads

        return cls._from_record(loads(data, name))

    # ------------------------------------------------------------------------------------------- other formats

    def export(self, path: str | os.PathLike[str], to: str | None = None) -> Path:
        """Write the network to a file that other programs read, atomically; see docs/export.md.

        Every format has the scaling of the inputs and the classes.

        Parameters
        ----------
        path : path
            Of the file.
        to : str, optional
            "onnx", "c", "python", "json"; "torch" or "sklearn" for a Python module that builds such a network. None:
            what the name ends with, .onnx, .h, .py, .json, _torch.py or _sklearn.py.

        Returns
        -------
        Path
            Of the file.

        Raises
        ------
        InputError
            For an unknown format, for one whose library is not installed, and where it cannot express the network.
        OSError
            When the file cannot be written, as Python raises it.
        """
        from fastmlp.export.formats import export

        return export(self._record(), path, to)

    def to_torch(self) -> Any:
        """Return the network as one of PyTorch, which shares nothing with this one.

        Returns
        -------
        torch.nn.Sequential
            From columns (N, D), as this network takes them, to probabilities (N, C), or to the numbers of a regression;
            in the network's dtype. Its first module scales, its last is the softmax, sigmoid or exp: network[:-1]
            returns logits. `classes` is a list of what the outputs stand for, None where they are no classes.

        Raises
        ------
        InputError
            If PyTorch is not installed, or for inputs of text.
        """
        from fastmlp.export.formats import to_torch

        return to_torch(self._record())

    def to_sklearn(self) -> Any:
        """Return the network as one of scikit-learn, which shares nothing with this one.

        Returns
        -------
        MLPClassifier, MLPRegressor or Pipeline
            Fitted; a Pipeline where inputs are scaled or missing values are filled in. Two classes have one logistic
            output there, with the same probabilities. It knows nothing of the training: its `loss_curve_` is empty.

        Raises
        ------
        InputError
            If scikit-learn is not installed, for inputs of text, and for hidden layers of several activations.
        """
        from fastmlp.export.formats import to_sklearn

        return to_sklearn(self._record())

    def _record(self) -> "ModelRecord":
        """The network as a `ModelRecord`: it is of one training, whatever `fit` does meanwhile."""
        from fastmlp.export.model_file import ModelRecord

        fitted = self._fitted
        return ModelRecord(self.config, *fitted.network(), fitted.history, fitted.failure_reason)

    @classmethod
    def _from_record(cls, record: "ModelRecord") -> Self:
        mlp = cls(**record.config.to_dict())
        mlp._fitted = Fitted(
            record.parameters, record.classes, record.encoder, record.history, failure_reason=record.failure_reason
        )
        return mlp
