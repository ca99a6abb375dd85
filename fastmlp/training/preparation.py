"""Preparation of data: checked and converted once, for every network that reads them alike."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import ArrayLike, NDArray

from fastmlp.config.network import NetworkConfig
from fastmlp.config.sample_weights import combine
from fastmlp.errors import InputError, InputTypeError
from fastmlp.inputs.blocks import row_blocks
from fastmlp.inputs.encoder import InputEncoder
from fastmlp.inputs.measuring import measure
from fastmlp.inputs.reading import read_inputs
from fastmlp.inputs.scaling import Scaling
from fastmlp.training.batches import Batches, InMemory, RowStream, Streamed
from fastmlp.training.first_layer import Inputs, Samples, compact
from fastmlp.training.inference import thread_count
from fastmlp.utils.labels import all_classes


@dataclass(frozen=True)
class PreparedData:
    """Data that were checked and converted once, for every network with the same `preparation_key`.

    Attributes
    ----------
    batches : Batches
        The training set.
    validation : tuple of two arrays, or None
        Inputs and targets of the validation set.
    classes : ndarray of shape (C,)
        Labels that the outputs stand for, or numbers of the columns.
    encoder : InputEncoder
        What the inputs mean.
    key : tuple
        What a network must have in common with the one that they were prepared for.
    """

    batches: Batches
    validation: tuple[Inputs, NDArray[Any]] | None
    classes: NDArray[Any]
    encoder: InputEncoder
    key: tuple[object, ...]

    def arrays(self) -> list[object]:
        """Return the arrays in memory."""
        held = [] if self.validation is None else list(self.validation)
        return [getattr(self.batches, "X", None), self.batches.y, *held]

    def check_use(self, config: NetworkConfig) -> None:
        """Raise InputError where the data were prepared for a network that reads them otherwise.

        Parameters
        ----------
        config : NetworkConfig
            Settings of the network that is to be trained on them.
        """
        if self.key != preparation_key(config):
            names = ("engine", "dtype", "first_layer", "loss", "class_weight", "scaling", "missing", "target_scaling")
            pairs = zip(names, self.key, preparation_key(config), strict=True)
            name, found, wanted = next(pair for pair in pairs if pair[1] != pair[2])
            raise InputError(
                f"the data were prepared for {name} {found!r} and this network has {wanted!r}; prepare them with its "
                "own config"
            )


def preparation_key(config: NetworkConfig) -> tuple[object, ...]:
    """Return what the preparation of data depends on: the settings whose names `check_use` has.

    Parameters
    ----------
    config : NetworkConfig
        Settings of a network.
    """
    inputs = config.engine, config.dtype, config.form
    return *inputs, config.loss, config.class_weight, config.scaling, config.missing, config.target_scaling


@dataclass(frozen=True)
class PreparedInputs:
    """Inputs as the kernels read them; `prepare` takes them without a copy.

    Attributes
    ----------
    X : ndarray of shape (N, D), or Sparse
        In the form that trains fastest.
    encoder : InputEncoder
        What they meant before.
    """

    X: Inputs
    encoder: InputEncoder

    @property
    def shape(self) -> tuple[int, int]:
        """Rows, features."""
        return self.X.shape


def prepare_inputs(config: NetworkConfig, X: Samples, encoder: InputEncoder | None = None) -> PreparedInputs:
    """Return checked inputs in the form that a network trains on fastest.

    Parameters
    ----------
    config : NetworkConfig
        Settings of the network.
    X : array_like of shape (N, D) or sparse matrix
        Inputs.
    encoder : InputEncoder, optional
        What they mean; None: it is measured on them.
    """
    return _compact(config, _encoded(config, X, encoder, "X"), config.form)[0]


def _encoded(
    config: NetworkConfig, X: Samples | PreparedInputs, encoder: InputEncoder | None, name: str
) -> PreparedInputs:
    if isinstance(X, PreparedInputs):
        if encoder is not None and X.encoder != encoder:
            raise InputError(
                f"{name} was prepared as {X.encoder.describe()}; expected {encoder.describe()}, as in training: "
                "`prepare_inputs` takes an encoder"
            )
        return X
    checked = read_inputs(X, config.dtype, name, config.missing)
    if encoder is not None:
        return PreparedInputs(encoder.encode(checked, config.dtype, name), encoder)
    encoder, encoded = InputEncoder.fit_encode(checked, config.dtype, config.scaling, config.missing, name)
    return PreparedInputs(encoded, encoder)


def _compact(config: NetworkConfig, inputs: PreparedInputs, form: str) -> tuple[PreparedInputs, float]:
    """Return the inputs in the form that the first layer reads, and their density; the reference reads them dense."""
    if config.engine != "numba":
        return inputs, 1.0
    X, density = compact(inputs.X, config.dtype, form)
    return replace(inputs, X=X), density


def prepare(
    config: NetworkConfig,
    X: Samples | RowStream | PreparedInputs,
    y: ArrayLike | None = None,
    validation: tuple[Samples | PreparedInputs, ArrayLike] | None = None,
    classes: Iterable[Any] | None = None,
    sample_weight: ArrayLike | None = None,
    encoder: InputEncoder | None = None,
) -> PreparedData:
    """Check data and convert them to the form that trains fastest.

    Parameters
    ----------
    config : NetworkConfig
        Settings of the networks that are to be trained.
    X : array_like of shape (N, D), sparse matrix, RowStream or PreparedInputs
        Inputs.
    y : array_like of shape (N,) or (N, C)
        Labels or targets; None for a stream, which has its own.
    validation : tuple of two arrays, optional
        Inputs and labels of the validation set.
    classes : iterable, optional
        All labels there are; None takes those in y.
    sample_weight : array_like of shape (N,), optional
        Weights of the rows, from 0.
    encoder : InputEncoder, optional
        What the inputs mean to a network that is there; None: it is measured on the training rows.

    Raises
    ------
    InputError, InputTypeError
        For data that cannot be used.
    """
    form, class_weight = config.form, config.plain("class_weight")
    labels: Any = y
    wanted: Any = classes
    batches: Batches
    if hasattr(type(X), "in_order"):  # a stream; asked of the type, as a table may have a column of that name
        stream: Any = X
        _check_streamed(config, stream, y, sample_weight)
        known = all_classes(stream.labels, stream.one_hot_columns, wanted)
        if encoder is None:
            encoder = measure_stream(config, stream)
        held_out = _check_validation(config, validation, encoder, known)
        batches = Streamed(stream, known, encoder, config.dtype, form, thread_count(config), class_weight)
    else:
        given: Any = X
        inputs = _encoded(config, given, encoder, "X")
        if y is None:
            raise InputTypeError("y is None; expected a label or numbers for each row of X")
        encoder, rows = inputs.encoder, inputs.shape[0]
        targets, known = config.loss_function.prepare(labels, rows, wanted, config.dtype)
        weights = combine(class_weight, sample_weight, targets, known)
        held_out = _check_validation(config, validation, encoder, known)
        inputs, density = _compact(config, inputs, form)
        batches = InMemory(inputs.X, targets, weights, density, config.dtype)
    if held_out is not None and config.engine == "numba":
        held_out = compact(held_out[0], config.dtype, batches.first_layer)[0], held_out[1]
    return PreparedData(batches, held_out, known, encoder, preparation_key(config))


def measure_stream(config: NetworkConfig, stream: RowStream) -> InputEncoder:
    """Measure the rows of a stream, which are read once for it, and once more if they are standardised.

    Parameters
    ----------
    config : NetworkConfig
        Settings of the network.
    stream : RowStream
        Its training rows.
    """
    columns = stream.shape[1]
    if config.scaling in ("none", "pixels"):
        return InputEncoder(Scaling.constant(config.scaling, columns))

    def blocks() -> Iterator[NDArray[Any]]:
        return (X[rows] for X, _ in stream.in_order() for rows in row_blocks(*X.shape))

    return InputEncoder(measure(config.scaling, columns, blocks))


def _check_streamed(config: NetworkConfig, stream: RowStream, y: object, sample_weight: object) -> None:
    for name, given in (("y", y), ("sample_weight", sample_weight)):
        if given is not None:
            raise InputError(f"{name} was given with a stream, {stream.path}, which has its own labels; leave it out")
    config.check_streamed()


def _check_validation(
    config: NetworkConfig, validation: object, encoder: InputEncoder, classes: NDArray[Any]
) -> tuple[Inputs, NDArray[Any]] | None:
    if validation is None:
        return None
    if not isinstance(validation, tuple | list) or len(validation) != 2:
        raise InputTypeError(f"validation is not a pair; expected (X, y), not {type(validation).__name__}")
    X, y = validation
    inputs = _encoded(config, X, encoder, "validation X").X
    return inputs, config.loss_function.compare(y, inputs.shape[0], classes, config.dtype, "validation y")
