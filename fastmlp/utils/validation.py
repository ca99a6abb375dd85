"""Checks of the settings of an `MLP`: each names the value, what was expected and the mend."""

import itertools
import math
import numbers
from collections.abc import Iterable

from fastmlp.errors import InputError, InputTypeError
from fastmlp.kernels.layout import ACTIVATIONS

ENGINES = ("numba", "numpy")
DTYPES = ("float32", "float64")
MOST_EPOCHS = 10_000_000  # the records of as many, which a history keeps, take gigabytes
MOST_THREADS = 4096  # more than any one machine has cores
LEAST = {"float32": 2.0**-126, "float64": 2.0**-1022}  # the least number that has all its digits


def whole(name: str, value: object, least: int, mend: str, most: int | None = None) -> int:
    """`value` as an int of at least `least` and, where it is given, at most `most`."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise InputTypeError(f"{name} is {value!r}; expected a whole number: {mend}")
    if value < least:
        raise InputError(f"{name} is {value}; expected at least {least}: {mend}")
    if most is not None and int(value) > most:
        raise InputError(f"{name} is {value}; expected at most {most}: {mend}")
    return int(value)


def threads(name: str, value: object) -> int:
    """`value` as a number of cores to use."""
    return whole(name, value, 1, "leave it out for all cores", MOST_THREADS)


def real(name: str, value: object, mend: str, least: float = -math.inf, below: float = math.inf) -> float:
    """`value` as a finite float with least <= value < below."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise InputTypeError(f"{name} is {value!r}; expected a number: {mend}")
    try:
        number = float(value)
    except OverflowError:  # a whole number beyond every float
        number = math.inf
    if not math.isfinite(number) or not least <= number < below:
        bounds = [f" from {least:g}"] if least > -math.inf else []
        bounds += [f" below {below:g}"] if below < math.inf else []
        raise InputError(f"{name} is {value!r}; expected a finite number{','.join(bounds)}: {mend}")
    return number


def positive(name: str, value: object, mend: str) -> float:
    """`value` as a finite float above zero."""
    number = real(name, value, mend)
    if number <= 0:
        raise InputError(f"{name} is {value!r}; expected a number above 0: {mend}")
    return number


def one_of(name: str, value: object, choices: Iterable[str]) -> str:
    """`value` if it is one of `choices`."""
    choices = tuple(choices)
    if value not in choices:
        raise InputError(f"{name} is {value!r}; expected one of {', '.join(choices)}")
    return str(value)


def flag(name: str, value: object) -> bool:
    """`value` if it is True or False."""
    if not isinstance(value, bool):
        raise InputTypeError(f"{name} is {value!r}; expected true or false")
    return value


def hidden_widths(value: object) -> tuple[int, ...]:
    """Widths of the hidden layers; one number stands for one layer, () for none."""
    widths = (value,) if isinstance(value, numbers.Integral) else value
    if isinstance(widths, str) or not isinstance(widths, Iterable):
        raise InputTypeError(f"hidden is {value!r}; expected the hidden layers' widths, such as (100, 50, 25)")
    return tuple(whole("a width in hidden", width, 1, "leave the layer out or widen it") for width in widths)


def hidden_activations(value: object, layers: int) -> str | tuple[str, ...]:
    """One activation name, or a tuple of one per hidden layer."""
    if isinstance(value, str):
        return one_of("activation", value, ACTIVATIONS)
    if not isinstance(value, Iterable):
        raise InputTypeError(f"activation is {value!r}; expected a name or one name per hidden layer")
    names = tuple(one_of("activation", name, ACTIVATIONS) for name in value)
    if len(names) != layers:
        raise InputError(
            f"activation has {len(names)} names for {layers} hidden layers; give one name for all or {layers}"
        )
    return names


def per_layer(name: str, value: object, layers: int, mend: str) -> float | tuple[float, ...]:
    """A share from 0 to below 1, or a tuple of one for the inputs and each hidden layer."""
    if isinstance(value, numbers.Real):
        return real(name, value, mend, least=0, below=1)
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise InputTypeError(f"{name} is {value!r}; expected a number, or one for the inputs and each hidden layer")
    shares = tuple(real(f"a number in {name}", share, mend, least=0, below=1) for share in value)
    if len(shares) != layers + 1:
        raise InputError(
            f"{name} has {len(shares)} numbers; expected {layers + 1}: one for the inputs and each of {layers} hidden "
            f"layers"
        )
    return shares


def decay_epochs(value: object, epochs: int) -> tuple[int, ...]:
    """The epochs after which the learning rate decays: increasing, none beyond the last epoch."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise InputTypeError(f"decay_epochs is {value!r}; expected whole numbers, such as (20, 40)")
    decays = tuple(whole("a number in decay_epochs", epoch, 1, "epochs count from 1") for epoch in value)
    for earlier, later in itertools.pairwise(decays):
        if later <= earlier:
            raise InputError(f"decay_epochs has {later} after {earlier}; expected rising epochs: put them in order")
    if decays and decays[-1] > epochs:
        raise InputError(
            f"decay_epochs has {decays[-1]}, beyond the last of {epochs} epochs; leave it out or train for longer"
        )
    return decays


def changes_inputs(mlp) -> bool:
    """Whether an `MLP` sees its inputs otherwise in every epoch: some dropped, or images distorted."""
    return mlp.augment is not None or (isinstance(mlp.dropout, tuple) and mlp.dropout[0] > 0)


def check_together(mlp) -> None:
    """Raise InputError for settings of an `MLP` of which one makes no sense beside another."""
    if mlp.loss != "cross_entropy":
        for name in ("label_smoothing", "class_weight"):
            if getattr(mlp, name):
                value = getattr(mlp, name)
                raise InputError(f"{name} is {value!r} and loss {mlp.loss!r} has no classes; leave one of them out")
    if changes_inputs(mlp) and mlp.first_layer == "sparse":
        what = "dropout drops inputs" if mlp.augment is None else "augment distorts them"
        raise InputError(f"first_layer is 'sparse' and {what}, for which rows are dense; leave one of them out")
    epsilon, least = mlp._optimizer.numbers.get("epsilon", 1.0), LEAST[mlp.dtype]
    if epsilon < least:
        raise InputError(
            f"epsilon of optimizer {mlp._optimizer.name} is {epsilon:g}, which is lost in {mlp.dtype}; expected at "
            f"least {least:.2g}, to keep 0 out of a division: 1e-8 is common"
        )
    if mlp._optimizer.name == "lbfgs":
        drops = max(mlp.dropout) if isinstance(mlp.dropout, tuple) else mlp.dropout
        for other, value in (
            ("dropout", drops), ("clip_norm", mlp.clip_norm), ("max_norm", mlp.max_norm),
            ("augment", mlp.augment), ("schedule", mlp.schedule), ("decay_epochs", mlp.decay_epochs),
        ):  # fmt: skip
            if value:
                raise InputError(
                    f"{other} is {value!r} and optimizer 'lbfgs', which takes the whole set as it is and finds the "
                    f"length of its steps itself; leave {other} out"
                )
