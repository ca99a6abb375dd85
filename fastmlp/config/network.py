"""The settings of a network as one frozen value: `NetworkConfig`.

Each field has its default, its check, its section in a recipe, a label and a line of help in one place. Which
settings go together is checked by the methods below the fields.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any, ClassVar, Self

from fastmlp.config import early_stopping, fields, losses, optimizers, schedules
from fastmlp.config.augmentation import Augmentation
from fastmlp.config.augmentation import check_setting as check_augment
from fastmlp.config.early_stopping import EarlyStoppingConfig
from fastmlp.config.fields import NETWORK, TRAINING, FieldInfo
from fastmlp.config.loss_base import Loss
from fastmlp.config.optimizer_base import Optimizer
from fastmlp.config.sample_weights import check_setting as check_class_weight
from fastmlp.config.schedules import Schedule
from fastmlp.config.target_scaling import TARGET_SCALINGS
from fastmlp.errors import InputError, InputTypeError
from fastmlp.inputs.scaling import MISSING, SCALINGS
from fastmlp.utils import validation as check
from fastmlp.utils.options import freeze, nearest, thaw, value_text
from fastmlp.utils.other_names import ARGUMENTS, OF_FIT, called_here

ScheduleSetting = str | Mapping[str, Any] | Callable[[float], float] | None
INITIALISERS = ("auto", "he", "xavier", "normal", "uniform")
FIRST_LAYERS = ("auto", "dense", "sparse")
# Half-width of "uniform" and standard deviation of "normal" where init_scale is None.
DEFAULT_INIT_SCALE = 0.1


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """All settings of a network and its training, checked; `MLP` describes each of them.

    A configuration cannot be changed, has a hash and equals any other with the same values. Settings that are tables,
    such as an optimizer with its numbers, are read-only dicts; `to_dict` returns ordinary ones.

    Parameters
    ----------
    SETTINGS

    Attributes
    ----------
    FIELDS : mapping of str to FieldInfo
        Default, section, label and help of each setting, in order.

    Raises
    ------
    InputError, InputTypeError
        For a value that cannot be used, or that contradicts another one.

    Examples
    --------
    >>> config = NetworkConfig(hidden=[20], optimizer={"name": "adam", "beta2": 0.99})
    >>> config.hidden
    (20,)
    >>> config.optimizer_config
    Adam(beta1=0.9, beta2=0.99, epsilon=1e-08)
    >>> config.replace(epochs=5)
    NetworkConfig(hidden=(20,), optimizer={'name': 'adam', 'beta2': 0.99}, epochs=5)
    """

    FIELDS: ClassVar[Mapping[str, FieldInfo]]

    hidden: tuple[int, ...] = fields.setting(
        (100, 50, 25), NETWORK, check.hidden_widths, "widths of the hidden layers, () for none", "hidden layers"
    )
    activation: str | tuple[str, ...] = fields.setting(
        "relu", NETWORK, check.activations, "function of the hidden units, one name or one per hidden layer"
    )
    loss: str = fields.setting("cross_entropy", NETWORK, losses.check_setting, "what is minimised, see config.losses")
    optimizer: str | Mapping[str, Any] = fields.setting(
        "sgd", TRAINING, optimizers.check_setting, "a name, or a dict with its numbers, see config.optimizers"
    )
    learning_rate: float = fields.positive(0.1, TRAINING, "try 0.1", "learning rate of the first epoch")
    momentum: float = fields.setting(0.0, TRAINING, check.momentum, "momentum of sgd and rmsprop, from 0 below 1")
    schedule: ScheduleSetting = fields.setting(  # noqa: RUF009  # it returns a field
        None, TRAINING, schedules.check_setting, "how the learning rate changes, see config.schedules"
    )
    decay_epochs: tuple[int, ...] = fields.setting(
        (), TRAINING, check.rising_epochs, "epochs after which the rate is multiplied by decay_factor"
    )
    decay_factor: float = fields.positive(
        0.5, TRAINING, "0.5 halves the rate", "factor on the rate after each of decay_epochs"
    )
    batch_size: int = fields.whole(100, 1, "100 is a common choice", "samples per step")
    epochs: int = fields.whole(50, 1, "50 is the default", "passes over the training set", check.MOST_EPOCHS)
    shuffle: bool = fields.setting(True, TRAINING, check.flag, "visit the samples in a new random order every epoch")
    early_stopping: int | Mapping[str, Any] | None = fields.setting(
        None, TRAINING, early_stopping.check_setting, "patience in epochs or a dict, see config.early_stopping"
    )
    scaling: str = fields.choice(
        "auto", NETWORK, SCALINGS, "what is done to the numbers of the inputs, see inputs.measuring"
    )
    missing: str = fields.choice(
        "refuse", NETWORK, MISSING, "inputs that are not there: refuse, or median and a column that says so"
    )
    target_scaling: str = fields.choice(
        "auto", NETWORK, TARGET_SCALINGS, "what is done to numbers to predict, see config.target_scaling"
    )
    init: str = fields.choice("auto", NETWORK, INITIALISERS, "distribution of the first weights")
    init_scale: float | None = fields.positive(
        None, NETWORK, "try 0.1", f"width of normal and uniform (None: {DEFAULT_INIT_SCALE}), a factor for the others"
    )
    init_bias: str = fields.choice("zero", NETWORK, ("zero", "same"), "zero, or same for the weights' distribution")
    l1: float = fields.number(0.0, "0 switches it off", "factor of the sum of the weights' sizes", "L1", least=0)
    l2: float = fields.number(0.0, "0 switches it off", "factor of half the sum of squared weights", "L2", least=0)
    dropout: float | tuple[float, ...] = fields.setting(
        0.0,
        TRAINING,
        partial(check.shares, hint="0 switches it off, 0.5 is common"),
        "share of hidden units that is dropped in training, or one for the inputs and each hidden layer",
    )
    augment: Mapping[str, Any] | None = fields.setting(
        None, TRAINING, check_augment, "how images are distorted: a dict or a preset's name, see config.augmentation"
    )
    max_norm: float | None = fields.positive(
        None, TRAINING, "None switches it off", "largest norm of the weights into a hidden unit"
    )
    clip_norm: float | None = fields.positive(
        None, TRAINING, "None switches it off", "largest norm of a step's gradient"
    )
    label_smoothing: float = fields.number(
        0.0, "0.1 is common", "share of each label that is spread evenly over all classes", least=0, below=1
    )
    class_weight: str | Mapping[Any, float] | None = fields.setting(
        None, TRAINING, check_class_weight, "balanced, or a dict from label to weight"
    )
    seed: int = fields.whole(0, 0, "any whole number from 0", "the same seed gives the same weights")
    threads: int | None = fields.setting(
        None, TRAINING, partial(check.optional, checked_by=check.threads), "cores to use; never changes a result"
    )
    dtype: str = fields.choice("float32", NETWORK, check.DTYPES, "dtype of the weights and of all arithmetic")
    engine: str = fields.choice("numba", TRAINING, check.ENGINES, "numba, or numpy for the plain reference")
    train_metrics: str = fields.choice(
        "full", TRAINING, ("full", "running"), "measure the training set after each epoch, or during it"
    )
    first_layer: str = fields.choice(
        "auto", TRAINING, FIRST_LAYERS, "whether zeros among the inputs are skipped; never changes a result"
    )

    def __post_init__(self) -> None:
        for info in dataclasses.fields(self):
            self._set(info.name, info.metadata["check"](info.name, getattr(self, info.name)))
        self._check_layers()
        self._check_decay_epochs()
        self._set("optimizer", self.optimizer_config.setting())
        if not callable(self.schedule):
            self._set("schedule", self.make_schedule().setting())
        self._check_loss()
        self._check_first_layer()
        self.optimizer_config.check_dtype(self.dtype)
        self._check_full_batch()

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, freeze(value))

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> Self:
        """Return the configuration of a mapping, such as `to_dict` returns.

        Parameters
        ----------
        settings : mapping
            Some or all settings as plain values.

        Raises
        ------
        InputError, InputTypeError
            For an unknown setting, or a value that cannot be used.
        """
        for name in settings:
            if name not in cls.FIELDS:
                of_fit = name if name in OF_FIT else called_here(name, OF_FIT)
                hint = ARGUMENTS.get(name) or nearest(name, cls.FIELDS)
                if of_fit is not None:
                    hint = f"it is an argument of fit: fit(X, y, {of_fit}=...)"
                raise InputTypeError(f"{name!r} is not a setting; {hint}")
        return cls(**settings)

    def to_dict(self) -> dict[str, Any]:
        """Return all settings as plain values: `NetworkConfig(**config.to_dict()) == config`."""
        return {name: self.plain(name) for name in self.FIELDS}

    def to_stored_dict(self) -> dict[str, Any]:
        """Return all settings as a file can hold them: a function as `schedule` is "custom"."""
        return {**self.to_dict(), "schedule": self.make_schedule().setting()}

    def identity(self) -> dict[str, Any]:
        """Return the settings that can change a result, as a file can hold them: all but `threads`."""
        return {name: value for name, value in self.to_stored_dict().items() if name != "threads"}

    def changed(self) -> dict[str, Any]:
        """Return the settings that differ from their defaults, as plain values."""
        return {name: value for name, value in self.to_dict().items() if value != self.FIELDS[name].default}

    def replace(self, **changes: Any) -> Self:
        """Return the configuration with other values for some settings.

        Parameters
        ----------
        **changes
            Settings and their new values.
        """
        return self.from_dict({**self.to_dict(), **changes})

    def label(self, names: Iterable[str] | None = None) -> str:
        """Return some settings as text, such as "activation tanh, learning rate 0.5"; "" for none.

        Parameters
        ----------
        names : iterable of str, optional
            Settings; None for those that differ from their defaults.
        """
        chosen = self.changed() if names is None else {name: getattr(self, name) for name in names}
        return ", ".join(f"{self.FIELDS[name].label} {value_text(value)}" for name, value in chosen.items())

    def plain(self, name: str) -> Any:
        """Return one setting as `to_dict` returns it.

        Parameters
        ----------
        name : str
            Of the setting.
        """
        return thaw(getattr(self, name))

    def changes_text(self) -> str:
        """Return the settings that differ from their defaults as arguments, such as "hidden=(7,), epochs=5"."""
        return ", ".join(f"{name}={value!r}" for name, value in self.changed().items())

    def __repr__(self) -> str:
        return f"NetworkConfig({self.changes_text()})"

    def __hash__(self) -> int:
        # A function as schedule may have no hash.
        return hash(tuple(value for name in self.FIELDS if not callable(value := getattr(self, name))))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_dict, (self.to_dict(),)

    def __deepcopy__(self, memo: object) -> Self:
        return self

    # ------------------------------------------------------------------------------------------------ typed views

    @cached_property
    def optimizer_config(self) -> Optimizer:
        """The optimizer with its numbers, `momentum` among them."""
        return optimizers.from_setting(self.optimizer, self.momentum)

    @cached_property
    def loss_function(self) -> Loss:
        """The loss."""
        return losses.from_setting(self.loss, self.target_scaling)

    @cached_property
    def augmentation(self) -> Augmentation | None:
        """How images are distorted; None for not at all."""
        return Augmentation.from_setting(self.augment)

    @cached_property
    def early_stopping_config(self) -> EarlyStoppingConfig | None:
        """When to stop early; None for never."""
        return early_stopping.from_setting(self.early_stopping)

    def make_schedule(self) -> Schedule:
        """Return a schedule for one training; it has a state."""
        return schedules.from_setting(
            self.schedule, self.learning_rate, self.epochs, self.decay_epochs, self.decay_factor
        )

    @property
    def layer_activations(self) -> tuple[str, ...]:
        """The activation of each hidden layer."""
        return (self.activation,) * len(self.hidden) if isinstance(self.activation, str) else self.activation

    @property
    def layer_dropout(self) -> tuple[float, ...]:
        """The share that is dropped of the inputs and of each hidden layer; empty when nothing is."""
        drops = self.dropout if isinstance(self.dropout, tuple) else (0.0, *(self.dropout for _ in self.hidden))
        return drops if any(drops) else ()

    @property
    def changes_inputs(self) -> bool:
        """Whether inputs differ from epoch to epoch: some are dropped, or images are distorted."""
        return self.augment is not None or (isinstance(self.dropout, tuple) and self.dropout[0] > 0)

    @property
    def form(self) -> str:
        """How the first layer is to read its inputs: `first_layer`, or "dense" where they differ in every epoch."""
        return "dense" if self.changes_inputs else self.first_layer

    # ------------------------------------------------------------------------------------------ cross-field checks

    def check_streamed(self) -> None:
        """Raise InputError for settings that cannot be trained on a stream of rows."""
        if not self.loss_function.has_classes:
            raise InputError(f"loss is {self.loss!r}, and a stream has one label per row; expected 'cross_entropy'")
        if self.optimizer_config.is_full_batch:
            raise InputError(
                f"optimizer is {self.optimizer_config.name!r}, which needs all rows at once; expected another one for "
                "a stream"
            )

    def _check_layers(self) -> None:
        """One activation and one share of dropout for each layer, where there is more than one for all."""
        layers = len(self.hidden)
        if isinstance(self.activation, tuple) and len(self.activation) != layers:
            raise InputError(
                f"activation has {len(self.activation)} names for {layers} hidden layers; give one name for all or "
                f"{layers}"
            )
        if isinstance(self.dropout, tuple) and len(self.dropout) != layers + 1:
            raise InputError(
                f"dropout has {len(self.dropout)} numbers; expected {layers + 1}: one for the inputs and each of "
                f"{layers} hidden layers"
            )

    def _check_decay_epochs(self) -> None:
        if self.decay_epochs and self.decay_epochs[-1] > self.epochs:
            raise InputError(
                f"decay_epochs has {self.decay_epochs[-1]}, beyond the last of {self.epochs} epochs; leave it out or "
                "train for longer"
            )

    def _check_loss(self) -> None:
        if self.target_scaling == "standard" and self.loss == "poisson":
            raise InputError(
                "target_scaling is 'standard' and loss 'poisson', which learns the logarithm of the numbers as they "
                "are; leave target_scaling out"
            )
        if self.loss_function.has_classes:
            return
        for name in ("label_smoothing", "class_weight"):
            if value := getattr(self, name):
                raise InputError(f"{name} is {value!r} and loss {self.loss!r} has no classes; leave one of them out")

    def _check_first_layer(self) -> None:
        if self.changes_inputs and self.first_layer == "sparse":
            what = "dropout drops inputs" if self.augment is None else "augment distorts them"
            raise InputError(f"first_layer is 'sparse' and {what}, for which rows are dense; leave one of them out")

    def _check_full_batch(self) -> None:
        """Nothing that acts on minibatches or rates with an optimizer that has none."""
        if not self.optimizer_config.is_full_batch:
            return
        drops = max(self.dropout) if isinstance(self.dropout, tuple) else self.dropout
        for name, value in (
            ("dropout", drops), ("clip_norm", self.clip_norm), ("max_norm", self.max_norm),
            ("augment", self.augment), ("schedule", self.schedule), ("decay_epochs", self.decay_epochs),
        ):  # fmt: skip
            if value:
                raise InputError(
                    f"{name} is {value!r} and optimizer {self.optimizer_config.name!r}, which takes the whole set as "
                    f"it is and finds the length of its steps itself; leave {name} out"
                )


NetworkConfig.FIELDS = MappingProxyType(
    {
        info.name: FieldInfo(
            info.default,
            info.metadata["section"],
            info.metadata["label"] or info.name.replace("_", " "),
            info.metadata["help"],
        )
        for info in dataclasses.fields(NetworkConfig)
    }
)
if NetworkConfig.__doc__:  # python -OO leaves none
    NetworkConfig.__doc__ = NetworkConfig.__doc__.replace("SETTINGS", fields.described(NetworkConfig))
