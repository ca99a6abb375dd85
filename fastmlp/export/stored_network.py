"""A network that is written to a file, or read from one."""

import os
from typing import TYPE_CHECKING, Self

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
        """Write the network to an HDF5 file, atomically: settings, weights, history, classes and version.

        Parameters
        ----------
        path : path
            Of the file.
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
