"""The formats that a trained network can be carried away in."""

import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from fastmlp.errors import InputError
from fastmlp.export.c_header import to_c
from fastmlp.export.model_file import ModelRecord
from fastmlp.export.onnx_file import to_onnx
from fastmlp.export.portable import PortableNetwork
from fastmlp.export.standalone import plain_network
from fastmlp.utils.atomic_files import write_bytes
from fastmlp.utils.paths import user_path, written_path
from fastmlp.utils.validation import one_of

_TORCH, _SKLEARN = "PyTorch", "scikit-learn"


@dataclass(frozen=True)
class Format:
    """A format.

    Attributes
    ----------
    ending : str
        Of the names of its files, from the stem on.
    write : callable
        From a network, and the name of a file without its ending, to the content of that file.
    """

    ending: str
    write: Callable[[ModelRecord, str], bytes]


def to_json(record: ModelRecord) -> str:
    """Return a network as JSON, see docs/export.md.

    Parameters
    ----------
    record : ModelRecord
        The network.
    """
    return PortableNetwork.of(record).to_json()


def to_python(record: ModelRecord) -> str:
    """Return the text of a Python module with `predict` and `predict_proba`, which needs the standard library alone.

    Parameters
    ----------
    record : ModelRecord
        The network.
    """
    network = PortableNetwork.of(record)
    network.check_activations(plain_network.ACTIVATIONS, "python")
    last = "NETWORK = PlainNetwork(MODEL)\npredict, predict_proba = NETWORK.predict, NETWORK.predict_proba\n"
    return _module(network, plain_network, last)


def to_torch(record: ModelRecord) -> Any:
    """Return a network of PyTorch, see `fastmlp.export.standalone.torch_network.build`.

    Parameters
    ----------
    record : ModelRecord
        The network.

    Raises
    ------
    InputError
        If PyTorch is not installed, or the network has what it has not.
    """
    module, network = _torch(record)
    return module.build(network.to_dict())


def to_sklearn(record: ModelRecord) -> Any:
    """Return an estimator of scikit-learn, see `fastmlp.export.standalone.sklearn_network.build`.

    Parameters
    ----------
    record : ModelRecord
        The network.

    Raises
    ------
    InputError
        If scikit-learn is not installed, or the network has what it has not.
    """
    module, network = _sklearn(record)
    return module.build(network.to_dict())


def _torch(record: ModelRecord) -> tuple[ModuleType, PortableNetwork]:
    try:
        from fastmlp.export.standalone import torch_network
    except ImportError:
        raise InputError("PyTorch is not installed: pip install 'fastmlp[torch]'") from None
    network = PortableNetwork.of(record)
    network.check_numeric(_TORCH)
    network.check_activations(torch_network.ACTIVATIONS, _TORCH)
    return torch_network, network


def _sklearn(record: ModelRecord) -> tuple[ModuleType, PortableNetwork]:
    try:
        from fastmlp.export.standalone import sklearn_network
    except ImportError:
        raise InputError("scikit-learn is not installed: pip install 'fastmlp[sklearn]'") from None
    network = PortableNetwork.of(record)
    network.check_numeric(_SKLEARN)
    network.check_activations(sklearn_network.ACTIVATIONS, _SKLEARN)
    if len(names := {layer.activation for layer in network.layers[:-1]}) > 1:
        raise InputError(
            f"activation has {', '.join(sorted(names))}, and {_SKLEARN} has one for all hidden layers; expected "
            "another format"
        )
    return sklearn_network, network


def _module(network: PortableNetwork, source: ModuleType, last: str) -> str:
    """The text of a module that is a standalone one and a network."""
    head = f"# A network that fastmlp {network.version} wrote.\n"
    quoted = network.to_json().strip().replace("'", "\\u0027")  # a quote is within a text of JSON
    return f"{head}{inspect.getsource(source)}\n\nMODEL = json.loads(r'''{quoted}''')\n{last}"


def _builder(find: Callable[[ModelRecord], tuple[ModuleType, PortableNetwork]]) -> Callable[[ModelRecord, str], bytes]:
    def write(record: ModelRecord, _: str) -> bytes:
        module, network = find(record)
        return _module(network, module, "NETWORK = build(MODEL)\n").encode()

    return write


FORMATS: dict[str, Format] = {
    "onnx": Format(".onnx", lambda record, _: to_onnx(PortableNetwork.of(record))),
    "torch": Format("_torch.py", _builder(_torch)),
    "sklearn": Format("_sklearn.py", _builder(_sklearn)),
    "c": Format(".h", lambda record, name: to_c(PortableNetwork.of(record), name)),
    "python": Format(".py", lambda record, _: to_python(record).encode()),
    "json": Format(".json", lambda record, _: to_json(record).encode()),
}


def export(record: ModelRecord, path: str | os.PathLike[str], to: str | None = None) -> Path:
    """Write a network to a file of another format, atomically.

    Parameters
    ----------
    record : ModelRecord
        The network.
    path : path
        Of the file.
    to : str, optional
        One of `FORMATS`; None takes that of the name's ending.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    InputError
        For an unknown format, and where a format cannot express the network.
    """
    path = user_path(path)
    if to is None:
        endings = {format.ending: name for name, format in FORMATS.items()}
        known = next((name for ending, name in endings.items() if path.name.endswith(ending)), None)
        if known is None:
            raise InputError(f"{path} has no ending of a format; expected one of {', '.join(endings)}, or `to`")
        to = known
    write_bytes(written_path(path), FORMATS[one_of("to", to, FORMATS)].write(record, path.stem))
    return path
